#!/usr/bin/env python3
"""Proxies of the tests.

  proxy.py --port N --name NAME --log FILE [--parent PID]

forwards HTTP requests with an absolute address and tunnels CONNECT, noting a
line for each request.  What it forwards has "Via: NAME".

  proxy.py --listen WHERE --to WHERE --control PORT [--parent PID]

carries any TCP, and misbehaves as it is told.  WHERE is a port of 127.0.0.1 or
the path of a unix socket.  The control port takes one JSON object a line, any
of the settings below, and answers each with what it counted.  A setting holds
for connections that are open, too, and for each of their bytes from then on.

  mode     "pass"
           "refuse"     nobody listens
           "rst"        connections are accepted and reset
           "blackhole"  accepted, but no byte goes either way
           "stall"      no byte is read from either side, buffers fill up
           "halfopen"   when one side closes the other one is not told
  latency  seconds that each block waits, either way
  rate     bytes a second of a connection, towards the client
  dribble  seconds behind each single byte towards the client
  rst_after  resets a connection when the client got so many bytes of it
  cut_after  closes it cleanly then
  one      bytes that are forwarded at once, either way; 0 for any
  lose     a text: the first block towards the client that holds it is not
           delivered, its connection is reset; once
  drop     true: resets all connections that are open, once
"""

import argparse
import asyncio
import json
import os
import socket
import struct
from urllib.parse import urlsplit


class Proxy:
    """of HTTP"""

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


class Connection:
    """two sockets and the bytes that went from the server to the client"""

    def __init__(self, client, server):
        self.client = client
        self.server = server
        self.sent = 0

    def reset(self):
        for s in (self.client, self.server):
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            except OSError:
                pass
            s.close()

    def close(self):
        self.client.close()
        self.server.close()


