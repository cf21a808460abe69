"""A simulated streamer of our own: sends a test picture by RTMP.

    publisher.py --http PORT --rtmp PORT

Makes the own channel "studio" and a stream key for it by the API, as the page
does, and sends with ffmpeg until its parent is gone.  An encoder comes back by
itself: so does this one.
"""

import argparse
import http.client
import json
import os
import signal
import subprocess
import time


def call(port, method, path, body=None):
    """The answer as (status, JSON)."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json"} if body else {}
    c.request(method, path, json.dumps(body) if body else None, headers)
    r = c.getresponse()
    text = r.read()
    c.close()
    return r.status, json.loads(text) if text else None


def key_of(port):
    """A new key of the channel; the one of an earlier run is good no more."""
    status, channel = call(port, "POST", "/api/v1/streamers",
                           {"platform": "rtmp", "channel": "studio",
                            "nickname": "Studio"})
    if status not in (200, 201):
        raise OSError("no channel: %d" % status)
    status, key = call(port, "POST", "/api/v1/streamers/%d/key"
                       % channel["id"])
    if status != 201:
        raise OSError("no key: %d" % status)
    return key["key"]


def sender(port, key):
    """Two seconds between key frames: a fragment of the live HLS."""
    text = ("drawtext=fontfile=/usr/share/fonts/truetype/dejavu/"
            "DejaVuSans.ttf:text='own broadcast  %{localtime\\:%T}':"
            "fontsize=36:fontcolor=white:box=1:boxcolor=black@0.5:"
            "x=(w-tw)/2:y=h-80")
    return subprocess.Popen(
        ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i",
         "testsrc2=size=854x480:rate=25", "-re", "-f", "lavfi", "-i",
         "sine=frequency=330", "-vf", text, "-c:v", "libx264", "-preset",
         "ultrafast", "-tune", "zerolatency", "-b:v", "900k", "-g", "50",
         "-keyint_min", "50", "-sc_threshold", "0", "-pix_fmt", "yuv420p",
         "-c:a", "aac", "-b:a", "64k", "-threads", "1", "-f", "flv",
         "rtmp://127.0.0.1:%d/ingest/%s" % (port, key)],
        stdin=subprocess.DEVNULL)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--http", type=int, required=True)
    p.add_argument("--rtmp", type=int, required=True)
    o = p.parse_args()

    parent = os.getppid()
    child = None
    key = None
    signal.signal(signal.SIGTERM, lambda *a: (_ for _ in ()).throw(SystemExit))

    try:
        while os.getppid() == parent:
            if child is None or child.poll() is not None:
                child = None
                try:
                    key = key or key_of(o.http)
                    child = sender(o.rtmp, key)
                except (OSError, ValueError, http.client.HTTPException):
                    pass
            time.sleep(1)
    finally:
        if child and child.poll() is None:
            child.terminate()
            child.wait()


main()
