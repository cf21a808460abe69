"""Reloads and binary upgrades under recording and viewers: no segment is
missed, no request fails, old workers leave."""

import json
import os
import signal
import subprocess
import threading
import time

import checker
import lab
from lab import Lab

NUMBER = 4
CLAIM = ("100 reloads and 10 binary upgrades under recording and 200 viewers: "
         "0 missed segments, 0 failed requests")

GONE = 6.0                                     # seconds an old worker may take
BAD = ["mntreamer { nothing; }", "nothing_at_all;", "mntreamer {"]


class Leaving(threading.Thread):
    """how long old workers take to leave"""

    def __init__(self):
        super().__init__(daemon=True)
        self.lock = threading.Lock()
        self.old = {}
        self.took = []
        self.ended = threading.Event()

    def leave(self, pids):
        with self.lock:
            for p in pids:
                self.old.setdefault(p, time.monotonic())

    def run(self):
        while not self.ended.wait(0.02):
            with self.lock:
                for p in [p for p in self.old if not lab.alive(p)]:
                    self.took.append(time.monotonic() - self.old.pop(p))

    def waiting(self):
        with self.lock:
            return len(self.old)

    def finish(self):
        """took, and how many are still there after the time they have"""
        end = time.monotonic() + GONE
        while self.waiting() and time.monotonic() < end:
            time.sleep(0.05)
        self.ended.set()
        self.join(5)
        return sorted(self.took), self.waiting()


