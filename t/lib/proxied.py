#!/usr/bin/env python3
"""Controls of the TCP proxy: each of its tricks, seen from both sides, towards
TCP and towards a unix socket.  Prints TAP."""

import socket
import threading
import time

import lab
from planted import Tap


class Echo(threading.Thread):
    """sends back what it gets; notes when its clients went away"""

    def __init__(self, path=None):
        super().__init__(daemon=True)
        self.s = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.s.bind(path or ("127.0.0.1", 0))
        self.s.listen(16)
        self.at = path or str(self.s.getsockname()[1])
        self.got = 0
        self.gone = []

    def run(self):
        while True:
            c, _ = self.s.accept()
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        try:
            while data := c.recv(65536):
                self.got += len(data)
                if data == b"bye":
                    break
                c.sendall(data)
            self.gone.append("closed")
        except OSError:
            self.gone.append("reset")
        c.close()


def connect(p):
    s = socket.create_connection(("127.0.0.1", p.port), timeout=5)
    return s


def read(s, n, timeout=5.0):
    """n bytes, less at the end of the stream, None when nothing comes"""
    out = b""
    s.settimeout(timeout)
    try:
        while len(out) < n:
            data = s.recv(n - len(out))
            if not data:
                return out
            out += data
    except socket.timeout:
        return out or None
    return out


def was_reset(s):
    s.settimeout(5)
    try:
        while s.recv(65536):
            pass
        return False
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


def passes(tap, p, echo, what):
    s = connect(p)
    s.sendall(b"x" * 100000)
    tap.ok(read(s, 100000) == b"x" * 100000, what + ": bytes pass")
    s.close()


def bytes_(tap, p, echo):
    p.set(latency=0.2)
    s = connect(p)
    t = time.monotonic()
    s.sendall(b"x")
    ok = read(s, 1) == b"x"
    tap.ok(ok and 0.39 < time.monotonic() - t < 2, "latency, each way")
    p.heal()

    p.set(rate=20000)
    t = time.monotonic()
    s.sendall(b"y" * 10000)
    ok = read(s, 10000) == b"y" * 10000
    tap.ok(ok and 0.4 < time.monotonic() - t < 2,
           "a rate, in a connection that is open")
    p.heal()

    p.set(dribble=0.05)
    t = time.monotonic()
    s.sendall(b"0123456789")
    first = s.recv(100)
    ok = read(s, 9) == b"123456789"
    tap.ok(first == b"0" and ok and time.monotonic() - t > 0.4, "a dribble")
    p.heal()

    p.set(one=1)
    s.sendall(b"z" * 300)
    tap.ok(read(s, 300) == b"z" * 300, "byte by byte")
    p.heal()
    s.close()


def ends(tap, p, echo):
    p.set(rst_after=1000)
    s = connect(p)
    s.sendall(b"x" * 5000)
    got = read_all(s)
    tap.ok(got == (1000, "reset") or got == (0, "reset"),
           "reset behind 1000 bytes: %s %s" % got)
    p.heal()

    p.set(cut_after=1000)
    s = connect(p)
    s.sendall(b"x" * 1000)
    got = read_all(s)
    tap.ok(got == (1000, "closed"), "closed behind 1000 bytes: %s %s" % got)
    p.heal()

    s = connect(p)
    s.sendall(b"a")
    read(s, 1)
    p.set(drop=True)
    tap.ok(was_reset(s), "what is open is dropped")

    p.set(lose="word")
    s = connect(p)
    s.sendall(b"a")
    ok = read(s, 1) == b"a"
    s.sendall(b"a word")
    tap.ok(ok and was_reset(s), "reset instead of a text")
    passes(tap, p, echo, "that is once")

    p.set(mode="rst")
    try:
        reset = was_reset(connect(p))
    except ConnectionResetError:
        reset = True
    tap.ok(reset, "accepted and reset")

    p.set(mode="refuse")
    try:
        connect(p)
        tap.ok(False, "refused")
    except ConnectionRefusedError:
        tap.ok(True, "refused")
    p.heal()
    passes(tap, p, echo, "after refusing")


def read_all(s):
    n = 0
    s.settimeout(5)
    try:
        while data := s.recv(65536):
            n += len(data)
        return n, "closed"
    except ConnectionResetError:
        return n, "reset"
    except socket.timeout:
        return n, "open"


def silence(tap, p, echo):
    s = connect(p)
    s.sendall(b"a")
    read(s, 1)
    p.set(mode="blackhole")
    before = echo.got
    s.sendall(b"x" * 100)
    nothing = read(s, 1, 0.3) is None
    new = connect(p)
    new.sendall(b"y")
    nothing = nothing and read(new, 1, 0.3) is None
    tap.ok(nothing and echo.got == before,
           "a black hole, for open and for new connections")
    p.heal()
    tap.ok(read(new, 1) == b"y", "a new connection is carried afterwards")
    s.sendall(b"z")
    tap.ok(read(s, 1) == b"z", "so is the old one; what went in is gone")

    p.set(mode="halfopen")
    s.sendall(b"bye")
    tap.ok(read(s, 1, 0.3) is None, "half open: the end is not told")
    p.heal()

    p.set(mode="stall")
    s = connect(p)
    s.sendall(b"q")
    nothing = read(s, 1, 0.3) is None
    p.heal()
    tap.ok(nothing and read(s, 1) == b"q", "stalled: late, not lost")


def main():
    tap = Tap()
    with lab.Lab(1, "proxied") as l:
        echo = Echo()
        echo.start()
        p = l.proxy(echo.at)
        passes(tap, p, echo, "tcp")
        bytes_(tap, p, echo)
        ends(tap, p, echo)
        silence(tap, p, echo)
        c = p.counted()
        tap.ok(c["accepted"] >= 8 and c["resets"] >= 3 and c["bytes"] > 200000,
               "it counted")

        try:
            p.set(mode="nonsense")
            tap.ok(False, "what it does not know is refused")
        except ValueError:
            tap.ok(True, "what it does not know is refused")

        unix = Echo(l.dir + "/echo")
        unix.start()
        p = l.proxy(unix.at, l.dir + "/front")
        s = socket.socket(socket.AF_UNIX)
        s.connect(p.at)
        s.sendall(b"x" * 1000)
        tap.ok(read(s, 1000) == b"x" * 1000, "between unix sockets")
    print("1..%d" % tap.n)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
