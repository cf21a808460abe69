#!/usr/bin/env python3

# Copyright (C) the mntreamer authors

"""The simulated platform of "./mntreamer run".

An API shaped like Chzzk's and real live HLS made by ffmpeg, on 127.0.0.1:
a channel in TS, one in fMP4, one that goes on and off the air, one that is
always off, and one to be added by hand.  Ends, and ends its encoders, when the process that started it is
gone.

  platform.py --dir DIR [--port N]

DIR/port tells the port once requests are answered.
"""

import argparse
import ctypes
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

ON_S, OFF_S = 120, 60           # the one that comes and goes
TITLE_S = 180                   # a title lasts so long
KST = 9 * 3600

FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
         "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")

TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t",
         ".m4s": "video/iso.segment", ".mp4": "video/mp4"}


class Channel:
    """What the API says of a channel, and its encoder."""

    def __init__(self, number, name, kind, category, titles, tone, rhythm):
        self.id = "%032x" % (0xd0 << 120 | number)
        self.name = name
        self.kind = kind                    # ts or fmp4
        self.category = category
        self.titles = titles
        self.tone = tone
        self.rhythm = rhythm                # on, off, comes-and-goes
        self.live_id = 0                    # of the last broadcast
        self.opened = self.closed = 0
        self.encoder = None
        self.started = 0

    def wanted(self, since):
        if self.rhythm == "comes-and-goes":
            return since % (ON_S + OFF_S) < ON_S

        return self.rhythm == "on"

    def ready(self, root):
        """On the air for those who ask: there is something to play."""
        return (self.encoder is not None
                and os.path.exists(os.path.join(root, self.folder(),
                                                "media.m3u8")))

    def folder(self):
        return "%s-%d" % (self.id[-2:], self.live_id)

    def title(self):
        passed = max(0, time.time() - self.opened)
        return self.titles[int(passed / TITLE_S) % len(self.titles)]

    def viewers(self):
        return int(40 + int(self.id[-2:], 16) * 25 + time.time() / 20 % 20)


CHANNELS = [
    Channel(1, "시험 방송", "ts", "Test_Card",
            ["TS 시험 방송 <b>제목은 글자일 뿐</b>", "TS 시험 방송, 2부"], 440, "on"),
    Channel(2, "fMP4 Test Card", "fmp4", "Test_Card",
            ["Fragmented MP4 & an init section", "Still fragmented"], 554,
            "on"),
    Channel(3, "들락날락", "ts", "Just_Chatting",
            ["2분 방송, 1분 휴식"], 659, "comes-and-goes"),
    Channel(4, "Never On", "ts", "Just_Chatting", ["nothing here"], 0, "off"),

    # not watched until somebody adds it on the page
    Channel(5, "손으로 추가", "ts", "Just_Chatting", ["nothing here"], 0, "off"),
]


def kst(when):
    if not when:
        return None

    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when + KST))


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)          # PR_SET_PDEATHSIG


def encoder_command(channel, folder):
    video = "testsrc2=size=640x360:rate=15"
    font = next((f for f in FONTS if os.path.exists(f)), None)

    if font:
        video += (",drawtext=fontfile=%s:text='%%{localtime\\:%%H\\\\\\:%%M"
                  "\\\\\\:%%S}':fontsize=48:fontcolor=white:box=1"
                  ":boxcolor=black@0.6:boxborderw=12:x=(w-tw)/2:y=h-th-30"
                  % font)

    command = [
        "ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error",
        "-re", "-f", "lavfi", "-i", video,
        "-re", "-f", "lavfi", "-i",
        "sine=frequency=%d:beep_factor=2:sample_rate=44100" % channel.tone,
        "-map", "0:v", "-map", "1:a", "-threads", "1",
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
        "-pix_fmt", "yuv420p", "-b:v", "500k", "-maxrate", "500k",
        "-bufsize", "1000k", "-g", "30", "-keyint_min", "30",
        "-sc_threshold", "0", "-c:a", "aac", "-b:a", "64k",
        "-f", "hls", "-hls_time", "2", "-hls_list_size", "3",
        "-hls_delete_threshold", "5", "-hls_flags",
        "delete_segments+program_date_time+independent_segments+temp_file",
    ]

    if channel.kind == "fmp4":
        command += ["-hls_segment_type", "fmp4",
                    "-hls_fmp4_init_filename", "init.mp4",
                    "-hls_segment_filename", folder + "/%06d.m4s"]
    else:
        command += ["-hls_segment_filename", folder + "/%06d.ts"]

    return command + [folder + "/media.m3u8"]


