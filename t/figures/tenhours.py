"""A stream as long as ten hours of segments of two seconds: what it costs does
not grow with its length."""

import mmap
import os
import struct
import time

import checker
import lab
from lab import Lab

NUMBER = 5
CLAIM = ("A 10-hour stream (18,000 segments): constant memory, playlist bytes "
         "written <= 1.05x its size, commit time of the last 1,000 = that of "
         "the first")

SAMPLES = 65536


class Results:
    """of tenhours_preload.c"""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as f:
            f.truncate(24 + 8 * SAMPLES)
        os.chmod(path, 0o666)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def counts(self):
        """bytes of playlists, of journals, how many commits"""
        return struct.unpack("=QQQ", self.map[0:24])

    def samples(self, first, last):
        """(by the clock, CPU time) in microseconds, each sorted"""
        v = struct.unpack_from("=%dI" % (2 * (last - first)), self.map,
                               24 + 8 * first)
        return sorted(v[0::2]), sorted(v[1::2])


def listed(path, at):
    """how many entries stand behind "at", and where it ends"""
    try:
        with open(path, "rb") as f:
            f.seek(at)
            text = f.read()
    except OSError:
        return 0, at
    return text.count(b"#EXTINF"), at + len(text)


def run(f):
    total, part, dur = (600, 150, 0.01) if f.short else (18000, 1000, 0.02)

    with Lab(f.seed, "tenhours") as o:
        results = Results(o.dir + "/results")
        storage = None
        if os.path.isdir("/dev/shm"):
            storage = "/dev/shm/mntreamer-tenhours-%d" % os.getpid()
            o.later(lambda: lab.shutil.rmtree(storage, ignore_errors=True))
        origin = o.origin()
        x = o.nginx(o.postgres(shared=f.short), origin, storage=storage,
                    mntreamer="poll_rate 100r/s;", backoff="1s",
                    env={"LD_PRELOAD": lab.TOP
                         + "/build/figures/tenhours_preload.so",
                         "TENHOURS_FILE": results.path}).up()
        idle = ["i%d" % i for i in range(9)]
        for n in idle:
            origin.channel(n, live=False)
        origin.channel("long", live=True, dur=dur, window=int(6 / dur),
                       size=1000, target=1)
        x.watch("long", *idle)
        path = o.until(lambda: checker.find_playlists(x.storage),
                       "a playlist", 20)[0]

        n, at = listed(path, 0)
        before, marks, rss = {}, {}, []
        said = part
        while n < total:
            time.sleep(0.1 if f.short else 0.5)
            more, at = listed(path, at)
            n += more
            for pid in x.workers():
                now = lab.anon_kib(pid)
                if n <= part:
                    before[pid] = max(now, before.get(pid, 0))
                rss.append((n, pid, now))
            for mark in (part, total - part):
                if n >= mark:
                    marks.setdefault(mark, results.counts()[2])
            if n >= said + total / 6:
                said = n
                f.say("%d segments, load %.1f" % (n, os.getloadavg()[0]))
        commits = results.counts()[2]
        origin.channel("long", live=False, stall=True)
        last = {"long": tuple(origin.state()["long"]["end"])}
        o.until(lambda: all(r["status"] == "recorded"
                            for r in x.recordings()), "the end", 60)

        r = checker.check_recordings(x, origin, last=last)
        f.fails(r.wrong)
        f.fails(checker.check_log(x))
        f.require(r.declared + r.silent == 0, "segments were lost")
        size = os.path.getsize(path)
        written, journal, _ = results.counts()
        ratio = written / size
        f.require(1 <= ratio <= 1.05, "%d bytes were written for a playlist "
                  "of %d" % (written, size))
        growth = max([now - before.get(pid, now) for m, pid, now in rss
                      if m > part] or [0])
        f.require(growth <= (2048 if f.short else 256), "%d KiB more memory" % growth)

        wall, cpu = results.samples(0, marks[part])
        wall2, cpu2 = results.samples(marks[total - part], commits)
        p99 = checker.quantile
        slower = p99(cpu2, .99) / max(1, p99(cpu, .99))
        f.require(slower <= 1.2 or f.short, "commits of the last %d take "
                  "%.2f of the first" % (part, slower))

        f.line(r.line())
        f.line("commit, p50 and p99 in us: first %d: %d %d (CPU %d %d), last "
               "%d: %d %d (CPU %d %d)"
               % (part, p99(wall, .5), p99(wall, .99), p99(cpu, .5),
                  p99(cpu, .99), part, p99(wall2, .5), p99(wall2, .99),
                  p99(cpu2, .5), p99(cpu2, .99)))
        f.value("segments", r.stored)
        f.value("commits", commits)
        f.value("playlist", size, "bytes")
        f.value("written to it", round(ratio, 4), "times its size")
        f.value("journal written", journal, "bytes")
        f.value("memory grew by", growth, "KiB")
        f.value("commit's CPU time, p99, last to first", round(slower, 2))
        f.value("by the clock", round(p99(wall2, .99)
                                      / max(1, p99(wall, .99)), 2))
        f.value("storage", "tmpfs" if storage else "disk")
