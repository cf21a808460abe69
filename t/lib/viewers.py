#!/usr/bin/env python3
"""Viewers of a running nginx: each reads a playlist and some of its segments
again and again, as a player does, and looks whether the answers are whole.

  viewers.py PORT NUMBER SEED PAUSE

Reads lines of JSON, lists of playlists' paths, from its input; at the end of
the input it prints what it has seen, as JSON.  Half of the viewers keep their
connection.  A request on a kept one that is closed without a byte of an answer
is sent again on a new one, as RFC 9112 9.3.1 says, and counted apart."""

import asyncio
import json
import random
import re
import sys

TIMEOUT = 10


class Seen:
    def __init__(self):
        self.requests = self.again = self.bytes = 0
        self.failed = {}
        self.paths = []

    def fail(self, what):
        self.failed[what] = self.failed.get(what, 0) + 1


class Refused(Exception):
    """an answer that no viewer may get"""


class Viewer:
    def __init__(self, port, seen, rng, keep, pause):
        self.port = port
        self.seen = seen
        self.rng = rng
        self.keep = keep
        self.pause = pause
        self.conn = None

    def close(self):
        if self.conn:
            self.conn[1].close()
            self.conn = None

    async def once(self, path):
        """the body; None: a kept connection was closed in the meantime"""
        kept = self.conn is not None
        if not kept:
            self.conn = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.conn
        head = b""
        try:
            writer.write(("GET %s HTTP/1.1\r\nHost: a\r\nConnection: %s\r\n\r\n"
                          % (path, "keep-alive" if self.keep
                             else "close")).encode())
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError) as e:
            self.close()
            if kept and not getattr(e, "partial", b""):
                return None
            raise
        status = int(head.split(b" ", 2)[1])
        m = re.search(rb"\r\nContent-Length: (\d+)", head)
        body = await reader.readexactly(int(m.group(1))) if m \
            else await reader.read()
        if not self.keep or b"\r\nConnection: close" in head:
            self.close()
        if status != 200:
            raise Refused("status %d" % status)
        return body

    async def get(self, path):
        self.seen.requests += 1
        try:
            async with asyncio.timeout(TIMEOUT):
                body = await self.once(path)
                if body is None:
                    self.seen.again += 1
                    body = await self.once(path)
                self.seen.bytes += len(body)
                return body
        except (OSError, asyncio.IncompleteReadError, TimeoutError,
                Refused) as e:
            self.close()
            self.seen.fail("%s: %s" % (type(e).__name__, e))
            return None

    async def play(self):
        while not self.seen.paths:
            await asyncio.sleep(0.05)
        await asyncio.sleep(self.rng.uniform(0, self.pause))
        while True:
            path = self.rng.choice(self.seen.paths)
            body = await self.get(path)
            if body is not None:
                await self.segments(path, body)
            await asyncio.sleep(self.rng.uniform(0.5, 1.5) * self.pause)

    async def segments(self, path, body):
        text = body.decode()
        if not text.startswith("#EXTM3U\n") or not text.endswith("\n"):
            self.seen.fail("half a playlist")
            return
        uris = [u for u in text.split("\n") if u and u[0] != "#"]
        for uri in uris[-1:] + self.rng.sample(uris, min(1, len(uris))):
            await self.get(path.rsplit("/", 1)[0] + "/" + uri)


async def main():
    port, number, seed = (int(v) for v in sys.argv[1:4])
    seen = Seen()
    rng = random.Random(seed)
    tasks = [asyncio.create_task(
        Viewer(port, seen, random.Random(rng.random()), i % 2 == 0,
               float(sys.argv[4])).play()) for i in range(number)]
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        line = await reader.readline()
        if not line:
            break
        seen.paths = json.loads(line)
    for t in tasks:
        t.cancel()
    for r in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(r, Exception):
            seen.fail("viewer: %r" % r)
    print(json.dumps({"requests": seen.requests, "again": seen.again,
                      "bytes": seen.bytes, "failed": seen.failed}))


asyncio.run(main())