class Platform:
    def __init__(self, root):
        self.root = root
        self.began = time.time()
        self.lives = int(self.began) % 10000000 * 10
        self.base = None

    def tick(self):
        """Starts and ends broadcasts; called by the main thread only, whose
        end is what the encoders watch."""
        for channel in CHANNELS:
            wanted = channel.wanted(time.time() - self.began)

            if channel.encoder and channel.encoder.poll() is not None:
                self.off(channel)

            if wanted and not channel.encoder:
                if time.time() - channel.started > 5:
                    self.on(channel)

            elif not wanted and channel.encoder:
                self.off(channel)

    def on(self, channel):
        self.lives += 1
        channel.started = channel.opened = time.time()
        channel.live_id = self.lives
        folder = os.path.join(self.root, channel.folder())
        os.makedirs(folder)
        channel.encoder = subprocess.Popen(
            encoder_command(channel, folder), stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent)

    def off(self, channel):
        folder = os.path.join(self.root, channel.folder())
        encoder, channel.encoder = channel.encoder, None
        encoder.terminate()

        try:
            encoder.wait(5)
        except subprocess.TimeoutExpired:
            encoder.kill()
            encoder.wait()

        channel.closed = time.time()

        # what was listed stays fetchable for a while
        timer = threading.Timer(30, shutil.rmtree, (folder, True))
        timer.daemon = True
        timer.start()

    # the API

    def status(self, c):
        on = c.ready(self.root)

        return {
            "liveTitle": c.title(), "status": "OPEN" if on else "CLOSE",
            "concurrentUserCount": c.viewers() if on else 0,
            "cvExposure": True, "accumulateCount": 0, "paidPromotion": False,
            "adult": False, "krOnlyViewing": False, "openDate": kst(c.opened),
            "closeDate": None if on else kst(c.closed), "clipActive": True,
            "chatChannelId": "N00000" if on else None, "tags": ["mntreamer"],
            "categoryType": "ETC", "liveCategory": c.category,
            "liveCategoryValue": c.category.replace("_", " "),
            "channelId": c.id, "faultStatus": None,
            "livePollingStatusJson": json.dumps(
                {"status": "STARTED", "isPublishing": True,
                 "playableStatus": "PLAYABLE", "trafficThrottling": -1,
                 "callPeriodMilliSecond": 10000}),
        }

    def detail(self, c):
        if not c.opened:
            return None

        d = self.status(c)
        del d["channelId"]
        d.update({
            "liveId": c.live_id, "liveImageUrl": None,
            "defaultThumbnailImageUrl": None, "livePlaybackJson": None,
            "timeMachineActive": False, "userAdultStatus": None,
            "blindType": None, "membershipBenefitType": "NONE",
            "channel": {"channelId": c.id, "channelName": c.name,
                        "channelImageUrl": None, "verifiedMark": False},
        })

        if d["status"] == "OPEN":
            d["livePlaybackJson"] = json.dumps(self.playback(c))

        return d

    def playback(self, c):
        opened = kst(c.opened).replace(" ", "T")

        return {
            "meta": {"videoId": "%036X" % c.live_id, "streamSeq": c.live_id,
                     "liveId": str(c.live_id), "paidLive": False,
                     "cdnInfo": {"cdnType": "LCDN"},
                     "playbackAuthType": "NONE"},
            "serviceMeta": {"contentType": "VIDEO"},
            "live": {"start": opened, "open": opened, "timeMachine": False,
                     "status": "STARTED"},
            "api": [],
            "media": [{
                "mediaId": "HLS", "protocol": "HLS",
                "path": "%s/media/%s/playlist.m3u8" % (self.base, c.folder()),
                "encodingTrack": [{
                    "encodingTrackId": "360p", "videoCodec": "H264",
                    "videoBitRate": 500000, "audioBitRate": 64000,
                    "videoFrameRate": "15.0", "videoWidth": 640,
                    "videoHeight": 360, "avoidReencoding": True}]}],
            "thumbnail": {}, "multiview": [],
        }

    def channel(self, c):
        return {"channelId": c.id if c else None,
                "channelName": c.name if c else "(알 수 없음)",
                "channelImageUrl": None, "verifiedMark": False,
                "channelType": "STREAMING" if c else "NORMAL",
                "channelDescription": "", "followerCount": 0,
                "openLive": bool(c and c.ready(self.root))}

    def answer(self, path, query):
        """HTTP status and body of a question to the API, or None."""
        match = re.fullmatch(
            r"/(?:(polling)/v[\d.]+/channels/(\w+)/live-status"
            r"|service/v[\d.]+/channels/(\w+)(/live-detail)?)", path)

        if match:
            cid = match[2] or match[3]
            c = next((c for c in CHANNELS if c.id == cid), None)

            if match[3] and not match[4]:
                return 200, envelope(self.channel(c))

            if not c:
                return 404, {"code": 404,
                             "message": "채널이 존재하지 않습니다."}

            return 200, envelope(self.status(c) if match[1]
                                 else self.detail(c))

        if path == "/service/v1/search/channels":
            word = query.get("keyword", [""])[0].casefold()
            hits = [{"channel": self.channel(c)} for c in CHANNELS
                    if word and word in c.name.casefold()]
            return 200, envelope({"size": len(hits), "page": None,
                                  "data": hits})

        return None

    def playlist(self, folder):
        c = next((c for c in CHANNELS if c.encoder and c.folder() == folder),
                 None)

        if not c:
            return None

        return ("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
                '#EXT-X-STREAM-INF:BANDWIDTH=640000,CODECS="avc1.42c01e,'
                'mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=15.00\n'
                "media.m3u8\n").encode()

    def media(self, path):
        """Type and body of a file of a broadcast, or None."""
        match = re.fullmatch(r"/media/([0-9a-f]{2}-\d+)/([\w]+(\.\w+))", path)

        if not match or match[3] not in TYPES:
            return None

        if match[2] == "playlist.m3u8":
            body = self.playlist(match[1])
        else:
            try:
                with open(os.path.join(self.root, match[1], match[2]),
                          "rb") as f:
                    body = f.read()
            except OSError:
                body = None

        return body and (TYPES[match[3]], body)


