"""Full, read-only, slow and failing disks."""

import errno
import os
import time

import checker
import shim
import volume
from lab import Lab, rss_kib

NUMBER = 8
CLAIM = ("50 disk-full and 10 inode-full cycles: 0 broken files listed, "
         "recording resumes within 10 s after space returns")

NAMES = ["full-%d" % i for i in range(5)]
SHAPE = dict(dur=0.2, size=20000, target=1)


class Stage:
    """five channels that record into a small file system, and a recording that
    is finished, to be served"""

    def __init__(self, f, lab, pg, origin, name, reserve="", preload=None):
        self.f = f
        self.origin = origin
        self.names = ["%s-%s" % (name, n) for n in NAMES]
        self.volume = volume.Tmpfs(lab, "256m", name)
        shape = dict(SHAPE, window=5 if f.short else 15)
        for n in self.names:
            origin.channel(n, live=True, **shape)
        self.x = lab.nginx(pg, origin, storage=self.volume.storage(),
                           mntreamer=reserve, env=preload.env() if preload
                           else None)
        self.x.up()
        self.lab = lab

        self.done = {}
        self.url = None if f.short else self.finished(name, shape)
        self.x.watch(*self.names)
        self.wait(lambda: len(self.running()) == 5
                  and all(r["segments"] > 5 for r in self.running()),
                  "five recordings")
        self.url = self.url or self.running()[0]["url"]
        self.reader = checker.Reader(self.x.storage)
        self.reader.start()
        text = self.x.get(self.url).body.decode()
        media = [l for l in text.splitlines() if l and l[0] != "#"][0]
        self.pulses = [checker.Pulse(self.x, p) for p in (
            self.url, self.url.rsplit("/", 1)[0] + "/" + media)]
        for p in self.pulses:
            p.start()
        self.base = checker.Baseline(self.x)

    def finished(self, name, shape):
        """a short broadcast that is over; its address"""
        done = name + "-done"
        self.origin.channel(done, live=True, **shape)
        self.x.watch(done)
        self.wait(lambda: any(r["segments"] > 5 for r in self.x.recordings()),
                  "a recording")
        self.origin.channel(done, live=False, stall=True, endlist=True)
        self.wait(lambda: self.x.recordings("&status=recorded"), "its end")
        self.done = {done: tuple(self.origin.state()[done]["end"])}
        return self.x.recordings("&status=recorded")[0]["url"]

    def wait(self, cond, what, seconds=40):
        return self.lab.until(cond, what, seconds)

    def running(self):
        return self.x.recordings("&status=recording")

    def listed(self):
        """entries of each playlist in progress, as a viewer sees them"""
        return [self.x.get(r["url"]).body.count(b"#EXTINF")
                for r in sorted(self.running(), key=lambda r: r["id"])]

    def lost(self):
        v = 0.0
        for line in self.x.get("/metrics").body.decode().splitlines():
            if line.startswith('mntreamer_lost_segments_total{cause="disk"}'):
                v += float(line.rsplit(" ", 1)[1])
        return v

    def resumes(self, what, seconds=10):
        """how long until all five grow again"""
        before = self.listed()
        t = time.monotonic()
        try:
            self.wait(lambda: len(self.listed()) == 5
                      and all(b > a for a, b in zip(before, self.listed())),
                      what, 30)
        except Exception as e:
            self.f.fail("%s: %s, %s then %s" % (what, e, before,
                                                self.listed()))
            return 30
        took = time.monotonic() - t
        self.f.require(took <= seconds, "%s: it took %.1f s" % (what, took))
        return took

    def health(self):
        return self.x.get("/health").json()["disk"]["state"]

    def finish(self, causes, last_act=None):
        f, x = self.f, self.x
        for n in self.names:
            self.origin.channel(n, live=False, stall=True, endlist=True)
        last = {n: tuple(c["end"]) for n, c in self.origin.state().items()
                if n in self.names}
        last.update(self.done)
        self.wait(lambda: not self.running(), "the end")
        r = checker.check_recordings(x, self.origin, last=last)
        f.fails(r.wrong)
        f.line("%-8s %s" % (self.names[0].split("-")[0], r.line()))
        f.fails(self.reader.finish())
        for p in self.pulses:
            p.finish()
            f.require(not p.bad and p.asked > 5,
                      "serving %s: %s of %d" % (p.path, p.bad, p.asked))
        for g in x.rows("SELECT recording_id, reason, segments FROM media_gap"):
            f.require(g["reason"] in causes, "a gap of cause %s: %s"
                      % (g["reason"], g))
        f.fails(self.base.settled(fds=12, rss=1.15))
        if last_act:
            last_act()
        f.fails(checker.check_log(x))
        f.require(x.stop(), "nginx did not end by itself")

        # not those of our own requests

        size = sum(len(l) + 1 for l in x.log().splitlines()
                   if "closed keepalive connection" not in l)
        self.volume.drop()
        return r, size


def cycles(f, s, full, inodes):
    """fills the file system again and again; (seconds to resume, ...)"""
    took = []
    for i in range(full + inodes):
        of_inodes = i >= full
        lost = s.lost()
        s.volume.fill_inodes() if of_inodes else s.volume.fill()
        s.wait(lambda: s.lost() > lost, "something is lost")
        if i in (0, full):
            s.wait(lambda: s.health() == "disk_full", "health says so", 10)
        time.sleep(f.rng.uniform(0, 0.3 if f.short else 1))
        s.volume.free_inodes() if of_inodes else s.volume.free()
        took.append(s.resumes("%s cycle %d" % ("inode" if of_inodes else
                                               "full", i)))
        if i % 10 == 9:
            f.say("%d cycles, slowest %.1f s" % (i + 1, max(took)))
    return took