class Tcp:
    SETTINGS = {"mode": "pass", "latency": 0.0, "rate": 0, "dribble": 0.0,
                "rst_after": 0, "cut_after": 0, "one": 0, "lose": ""}
    MODES = ("pass", "refuse", "rst", "blackhole", "stall", "halfopen")

    def __init__(self, listen, to):
        self.listen_at = listen
        self.to = to
        self.set = dict(self.SETTINGS)
        self.changed = asyncio.Event()
        self.listener = None
        self.accepting = None
        self.open = set()
        self.tasks = set()
        self.accepted = self.resets = self.bytes = 0

    @staticmethod
    def family(where):
        return socket.AF_UNIX if "/" in where else socket.AF_INET

    @staticmethod
    def address(where):
        return where if "/" in where else ("127.0.0.1", int(where))

    def listen(self):
        if self.listener:
            return
        s = socket.socket(self.family(self.listen_at))
        if "/" in self.listen_at:
            if os.path.exists(self.listen_at):
                os.unlink(self.listen_at)
        else:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(self.address(self.listen_at))
        if "/" in self.listen_at:
            os.chmod(self.listen_at, 0o777)
        s.listen(512)
        s.setblocking(False)
        self.listener = s
        self.accepting = asyncio.ensure_future(self.accept(s))

    def unlisten(self):
        if self.listener:
            self.accepting.cancel()
            self.listener.close()
            self.listener = None

    async def accept(self, s):
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(s)
            self.accepted += 1
            task = asyncio.ensure_future(self.serve(client))
            self.tasks.add(task)               # the loop itself forgets them
            task.add_done_callback(self.tasks.discard)

    async def serve(self, client):
        loop = asyncio.get_running_loop()
        client.setblocking(False)
        server = socket.socket(self.family(self.to))
        server.setblocking(False)
        c = Connection(client, server)
        self.open.add(c)
        try:
            if self.set["mode"] == "rst":
                self.reset(c)
                return
            await self.passable()
            await loop.sock_connect(server, self.address(self.to))
            await asyncio.gather(self.pump(c, client, server, False),
                                 self.pump(c, server, client, True))
        except (OSError, ValueError):
            c.close()
        finally:
            self.open.discard(c)

    async def passable(self):
        """returns when bytes may go"""
        while self.set["mode"] in ("blackhole", "stall"):
            self.changed.clear()
            await self.changed.wait()

    def reset(self, c):
        self.resets += 1
        loop = asyncio.get_running_loop()
        for s in (c.client, c.server):
            if s.fileno() >= 0:
                loop.remove_reader(s)
                loop.remove_writer(s)
        c.reset()

    async def pump(self, c, source, sink, down):
        loop = asyncio.get_running_loop()
        while True:
            if self.set["mode"] == "stall":
                await self.passable()
            data = await loop.sock_recv(source, self.set["one"] or 65536)
            if self.set["mode"] == "blackhole":
                if data:
                    continue                   # swallowed
                await self.passable()
            if not data:
                if self.set["mode"] == "halfopen":
                    return                     # nobody is told
                try:
                    sink.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                return
            if self.set["latency"]:
                await asyncio.sleep(self.set["latency"])
            if not await self.forward(loop, c, sink, data, down):
                return

    async def forward(self, loop, c, sink, data, down):
        if not down:
            await loop.sock_sendall(sink, data)
            return True
        if self.set["lose"] and self.set["lose"].encode() in data:
            self.set["lose"] = ""
            self.reset(c)
            return False
        while data:
            n = len(data)
            if self.set["dribble"]:
                n = 1
            elif self.set["rate"]:
                n = min(n, max(1, self.set["rate"] // 20))
            for limit in ("rst_after", "cut_after"):
                if self.set[limit]:
                    n = min(n, max(1, self.set[limit] - c.sent))
            await loop.sock_sendall(sink, data[:n])
            c.sent += n
            self.bytes += n
            data = data[n:]
            if self.set["rst_after"] and c.sent >= self.set["rst_after"]:
                self.reset(c)
                return False
            if self.set["cut_after"] and c.sent >= self.set["cut_after"]:
                c.close()
                return False
            if self.set["dribble"]:
                await asyncio.sleep(self.set["dribble"])
            elif self.set["rate"]:
                await asyncio.sleep(n / self.set["rate"])
        return True

    def change(self, d):
        if d.pop("drop", False):
            for c in list(self.open):
                self.reset(c)
        for k, v in d.items():
            if k not in self.SETTINGS or (k == "mode" and v not in self.MODES):
                raise ValueError("there is no %s %r" % (k, v))
            self.set[k] = v
        if self.set["mode"] == "refuse":
            self.unlisten()
        else:
            self.listen()
        self.changed.set()
        return {"accepted": self.accepted, "open": len(self.open),
                "resets": self.resets, "bytes": self.bytes, **self.set}

    async def control(self, reader, writer):
        while line := await reader.readline():
            try:
                out = self.change(json.loads(line))
            except (ValueError, OSError) as e:
                out = {"error": str(e)}
            writer.write(json.dumps(out).encode() + b"\n")
            await writer.drain()
        writer.close()


async def watch(parent):
    while True:
        await asyncio.sleep(1)
        try:
            os.kill(parent, 0)
        except OSError:
            os._exit(0)


async def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--port", type=int)
    ap.add_argument("--name")
    ap.add_argument("--log")
    ap.add_argument("--listen")
    ap.add_argument("--to")
    ap.add_argument("--control", type=int)
    ap.add_argument("--parent", type=int, default=os.getppid())
    a = ap.parse_args()

    if a.listen:
        tcp = Tcp(a.listen, a.to)
        tcp.listen()
        server = await asyncio.start_server(tcp.control, "127.0.0.1",
                                            a.control)
    else:
        proxy = Proxy(a.name, a.log)
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", a.port)
    async with server:
        if a.listen:
            print("ready", flush=True)
        await watch(a.parent)


asyncio.run(main())
