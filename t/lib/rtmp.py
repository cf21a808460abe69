#!/usr/bin/env python3
"""Publishers by RTMP that no encoder is: many at once, with timestamps as
wanted, or such that misbehave.

  rtmp.py play [OPTION...] FLV URL...

sends an FLV file in real time to each URL, again and again, all from this
process.  Each prints "on N" when it is admitted and "off N why" when it is
closed.  SIGTERM stops all of them as an encoder stops.

  --base MS       the timestamp of the first frame
  --jump S:MS     after S seconds all timestamps are by so much larger
  --skip A:B      nothing is sent of what belongs between these seconds
  --only video    or audio: the other one is left out
  --meta JSON     what onMetaData has besides, a file's own is not sent then
  --then FLV      what follows it instead of it again (once, then this one)
  --seconds S     ends by itself
  --mute S        sends nothing more after S seconds and stays
  --burst N       so many seconds are sent at once at the beginning

  rtmp.py bad [--wait S] [--at-once N] KIND URL [KIND URL...]

does what nobody should, and prints "KIND closed" when the server closes the
connection and "KIND open" when it has not within five seconds.  With --list
it prints all kinds.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import signal
import struct
import sys
import time
from urllib.parse import urlsplit

CHUNK = 4096
AUDIO, VIDEO, DATA, COMMAND = 8, 9, 18, 20
NULL = object()


def number(v):
    return b"\0" + struct.pack(">d", v)


def string(v):
    v = v.encode()
    if len(v) > 65535:
        return b"\x0c" + struct.pack(">I", len(v)) + v
    return b"\x02" + struct.pack(">H", len(v)) + v


def amf(*values):
    out = b""
    for v in values:
        if v is NULL:
            out += b"\x05"
        elif isinstance(v, bool):
            out += b"\x01" + bytes([v])
        elif isinstance(v, (int, float)):
            out += number(v)
        elif isinstance(v, str):
            out += string(v)
        elif isinstance(v, bytes):
            out += v
        else:
            out += b"\x03" + b"".join(string(k)[1:] + amf(x)
                                      for k, x in v.items()) + b"\0\0\x09"
    return out


class Client:
    def __init__(self, url):
        u = urlsplit(url)
        app, _, name = u.path.lstrip("/").partition("/")
        self.host, self.port = u.hostname, u.port or 1935
        self.app = app
        self.name = name + ("?" + u.query if u.query else "")
        self.tc = "rtmp://%s:%d/%s" % (self.host, self.port, app)
        self.chunk = 128
        self.peer_chunk = 128
        self.seen = {}              # messages under way, by chunk stream

    async def handshake(self, half=False):
        self.r, self.w = await asyncio.open_connection(self.host, self.port)
        c1 = bytes(8) + os.urandom(1528)
        self.w.write(b"\x03" + (c1[:700] if half else c1))
        if not half:
            s = await self.r.readexactly(1 + 2 * 1536)
            self.w.write(s[1:1537])

    def send(self, kind, body, ts=0, stream=0, csid=3, length=None):
        ts &= 0xffffffff
        ext = struct.pack(">I", ts) if ts >= 0xffffff else b""
        out = [bytes([csid]), min(ts, 0xffffff).to_bytes(3, "big"),
               (len(body) if length is None else length).to_bytes(3, "big"),
               bytes([kind]), struct.pack("<I", stream), ext]
        for i in range(0, max(1, len(body)), self.chunk):
            if i:
                out.append(bytes([0xc0 | csid]) + ext)
            out.append(body[i:i + self.chunk])
        if self.w.transport.is_closing():
            raise ConnectionError("closed")
        self.w.write(b"".join(out))

    async def message(self):
        """what the server says next: (kind, body)"""
        while True:
            b = (await self.r.readexactly(1))[0]
            fmt, csid = b >> 6, b & 63
            m = self.seen.setdefault(csid, {"got": b"", "len": 0, "kind": 0})
            if fmt < 3:
                h = await self.r.readexactly((11, 7, 3)[fmt])
                if fmt < 2:
                    m["len"], m["kind"] = int.from_bytes(h[3:6], "big"), h[6]
                if h[:3] == b"\xff\xff\xff":
                    await self.r.readexactly(4)
            n = min(self.peer_chunk, m["len"] - len(m["got"]))
            m["got"] += await self.r.readexactly(n)
            if len(m["got"]) < m["len"]:
                continue
            body, m["got"] = m["got"], b""
            if m["kind"] == 1:
                self.peer_chunk = int.from_bytes(body, "big")
                continue
            return m["kind"], body

    async def result(self, word):
        while True:
            kind, body = await self.message()
            if kind == COMMAND and word in body:
                return body

    def set_chunk(self, size=CHUNK):
        self.send(1, struct.pack(">I", size), csid=2)
        if 0 < size < 1 << 24:
            self.chunk = size

    async def connect(self):
        self.set_chunk()
        self.send(COMMAND, amf("connect", 1, {
            "app": self.app, "type": "nonprivate", "flashVer": "FMLE/3.0",
            "tcUrl": self.tc}))
        await self.result(b"NetConnection")
        self.send(COMMAND, amf("createStream", 2, NULL))
        await self.result(b"_result")

    async def publish(self):
        self.send(COMMAND, amf("publish", 3, NULL, self.name, "live"),
                  stream=1, csid=8)
        body = await self.result(b"NetStream")
        if b"NetStream.Publish.Start" not in body:
            raise ConnectionError("not started")

    def stop(self):
        self.send(COMMAND, amf("deleteStream", 4, NULL, 1))


def tags(path):
    """of an FLV file: (kind, ms, body)"""
    with open(path, "rb") as f:
        data = f.read()
    p = 13
    out = []
    while p + 11 <= len(data):
        size = int.from_bytes(data[p + 1:p + 4], "big")
        ms = int.from_bytes(data[p + 4:p + 7], "big") | data[p + 7] << 24
        out.append((data[p], ms, data[p + 11:p + 11 + size]))
        p += 15 + size
    return out


def is_head(kind, body):
    return (kind == VIDEO and body[1] == 0 and body[0] & 15 == 7
            or kind == AUDIO and body[0] >> 4 == 10 and body[1] == 0)


def frames(files):
    """without end: (ms since the beginning, kind, body)"""
    base = 0
    for i, path in enumerate(files + files[-1:]):
        first = i == 0 or path != files[i - 1]
        whole = tags(path)
        step = max(t[1] for t in whole) + 40
        while True:
            for kind, ms, body in whole:
                if kind == DATA or is_head(kind, body) and not first:
                    continue
                yield base + ms, kind, body
            base += step
            first = False
            if i < len(files):
                break


def span(text):
    a, b = text.split(":")
    return float(a), float(b)


async def drain(c):
    while await c.r.read(65536):
        pass
    raise ConnectionError("closed")


async def send_all(c, a):
    files = [a.flv] + ([a.then] if a.then else [])
    begin = time.monotonic()
    if a.meta:
        c.send(DATA, amf("@setDataFrame", "onMetaData", json.loads(a.meta)),
               stream=1, csid=4)
    for ms, kind, body in frames(files):
        s = ms / 1000
        if a.only and kind != {"video": VIDEO, "audio": AUDIO}[a.only]:
            continue
        if a.seconds and s >= a.seconds:
            return
        if a.mute and s >= a.mute:
            await asyncio.sleep(3600)
        if a.skip and a.skip[0] <= s < a.skip[1]:
            continue
        wait = begin + s - a.burst - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        ts = ms + a.base
        if a.jump and s >= a.jump[0]:
            ts += int(a.jump[1])
        c.send(kind, body, ts, 1, 4 if kind == VIDEO else 6)
        await c.w.drain()


async def play_one(n, url, a, stop):
    why = "stopped"
    try:
        c = Client(url)
        await c.handshake()
        await c.connect()
        await c.publish()
        print("on", n, "%.3f" % time.time(), flush=True)
        work = [asyncio.ensure_future(x) for x in
                (send_all(c, a), drain(c), stop.wait())]
        done, _ = await asyncio.wait(work,
                                     return_when=asyncio.FIRST_COMPLETED)
        for t in work:
            t.cancel()
        for t in done:
            t.result()
        c.stop()
        await c.w.drain()
        c.w.close()
        await c.w.wait_closed()
    except (OSError, asyncio.IncompleteReadError) as e:
        why = str(e) or type(e).__name__
    print("off", n, why, flush=True)


async def play(a):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await asyncio.gather(*[play_one(n, url, a, stop)
                           for n, url in enumerate(a.urls)])


# what nobody should do: each has shaken hands, unless it says otherwise

def nested(n, kind=b"\x03"):
    """n objects, or arrays, in each other"""
    if kind == b"\x0a":
        return b"\x0a\0\0\0\1" * n + b"\x05"
    head = kind + (b"\0\0\0\1" if kind == b"\x08" else b"")
    return (head + b"\0\1a") * n + b"\x05" + b"\0\0\x09" * n


def command(name, body):
    async def do(c):
        c.set_chunk(65536)
        c.send(COMMAND, amf(name, 1) + body)
    return do


def sized(size):
    async def do(c):
        c.set_chunk(size)
        c.send(COMMAND, amf("connect", 1, {"app": c.app, "tcUrl": c.tc}))
    return do


async def noise(c):
    c.w.write(random.Random(1).randbytes(65536))


async def many_streams(c):
    for csid in range(2, 64):
        c.w.write(bytes([csid]) + bytes(3) + (4096).to_bytes(3, "big")
                  + bytes([COMMAND]) + bytes(4) + bytes(100))


async def large(c):
    c.send(COMMAND, bytes(60000), length=0xffffff)


async def shorter(c):
    """a message that is begun anew with another length"""
    c.w.write(b"\x03" + bytes(3) + (5000).to_bytes(3, "big") + b"\x14"
              + bytes(4) + bytes(128))
    c.w.write(b"\x03" + bytes(3) + (10).to_bytes(3, "big") + b"\x14"
              + bytes(4) + bytes(128))


async def continued(c):
    c.w.write(b"\xff" * 4096)


async def calls(c):
    """thousands of calls of nothing, and of the same"""
    await c.connect()
    for i in range(3000):
        c.send(COMMAND, amf("createStream", i, NULL))
        c.send(COMMAND, amf("x" * 200, i, NULL))
        await c.w.drain()


def after(act):
    """it is admitted first"""
    async def do(c):
        await c.connect()
        await c.publish()
        await act(c)
    return do


def tag(kind, body, ts=0):
    async def act(c):
        c.send(kind, body, ts, 1, 4)
    return act


async def media(c):
    rnd = random.Random(2)
    for i in range(400):
        c.send(rnd.choice((AUDIO, VIDEO, DATA)),
               rnd.randbytes(rnd.randrange(0, 300)), i * 20, 1, 4)


async def heads(c):
    """sequence headers of all lengths, with what is to be read of them"""
    rnd = random.Random(3)
    for i in range(300):
        n = rnd.randrange(0, 40)
        c.send(VIDEO, b"\x17\0\0\0\0\x01" + rnd.randbytes(n), i, 1, 4)
        c.send(AUDIO, b"\xaf\0" + rnd.randbytes(n % 8), i, 1, 6)
        c.send(VIDEO, b"\x17\x01\0\0\0" + rnd.randbytes(n), i, 1, 4)
        c.send(AUDIO, b"\xaf\1" + rnd.randbytes(n), i, 1, 6)
        await c.w.drain()


async def nals(c):
    """lengths of NAL units that lead behind the frame"""
    c.send(VIDEO, bytes.fromhex("1700000000" "0142c00affe1000a6742c00a"
                                "da0f0a69000001000468ce3c80"), 0, 1, 4)
    for n in (0, 1, 0x7fffffff, 0xffffffff, 0x80000000):
        for size in (0, 1, 3, 4, 5, 100):
            c.send(VIDEO, b"\x17\x01\0\0\0" + struct.pack(">I", n)
                   + bytes(size), 40, 1, 4)


async def again(c):
    for _ in range(20):
        c.send(COMMAND, amf("publish", 5, NULL, c.name, "live"), stream=1,
               csid=8)


async def playing(c):
    c.send(COMMAND, amf("play", 5, NULL, "x" * 300), stream=1, csid=8)
    c.send(COMMAND, amf("seek", 6, NULL, -1e300), stream=1, csid=8)
    c.send(COMMAND, amf("pause", 7, NULL, True, 1e300), stream=1, csid=8)


async def nothing(c):
    pass


BAD = {
    "silence": None, "half": None, "raw": None, "http": None,
    "noise": noise,
    "chunk-0": sized(0), "chunk-1": sized(1), "chunk-16m": sized(0xfffffe),
    "chunk-2g": sized(0x7fffffff), "chunk-4g": sized(0xffffffff),
    "many-streams": many_streams, "large": large, "shorter": shorter,
    "continued": continued, "calls": calls,
    "amf-cut": command("connect", b"\x03\0\x05ab"),
    "amf-string": command("connect", b"\x0c\xff\xff\xff\xffab"),
    "amf-types": command("connect", bytes(range(256)) * 4),
    "amf-array": command("connect", b"\x0a\xff\xff\xff\xff" + b"\x05" * 99),
    "nested-100": command("connect", nested(100)),
    "nested-objects": command("connect", nested(150000)),
    "nested-maps": command("connect", nested(100000, b"\x08")),
    "nested-arrays": command("connect", nested(190000, b"\x0a")),
    "admitted-noise": after(noise), "admitted-media": after(media),
    "admitted-heads": after(heads), "admitted-nals": after(nals),
    "admitted-again": after(again), "admitted-playing": after(playing),
    "admitted-empty": after(tag(VIDEO, b"")),
    "admitted-nested": after(tag(DATA, amf("@setDataFrame", "onMetaData")
                                 + nested(150000))),
    "admitted-aggregate": after(tag(22, random.Random(4).randbytes(3000))),
    "admitted-silent": after(nothing),
}


async def bad_one(kind, url, wait):
    c = Client(url)
    try:
        if kind in ("silence", "raw", "http"):
            c.r, c.w = await asyncio.open_connection(c.host, c.port)
            c.w.write({"raw": random.Random(5).randbytes(65536),
                       "http": b"POST /rtmp HTTP/1.1\r\nHost: x\r\n\r\n"
                               + b"a=b&" * 2000}.get(kind, b""))
        else:
            await c.handshake(half=kind == "half")
            if BAD[kind]:
                await BAD[kind](c)
        work = asyncio.ensure_future(drain(c))
        done, _ = await asyncio.wait([work], timeout=wait)
        print(kind, "closed" if done else "open", flush=True)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    except (OSError, asyncio.IncompleteReadError):
        print(kind, "closed", flush=True)


async def bad(a):
    for n in range(0, len(a.what_and_where), a.at_once * 2):
        pairs = a.what_and_where[n:n + a.at_once * 2]
        await asyncio.gather(*[bad_one(kind, url, a.wait) for kind, url
                               in zip(pairs[::2], pairs[1::2])])


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawTextHelpFormatter)
    sub = ap.add_subparsers(dest="what", required=True)
    p = sub.add_parser("play")
    p.add_argument("--base", type=int, default=0)
    p.add_argument("--jump", type=span)
    p.add_argument("--skip", type=span)
    p.add_argument("--only", choices=["video", "audio"])
    p.add_argument("--meta")
    p.add_argument("--then")
    p.add_argument("--seconds", type=float)
    p.add_argument("--mute", type=float)
    p.add_argument("--burst", type=float, default=0)
    p.add_argument("flv")
    p.add_argument("urls", nargs="+")
    p = sub.add_parser("bad")
    p.add_argument("--list", action="store_true")
    p.add_argument("--wait", type=float, default=5)
    p.add_argument("--at-once", type=int, default=100)
    p.add_argument("what_and_where", metavar="KIND URL", nargs="*")
    a = ap.parse_args()
    if a.what == "bad" and a.list:
        print("\n".join(BAD))
        return 0
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    asyncio.run(play(a) if a.what == "play" else bad(a))
    return 0


if __name__ == "__main__":
    sys.exit(main())