def reserve(f, s, n):
    """pauses at the reserve, and leaves it alone"""
    took = []
    left = []
    for i in range(n):
        lost = s.lost()
        s.volume.fill(leave=7 << 20)
        s.wait(lambda: s.x.metric("mntreamer_disk_full") >= 2,
               "both workers pause", 10)
        f.require(s.health() == "disk_full", "health says %s" % s.health())
        s.wait(lambda: s.lost() > lost, "something is lost")
        v = os.statvfs(s.volume.path)
        time.sleep(f.rng.uniform(0.2, 0.5 if f.short else 2))
        w = os.statvfs(s.volume.path)
        left.append((v.f_bavail - w.f_bavail) * v.f_frsize)
        s.volume.free()
        took.append(s.resumes("reserve cycle %d" % i))
    f.require(max(left) <= 65536, "of the reserve %d bytes were used"
              % max(left))
    lines = sum("recordings pause" in l for l in s.x.log().splitlines())
    f.require(lines <= 2 * n, "%d lines say that recordings pause" % lines)
    return took


def syncs(f, s, sh):
    """each fsync of a commit fails once, EIO"""
    n = 2 if f.short else 30
    sh.trace(True)
    for i in range(n):
        before = s.listed()
        sh.rule(0, "fsync", "error", error=errno.EIO, below=s.x.storage,
                at=f.rng.randint(1, 40))
        s.wait(lambda: sh.hit(0) == 1, "a failed fsync")
        if i == 0:
            s.wait(lambda: s.health() in ("storage_error", "ok"), "health")
        sh.off(0)
        s.resumes("fsync %d" % i)
    parts = [name for call, name, hit in sh.traced() if hit
             and call == "fsync" and name.endswith(".part")]
    f.value("failed fsync", n, "(%d of segments)" % len(parts))


def slow(f, s, sh):
    """every fsync takes two seconds"""
    sh.rule(0, "fsync", "delay", delay_ms=2000, below=s.x.storage, count=0)
    worst = 0
    end = time.monotonic() + (4 if f.short else 30)
    pulse = checker.Pulse(s.x)
    pulse.start()
    while time.monotonic() < end:
        worst = max([worst] + [rss_kib(p) for p in s.x.workers()])
        time.sleep(0.2)
    sh.off(0)
    s.resumes("slow disk", 30)
    pulse.finish()
    f.require(not pulse.bad and pulse.worst < 0.5,
              "serving beside a slow disk: %.2f s, %s" % (pulse.worst,
                                                          pulse.bad))
    f.require(worst < 200 * 1024, "%d KiB with a slow disk" % worst)
    f.fails(checker.check_loop(s.x))


def errors(f, s, sh):
    """whatever is written fails: a file system that went read-only"""
    for error in (errno.EROFS, errno.EIO, errno.ESTALE)[:1 if f.short else 3]:
        lost = s.lost()
        sh.rule(0, shim.CHANGES, "error", error=error, below=s.x.storage,
                count=0)
        s.wait(lambda: s.health() == "storage_error", "health says so")
        s.wait(lambda: s.lost() > lost, "something is lost")
        sh.off(0)
        s.resumes(errno.errorcode[error])


def read_only(f, s):
    """a start while the file system is mounted read-only: what is there is
    served, and recorded again afterwards"""
    x = s.x
    f.require(x.stop(), "nginx did not end by itself")
    s.volume.read_only(True)
    x.start()
    s.wait(lambda: x.get("/health").json()["disk"]["state"]
           == "storage_error", "health of a read-only storage")
    f.require(x.get(s.url).status == 200, "a read-only storage is served")
    s.volume.read_only(False)
    s.wait(lambda: x.get("/health").status == 200, "health")


def run(f):
    with Lab(f.seed, "disk") as lab:
        why = volume.missing(lab)
        if why and f.short:
            f.skip(why)
        elif f.require(not why, why):
            everything(f, lab)


def everything(f, lab):
    pg = lab.postgres(shared=f.short)
    origin = lab.origin()
    took, results, logs = [], [], 0
    sh = shim.Shim(lab.dir)

    for name, conf in (("broken", "reserve 0;"),) if f.short else (
            ("nospace", "reserve 0;"), ("reserve", "reserve 8m;"),
            ("broken", "reserve 0;")):
        s = Stage(f, lab, pg, origin, name, conf,
                  sh if name == "broken" else None)
        causes = {"disk"}
        if name == "nospace":
            took += cycles(f, s, 40, 10)
        elif name == "reserve":
            took += reserve(f, s, 10)
        elif f.short:
            took += cycles(f, s, 1, 1)
            syncs(f, s, sh)
            slow(f, s, sh)
            errors(f, s, sh)
        else:
            syncs(f, s, sh)
            slow(f, s, sh)
            errors(f, s, sh)
            causes |= {"window"}
        r, log = s.finish(causes, (lambda: read_only(f, s))
                          if name == "broken" and not f.short else None)
        results.append(r)
        logs += log

    f.value("cycles", len(took))
    f.value("resumed after", round(max(took), 1), "s at most")
    f.value("lost and written down", sum(r.declared for r in results))
    f.value("lost silently", sum(r.silent for r in results))
    f.value("log", logs, "bytes")
    f.require(logs < 1 << 20, "the logs have %d bytes" % logs)
