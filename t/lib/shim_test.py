"""The negative control of the shim: each call that it is told to harm is
harmed, is counted, and no other is.  Prints TAP."""

import ctypes
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import shim


def calls(d):
    """one of each, in the directory d: {name: call of it}"""
    libc = ctypes.CDLL(None, use_errno=True)
    jansson = ctypes.CDLL("libjansson.so.4")
    jansson.json_object.restype = ctypes.c_void_p
    fd = os.open(d + "/file", os.O_RDWR | os.O_CREAT)
    top = os.open(d, os.O_RDONLY)
    os.write(fd, b"x" * 100)

    def openat2():
        how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
        if libc.syscall(437, top, b"file", how, 24) < 0:
            raise OSError(ctypes.get_errno(), "openat2")

    def pwritev():
        iov = (ctypes.c_void_p * 4)(
            ctypes.cast(b"1234", ctypes.c_void_p).value, 4,
            ctypes.cast(b"5678", ctypes.c_void_p).value, 4)
        libc.pwritev64.restype = ctypes.c_ssize_t
        n = libc.pwritev64(fd, iov, 2, ctypes.c_int64(0))
        if n < 0:
            raise OSError(ctypes.get_errno(), "pwritev")
        return n

    def resolve():
        try:
            return len(socket.getaddrinfo("127.0.0.1", 80)) > 0
        except socket.gaierror as e:
            return e.errno

    def clocks():
        """the wall clock by each way to it, and the other one"""
        libc.time.restype = ctypes.c_long
        tv = (ctypes.c_long * 2)()
        libc.gettimeofday(tv, None)
        return [time.time(), tv[0], libc.time(None), time.monotonic()]

    def memory():
        if not jansson.json_object():
            raise OSError(errno.ENOMEM, "malloc")

    return {
        "write": ("write", lambda: os.write(fd, b"12345678")),
        "writev": ("write", lambda: os.writev(fd, [b"1234", b"5678"])),
        "pwrite": ("write", lambda: os.pwrite(fd, b"12345678", 0)),
        "pwritev": ("write", pwritev),
        "pread": ("read", lambda: len(os.pread(fd, 8, 0))),
        "fsync": ("fsync", lambda: os.fsync(fd)),
        "fdatasync": ("fsync", lambda: os.fdatasync(fd)),
        "rename": ("rename", lambda: os.rename(d + "/file", d + "/file")),
        "renameat": ("rename", lambda: os.rename("file", "file",
                                                 src_dir_fd=top,
                                                 dst_dir_fd=top)),
        "open": ("open", lambda: os.close(os.open(d + "/file", 0))),
        "openat": ("open", lambda: os.close(os.open("file", 0, dir_fd=top))),
        "openat2": ("open", openat2),
        "create": ("create", lambda: os.close(os.open(d + "/new",
                                                      os.O_CREAT))),
        "mkdir": ("mkdir", lambda: os.mkdir(d + "/dir")),
        "link": ("link", lambda: os.link(d + "/file", d + "/link")),
        "unlink": ("unlink", lambda: os.unlink(d + "/link")),
        "unlinkat": ("unlink", lambda: os.unlink("gone", dir_fd=top)),
        "ftruncate": ("truncate", lambda: os.ftruncate(fd, 100)),
        "malloc": ("malloc", memory),
        "resolve": ("resolve", resolve),
        "clock": (None, clocks),
    }


def child(d):
    """carries out what it reads: a name a line, answers with the outcome"""
    table = calls(d)
    for line in sys.stdin:
        try:
            out = table[line.strip()][1]()
        except OSError as e:
            out = errno.errorcode[e.errno]
        print(json.dumps(out), flush=True)


class Test:
    def __init__(self):
        self.n = self.bad = 0

    def is_(self, got, want, what):
        self.n += 1
        self.bad += got != want
        print("%sok %d - %s" % ("" if got == want else "not ", self.n, what))
        if got != want:
            print("# %r, not %r" % (got, want))


