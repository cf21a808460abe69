"""Drives t/figures/fail_preload.c: calls for files and memory that fail, end
short, take long or lie, switched while nginx runs.

    shim = Shim(lab.dir)
    x = lab.nginx(pg, origin, env=shim.env())
    shim.rule(0, "write", "error", error=errno.ENOSPC, below=x.storage, at=7)
    ... shim.seen(0), shim.hit(0) ...
    shim.clear()
"""

import ctypes
import errno
import mmap
import os

import lab

LIBRARY = os.path.join(lab.TOP, "build/figures/fail_preload.so")
MAGIC = 0x4c494146
RULES = 8
TRACES = 8192

CALLS = ("write", "read", "fsync", "rename", "open", "create", "mkdir", "link",
         "unlink", "truncate", "malloc", "resolve")
FILES = CALLS[:-2]
CHANGES = tuple(c for c in FILES if c not in ("read", "open"))
ACTIONS = ("count", "error", "short", "delay", "lie", "kill")


class Rule(ctypes.Structure):
    _fields_ = [("on", ctypes.c_uint32), ("calls", ctypes.c_uint32),
                ("action", ctypes.c_uint32), ("error", ctypes.c_int32),
                ("first", ctypes.c_uint64), ("count", ctypes.c_uint64),
                ("limit", ctypes.c_uint64), ("delay_ms", ctypes.c_uint64),
                ("seen", ctypes.c_uint64), ("hit", ctypes.c_uint64),
                ("below", ctypes.c_char * 256)]


class Trace(ctypes.Structure):
    _fields_ = [("pid", ctypes.c_uint32), ("call", ctypes.c_uint16),
                ("hit", ctypes.c_uint16), ("name", ctypes.c_char * 120)]


class Control(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_uint32), ("tracing", ctypes.c_uint32),
                ("clock_us", ctypes.c_int64), ("traced", ctypes.c_uint64),
                ("rules", Rule * RULES), ("traces", Trace * TRACES)]


class Shim:
    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        self.path = os.path.join(directory, "shim.control")
        with open(self.path, "wb") as f:
            f.truncate(ctypes.sizeof(Control))
        with open(self.path, "r+b") as f:
            self.control = Control.from_buffer(mmap.mmap(f.fileno(), 0))
        self.control.magic = MAGIC

    def env(self):
        """what the master of nginx is to be started with"""
        return {"LD_PRELOAD": LIBRARY, "FAIL_CONTROL": self.path}

    def rule(self, slot, calls, action, error=errno.EIO, below="", at=1,
             count=1, limit=0, delay_ms=0):
        """calls: names or one name; at: the number of the first that is hit;
        count 0: all behind it as well"""
        r = self.control.rules[slot]
        r.on = 0
        if isinstance(calls, str):
            calls = (calls,)
        r.calls = sum(1 << CALLS.index(c) for c in calls)
        r.action = ACTIONS.index(action)
        r.error = error
        r.first, r.count, r.limit, r.delay_ms = at, count, limit, delay_ms
        r.below = below.encode()
        r.seen = r.hit = 0
        r.on = 1

    def off(self, slot):
        self.control.rules[slot].on = 0

    def clear(self):
        for i in range(RULES):
            self.off(i)

    def seen(self, slot=0):
        return self.control.rules[slot].seen

    def hit(self, slot=0):
        return self.control.rules[slot].hit

    def trace(self, on):
        self.control.traced = 0
        self.control.tracing = int(on)

    def traced(self):
        """(call, path, hit by which rule or 0), oldest first"""
        n = self.control.traced
        out = []
        for i in range(max(0, n - TRACES), n):
            t = self.control.traces[i % TRACES]
            out.append((CALLS[t.call], t.name.decode(errors="replace"), t.hit))
        return out

    def clock(self, seconds):
        """moves the wall clock of nginx"""
        self.control.clock_us = int(seconds * 1e6)