def envelope(content):
    return {"code": 200, "message": None, "content": content}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    platform = None
    timeout = 60

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        media = self.platform.media(url.path)

        if media:
            return self.reply(200, *media)

        answer = self.platform.answer(url.path,
                                      urllib.parse.parse_qs(url.query))

        if answer is None:
            return self.reply(404, "text/plain", b"not found\n")

        body = json.dumps(answer[1], ensure_ascii=False,
                          separators=(",", ":")).encode()
        self.reply(answer[0], "application/json", body)

    do_HEAD = do_GET

    def reply(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache, no-store, max-age=0")
        self.end_headers()

        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()

    parent = os.getppid()
    media = os.path.join(args.dir, "media")
    shutil.rmtree(media, True)
    os.makedirs(media)

    platform = Platform(media)
    Handler.platform = platform
    server = Server(("127.0.0.1", args.port), Handler)
    platform.base = "http://127.0.0.1:%d" % server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def end(*_):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

    with open(os.path.join(args.dir, "port.new"), "w") as f:
        print(server.server_address[1], file=f)

    os.replace(os.path.join(args.dir, "port.new"),
               os.path.join(args.dir, "port"))

    try:
        while os.getppid() == parent:
            platform.tick()
            time.sleep(0.5)
    finally:
        for channel in CHANNELS:
            if channel.encoder:
                channel.encoder.kill()

        shutil.rmtree(media, True)


if __name__ == "__main__":
    main()