def timed(call, *args):
    began = time.monotonic()
    call(*args)
    return time.monotonic() - began


def main():
    t = Test()
    top = tempfile.mkdtemp(prefix="mntreamer-shim-")
    d = top + "/below"
    os.mkdir(d)
    s = shim.Shim(top)
    p = subprocess.Popen([sys.executable, __file__, d], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env=dict(os.environ, **s.env()))

    def do(name):
        p.stdin.write(name + "\n")
        p.stdin.flush()
        return json.loads(p.stdout.readline())

    names = ["write", "writev", "pwrite", "pwritev", "pread", "fsync",
             "fdatasync", "rename", "renameat", "open", "openat", "openat2",
             "create", "mkdir", "link", "unlink", "unlinkat", "ftruncate"]
    table = dict(zip(names, [
        "write"] * 4 + ["read"] + ["fsync"] * 2 + ["rename"] * 2 + ["open"] * 3
        + ["create", "mkdir", "link", "unlink", "unlink", "truncate"]))
    try:
        do("pread")
        for name in names:
            s.rule(0, table[name], "error", error=errno.EDQUOT, below=d, at=2)
            s.rule(1, shim.CALLS, "count", below="/nowhere/")
            first, second = do(name), do(name)
            t.is_((first == "EDQUOT", second), (False, "EDQUOT"),
                  name + ": the second one fails, the first one does not")
            t.is_((s.seen(), s.hit(), s.seen(1)), (2, 1, 0),
                  name + ": they are counted")
        for name in names[:5]:
            s.rule(0, table[name], "short", below=d, count=0, limit=1)
            t.is_(do(name), 1, name + ": ends short")
        s.rule(0, "write", "error", error=errno.EIO, below=top + "/other")
        t.is_(do("write"), 8, "files elsewhere are left alone")
        s.rule(0, "fsync", "lie", below=d, count=0)
        t.is_((do("fsync"), s.hit()), (None, 1), "an fsync that lies")
        s.rule(0, "resolve", "error", error=socket.EAI_AGAIN, at=2)
        t.is_((do("resolve"), do("resolve"), do("resolve")),
              (True, socket.EAI_AGAIN, True),
              "the second name is not found, the others are")
        t.is_((s.seen(), s.hit()), (3, 1), "resolve: they are counted")
        s.rule(0, "fsync", "delay", below=d, at=2, delay_ms=300)
        took = [timed(do, "fsync") for _ in range(3)]
        t.is_([v >= 0.3 for v in took], [False, True, False],
              "the second fsync takes its time")
        t.is_((s.seen(), s.hit()), (3, 1), "delay: they are counted")
        for seconds in (-3600, 86400, 0):
            s.clock(seconds)
            *walls, mono = do("clock")
            t.is_([abs(w - seconds - time.time()) < 10 for w in walls],
                  [True] * 3, "the wall clock is moved by %d s" % seconds)
            t.is_(abs(mono - time.monotonic()) < 10, True,
                  "and the other clock is not")
        s.rule(0, "malloc", "error")
        t.is_((do("malloc"), do("malloc"), s.hit()), ("ENOMEM", None, 1),
              "memory of a library that the module uses")
        s.trace(True)
        s.rule(0, shim.FILES, "count", below=d)
        do("openat2")
        t.is_(s.traced(), [("open", d + "/file", 0)], "calls are traced")
        s.clear()
        s.rule(0, "write", "kill", below=d)
        p.stdin.write("write\n")
        p.stdin.close()
        t.is_(p.wait(10), -9, "a process that ends in a call")
    finally:
        p.kill()
        p.wait()
        p.stdout.close()
        shutil.rmtree(top)
    print("1..%d" % t.n)
    return 1 if t.bad else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(sys.argv[1])
    else:
        sys.exit(main())