class Viewers:
    def __init__(self, x, number, seed, pause):
        self.x = x
        self.p = subprocess.Popen(
            ["python3", lab.TOP + "/t/lib/viewers.py", str(x.port),
             str(number), str(seed), str(pause)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def watch(self):
        urls = [r["url"] for r in self.x.recordings()]
        self.p.stdin.write((json.dumps(urls) + "\n").encode())
        self.p.stdin.flush()

    def finish(self):
        out, _ = self.p.communicate(timeout=30)
        return json.loads(out)


def workers(master):
    return [p for p in lab.family(master) if lab.alive(p)
            and not is_master(p)]


def is_master(pid):
    """the new master is a child of the old one"""
    with open("/proc/%d/cmdline" % pid, "rb") as f:
        return f.read().startswith(b"nginx: master")


class Driver:
    def __init__(self, f, x, leaving):
        self.f = f
        self.x = x
        self.leaving = leaving
        self.reloads = self.upgrades = self.refused = 0

    def reload(self):
        self.leaving.leave(workers(self.x.master()))
        self.x.reload()
        self.reloads += 1

    def storm(self, n):
        """so many within a second; one old generation at most afterwards"""
        for _ in range(n):
            self.reload()
            time.sleep(0.9 / n)
        time.sleep(0.5)
        self.leaving.leave(set(workers(self.x.master()))
                           - set(self.newest()))

    def newest(self):
        """those that do not exit"""
        out = []
        for p in workers(self.x.master()):
            with open("/proc/%d/cmdline" % p, "rb") as f:
                if b"shutting down" not in f.read():
                    out.append(p)
        return out

    def bad(self, text):
        """the old cycle goes on untouched"""
        before = set(self.newest())
        with open(self.x.dir + "/nginx.conf", "a") as f:
            f.write(text + "\n")
        was = self.x.log().count("[emerg]")
        self.x.reload()
        lab.until(lambda: self.x.log().count("[emerg]") > was, "refused", 5)
        time.sleep(0.3)
        self.x.write_config()
        self.refused += 1
        self.f.require(set(self.newest()) == before,
                       "workers changed by a bad configuration")

    def upgraded(self):
        """USR2; the new master"""
        old = self.x.master()
        lab.kill(old, signal.SIGUSR2)
        lab.until(lambda: self.x.master() not in (0, old)
                  and len(workers(self.x.master())) == 2, "a new master", 10)
        self.up(self.x.master())
        return old, self.x.master()

    def up(self, master):
        """its engines are in the database"""
        pids = set(workers(master))
        lab.until(lambda: pids <= {r["pid"] for r in self.x.rows(
            "SELECT pid FROM engine")}, "engines", 10)

    def upgrade(self):
        old, new = self.upgraded()
        mine = workers(old)
        self.leaving.leave(mine)
        lab.kill(old, signal.SIGWINCH)
        lab.until(lambda: not any(map(lab.alive, mine)), "WINCH", 2 * GONE)
        lab.kill(old, signal.SIGQUIT)
        lab.until(lambda: not lab.alive(old), "the old master's end", GONE)
        self.upgrades += 1
        self.f.require(self.x.master() == new, "the pid file is not the new "
                       "master's")

    def rollback(self):
        old, new = self.upgraded()
        mine, theirs = workers(old), workers(new)
        self.leaving.leave(mine)
        lab.kill(old, signal.SIGWINCH)
        lab.until(lambda: not any(map(lab.alive, mine)), "WINCH", 2 * GONE)
        lab.kill(old, signal.SIGHUP)
        lab.until(lambda: len(workers(old)) == 2, "workers again", 5)
        self.up(old)
        self.leaving.leave(theirs)
        lab.kill(new, signal.SIGQUIT)
        lab.until(lambda: not lab.alive(new), "the new master's end", 2 * GONE)
        lab.until(lambda: self.x.master() == old, "the old pid file", 2)

    def restart(self, sig):
        """viewers cannot be served meanwhile"""
        self.f.require(self.x.stop(sig, GONE), "it does not stop")
        self.x.start()


def finished(o, x, origin, names):
    """recordings that are over, for the viewers"""
    for n in names:
        origin.channel(n, live=True, dur=0.25, window=24, size=3000, target=1)
    if not names:
        return
    x.watch(*names)
    o.until(lambda: sum(r["segments"] > 8 for r in x.recordings())
            == len(names), "recordings", 30)
    for n in names:
        origin.channel(n, live=False, stall=True)
    o.until(lambda: all(r["status"] == "recorded" for r in x.recordings()),
            "finished ones", 60)


def run(f):
    reloads, upgrades, every = (3, 1, 0.6) if f.short else (100, 10, 3.0)
    viewers, pause = (40, 0.3) if f.short else (200, 0.8)
    done = ["d%d" % i for i in range(0 if f.short else 3)]
    live = ["l%d" % i for i in range(4 if f.short else 10)]

    with Lab(f.seed, "reloads") as o:
        origin = o.origin()
        x = o.nginx(o.postgres(shared=f.short), origin, workers=2,
                    mntreamer="poll_rate 1000r/s; resume_window 10s;",
                    http="limit_conn_zone $binary_remote_addr zone=z:1m;"
                    "keepalive_requests 20;").up()
        base = checker.Baseline(x)
        for i, n in enumerate(live):

            # the same window in many segments, and in few

            few = not f.short and i < 3
            origin.channel(n, live=True, dur=2 if few else 0.25,
                           window=3 if few else 24, size=3000,
                           target=2 if few else 1, token=3600, enforce=True)
        finished(o, x, origin, done)
        x.watch(*live)
        everyone = live + done
        o.until(lambda: sum(r["segments"] > 4 for r in x.recordings())
                == len(everyone), "recordings", 30)

        reader = checker.Reader(x.storage, pause=0.05)
        leaving = Leaving()
        crowd = Viewers(x, viewers, f.seed, pause)
        o.later(crowd.p.kill)
        crowd.watch()
        for t in (reader, leaving):
            t.start()

        d = Driver(f, x, leaving)
        for i in range(reloads):
            due = time.monotonic() + every
            d.reload()
            if i % 20 == 19:
                f.say("%d reloads, load %.1f" % (i + 1, os.getloadavg()[0]))
            time.sleep(max(0, due - time.monotonic()))
        for _ in range(upgrades):
            d.upgrade()
            time.sleep(0.5)
        f.say("%d upgrades" % upgrades)
        if not f.short:
            d.rollback()
        d.storm(5 if f.short else 20)
        for text in BAD[:1] if f.short else BAD:
            d.bad(text)
        x.write_config(http=x.options["http"].replace(":1m", ":2m"))
        d.reload()
        took, left = leaving.finish()
        f.require(left == 0, "%d old workers are still there" % left)
        f.require(took[-1] <= GONE, "an old worker took %.1f s" % took[-1])
        seen = crowd.finish()
        for why, n in seen["failed"].items():
            f.fail("%d requests of viewers: %s" % (n, why))

        if not f.short:
            for sig in (signal.SIGQUIT, signal.SIGTERM):
                d.restart(sig)
                time.sleep(2)
        x.up()
        time.sleep(1)
        for n in live:
            origin.channel(n, live=False, stall=True)
        last = {n: tuple(c["end"]) for n, c in origin.state().items()}
        o.until(lambda: all(r["status"] == "recorded"
                            for r in x.recordings()), "the end", 60)
        r = checker.check_recordings(x, origin, last=last)
        f.fails(r.wrong)
        f.fails(reader.finish())
        f.fails([w for w in checker.check_log(x) if "[emerg]" not in w])
        f.fails(checker.check_planted(x))
        f.fails(checker.check_loop(x))
        f.fails(base.settled(fds=len(everyone) + 12, rss=3))
        f.require(r.declared + r.silent == 0,
                  "%d segments missed" % (r.declared + r.silent))
        f.require(len(x.recordings()) == len(everyone),
                  "%d recordings" % len(x.recordings()))
        f.line(r.line())
        f.value("reloads", d.reloads)
        f.value("binary upgrades", d.upgrades)
        f.value("segments missed", r.declared + r.silent)
        f.value("requests", seen["requests"])
        f.value("failed", sum(seen["failed"].values()))
        f.value("sent again", seen["again"])
        f.value("old worker gone p50", checker.quantile(took, .5), "s")
        f.value("worst", took[-1], "s")
        f.value("load", round(os.getloadavg()[0], 1))
