"""bench.py jobs: exports beside recordings.

How long the export of a recording takes against the same ffmpeg by hand and
against a copy of its bytes, in turns; and how late the worker's loop is
meanwhile, with channels being recorded, against the same without exports.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import bench

sys.path.insert(0, bench.TOP + "/t/lib")

import lab                                     # noqa: E402
from rtmp_bench import heavy                   # noqa: E402

SEGMENTS = 300
CHANNELS = 20
say, fmt, verdict = bench.say, bench.fmt, bench.verdict


def segments(directory):
    """of two seconds, 720p30, 3 Mbit/s; the directory"""
    clip = directory + "/heavy.flv"
    out = directory + "/bodies"
    os.mkdir(out)
    heavy(clip)
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-stream_loop",
                    str(SEGMENTS * 2 // 6), "-i", clip, "-c", "copy", "-t",
                    str(SEGMENTS * 2), "-f", "hls", "-hls_time", "2",
                    "-hls_list_size", "0", "-hls_segment_filename",
                    out + "/%d.ts", out + "/list.m3u8"], check=True)
    return out


def buckets(x):
    """{bound: count} of the heartbeats' lateness, of all workers"""
    out = {}
    for le, n in re.findall(
            r'^mntreamer_loop_lateness_seconds_bucket{[^}]*le="([^"]+)"[^}]*}'
            r" (\S+)", x.get("/metrics").body.decode(), re.M):
        le = float(le.replace("+Inf", "inf"))
        out[le] = out.get(le, 0) + float(n)
    return out


def p99(before, after):
    """the bound of the bucket that it is in"""
    total = after[float("inf")] - before[float("inf")]
    return next(le for le in sorted(after)
                if after[le] - before[le] >= 0.99 * total)


def export(box, x, recording):
    """seconds until it is there, and its file"""
    t = time.monotonic()
    r = x.call("POST", "/api/v1/recordings/%d/exports" % recording, {})
    job = r.json()["id"]

    def over():
        j = x.get("/api/v1/jobs/%d" % job).json()
        return j["state"] in ("done", "failed") and j

    j = box.until(over, "the export", 300, 0.02)
    if j["state"] != "done":
        raise SystemExit("the export failed: %s" % j["error"])
    took = time.monotonic() - t
    size = j["bytes"]
    x.call("DELETE", "/api/v1/jobs/%d" % job)
    box.until(lambda: x.get("/api/v1/jobs/%d" % job).status == 404, "it goes")
    return took, size


def by_hand(index, to):
    t = time.monotonic()
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", index,
                    "-c", "copy", "-movflags", "+faststart", "-f", "mp4", to],
                   check=True)
    subprocess.run(["sync", "-f", to], check=True)
    took = time.monotonic() - t
    os.unlink(to)
    return took


def copied(directory, to):
    t = time.monotonic()
    with open(to, "wb") as out:
        for n in sorted(os.listdir(directory)):
            if n.endswith(".ts"):
                with open(os.path.join(directory, n), "rb") as f:
                    shutil.copyfileobj(f, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
    took = time.monotonic() - t
    os.unlink(to)
    return took


def run(a):
    with lab.Lab(1, "bench") as box:
        pg, origin = box.postgres(), box.origin()
        origin.channel("long", live=True, manual=True, dur=2, target=2,
                       window=SEGMENTS, bodies=segments(box.dir))
        for i in range(CHANNELS):
            origin.channel("c%d" % i, live=True, dur=1, size=300000)
        x = box.nginx(pg, origin, workers=1, mntreamer="resume_window 1s;")
        x.up().watch("long")
        origin.tell("/_/advance/long", n=SEGMENTS)
        box.until(lambda: x.recordings()
                  and x.recordings()[0]["segments"] >= SEGMENTS - 1,
                  "the recording", 120)
        origin.channel("long", live=False, endlist=True)
        r = box.until(lambda: next(iter(x.recordings("&status=recorded")),
                                   None), "its end", 60)
        x.watch(*["c%d" % i for i in range(CHANNELS)])
        box.until(lambda: len(x.recordings("&status=recording")) == CHANNELS,
                  "the channels", 60)
        index = x.storage + r["url"][len("/recordings"):]
        say("jobs: a recording of %d segments, %d MB, beside %d that go on, "
            "one worker, %d rounds" % (r["segments"], r["bytes"] >> 20,
                                       CHANNELS, a.rounds))
        ours, hand, copy, late, quiet = [], [], [], [], []
        to = x.dir + "/by-hand.mp4"
        for i in range(a.rounds):
            bench.touch_memory()
            b = buckets(x)
            time.sleep(a.seconds)
            quiet.append(p99(b, buckets(x)))
            hand.append(by_hand(index, to))
            copy.append(copied(os.path.dirname(index), to))
            b = buckets(x)
            took, size = export(box, x, r["id"])
            late.append(p99(b, buckets(x)))
            ours.append(took)
        say("jobs: export %s, ffmpeg by hand %s, a copy of the bytes %s; "
            "%.0f MB/s" % (fmt(ours, " s"), fmt(hand, " s"), fmt(copy, " s"),
                           size / 1e6 / statistics.median(ours)))
        say("jobs: lateness of the loop p99, s: without exports %s, with %s"
            % (fmt(quiet), fmt(late)))
        ok = verdict("jobs: seconds of an export against ffmpeg by hand",
                     statistics.median(o / h for o, h in zip(ours, hand)), 1.5)
        ok &= verdict("jobs: lateness of the loop p99 meanwhile, s", max(late),
                      0.05)
        gaps = sum(v["gaps"] for v in x.recordings("&status=recording"))
        ok &= verdict("jobs: gaps of the recordings meanwhile", gaps, 0)
        return ok
