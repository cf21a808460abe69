"""bench.py live: a playlist of ten hours while it grows.

What a reload costs the worker and how many bytes it is: of the whole, of a
delta update, and of a window, each with 1,000 connections, in turns.  Then
1,000 players that follow it by waiting for each next segment: how long after it
was appended they have it, and what that costs.
"""

import asyncio
import os
import re
import resource
import statistics
import subprocess
import threading
import time

import bench

PLAYERS = 1000
ENTRIES = 18000
SEGMENT = 2                     # s
say, fmt, verdict = bench.say, bench.fmt, bench.verdict


class Recording:
    """its playlist, as the recorder writes it"""

    def __init__(self, x):
        directory = x.dir + "/storage/chzzk/c/2026/01/01/1"
        os.makedirs(directory)
        self.file = open(directory + "/index.m3u8", "ab", buffering=0)
        self.path = "/recordings/chzzk/c/2026/01/01/1/index.m3u8"
        self.n = 0
        self.file.write(b"#EXTM3U\n#EXT-X-VERSION:6\n"
                        b"#EXT-X-TARGETDURATION:%d\n"
                        b"#EXT-X-MEDIA-SEQUENCE:0\n"
                        b"#EXT-X-PLAYLIST-TYPE:EVENT\n" % SEGMENT)
        self.file.write(b"".join(self.entry() for _ in range(ENTRIES)))
        self.bytes = os.fstat(self.file.fileno()).st_size

    def entry(self):
        self.n += 1
        return (b"#EXT-X-PROGRAM-DATE-TIME:2026-01-01T%02d:%02d:%02d.000Z\n"
                b"#EXTINF:%d.000000,\n%06d.ts\n"
                % (self.n * SEGMENT // 3600 % 24, self.n * SEGMENT // 60 % 60,
                   self.n * SEGMENT % 60, SEGMENT, self.n))

    def append(self):
        self.file.write(self.entry())


def load(x, path, seconds):
    """CPU microseconds of the worker and bytes, of each reload"""
    c0 = bench.proc_cpu(x.worker)
    out = subprocess.run(["wrk", "-t1", "-c%d" % PLAYERS, "-d%ds" % seconds,
                          "--timeout", "30s", "http://127.0.0.1:%d%s"
                          % (x.port, path)],
                         check=True, stdout=subprocess.PIPE).stdout.decode()
    c1 = bench.proc_cpu(x.worker)
    if re.search(r"Non-2xx|Socket errors", out):
        raise SystemExit("wrk: errors from %s\n%s" % (path, out))
    m = re.search(r"(\d+) requests in \S+, ([\d.]+)([KMGT]?)B read", out)
    n = int(m.group(1))
    size = float(m.group(2)) * 1024 ** " KMGT".index(m.group(3) or " ")
    return (c1 - c0) * 1e6 / n, size / n


async def player(x, rec, first, rounds, appended, delays):
    r, w = await asyncio.open_connection("127.0.0.1", x.port)
    for n in range(first, first + rounds):
        w.write(b"GET %s?_HLS_msn=%d&_HLS_skip=YES HTTP/1.1\r\nHost: x\r\n"
                b"User-Agent: bench\r\n\r\n" % (rec.path.encode(), n))
        head = await r.readuntil(b"\r\n\r\n")
        body = await r.readexactly(int(re.search(rb"Content-Length: (\d+)",
                                                 head).group(1)))
        if b" 200 " not in head[:15] or not body.endswith(b"%06d.ts\n"
                                                          % (n + 1)):
            raise SystemExit("a player got %r" % (head + body[-100:]))
        delays.append(time.monotonic() - appended[n])
    w.close()


async def follow(x, rec, rounds):
    """delays, and CPU microseconds of the worker for each reload"""
    first, appended, delays = rec.n, {}, []
    tasks = [asyncio.create_task(player(x, rec, first, rounds, appended,
                                        delays)) for _ in range(PLAYERS)]
    await asyncio.sleep(SEGMENT)
    c0 = bench.proc_cpu(x.worker)
    for n in range(first, first + rounds):
        appended[n] = time.monotonic()
        rec.append()
        await asyncio.sleep(SEGMENT)
    await asyncio.gather(*tasks)
    return delays, (bench.proc_cpu(x.worker) - c0) * 1e6 / len(delays)


def run(a):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    pg = bench.Postgres()
    x = None
    ok = True
    over = threading.Event()
    try:
        x = bench.Nginx(pg)
        rec = Recording(x)
        subprocess.run(["chmod", "-R", "a+rX", x.dir + "/storage"], check=True)
        x.wait(lambda: x.get(rec.path), 10, "the playlist")

        def grow():
            while not over.wait(SEGMENT):
                rec.append()

        grower = threading.Thread(target=grow)
        grower.start()
        views = {"plain": "", "delta": "?_HLS_skip=YES", "window": "?window=60"}
        runs = {v: [] for v in views}
        for i in range(a.rounds):
            for v in sorted(views, reverse=i % 2):
                runs[v].append(load(x, rec.path + views[v], a.seconds))
        over.set()
        grower.join()
        for v in views:
            say("live %s: CPU of the worker for a reload %s, bytes %.0f"
                % (v, fmt([r[0] for r in runs[v]], " us"),
                   statistics.median(r[1] for r in runs[v])))
        for v in ("delta", "window"):
            ratio = [r[0] / p[0] for r, p in zip(runs[v], runs["plain"])]
            ok &= verdict("live %s: CPU of a reload against plain" % v,
                          statistics.median(ratio), 0.2)
        ok &= verdict("live delta: bytes of a reload",
                      max(r[1] for r in runs["delta"]), 2048)
        delays, cpu = asyncio.run(follow(x, rec, 8))
        delays.sort()
        say("live: %d players that wait for each segment: CPU of a reload "
            "%.3g us, after %.3g ms (median), %.3g ms (the last of all)"
            % (PLAYERS, cpu, statistics.median(delays) * 1e3,
               delays[-1] * 1e3))
        ok &= verdict("live: from the append to 99 of 100 players, s",
                      delays[len(delays) * 99 // 100], 0.5)
    finally:
        over.set()
        if x:
            x.stop()
        pg.stop()
    return ok
