#!/usr/bin/env python3
"""The life of processes: what happens to recordings when they die, leave, start
without a master or run out of descriptors.  Prints TAP.

  lifecycle.py [NAME ...]"""

import os
import re
import signal
import subprocess
import sys
import time
import traceback

import checker
import lab
from lab import Lab, until


class Scene:
    """a running system that records, and how it ends"""

    def __init__(self, o, names=("a", "b"), durable=None, **options):
        self.o = o
        self.names = list(names)
        self.wrong = []
        self.pg = o.postgres(shared=durable is None)
        self.origin = o.origin()
        options.setdefault("mntreamer", "poll_rate 1000r/s;")
        self.x = o.nginx(self.pg, self.origin, start=False, **options)

    def live(self, names=None, **d):
        options = dict(live=True, dur=0.25, window=24, size=3000, target=1)
        options.update(d)
        for n in names or self.names:
            self.origin.channel(n, **options)

    def record(self):
        self.live()
        self.x.watch(*self.names)
        self.grows(0)

    def segments(self):
        return {r["id"]: r["segments"] for r in self.x.recordings()}

    def grows(self, n=4, seconds=20):
        """each of them by so many"""
        before = self.segments()

        def more():
            now = self.segments()
            return len(now) == len(self.names) and all(
                v > before.get(k, 0) + n for k, v in now.items())
        until(more, "recordings that grow", seconds)

    def require(self, ok, text):
        if not ok:
            self.wrong.append(text)

    def end(self, lost=0, allow=None):
        for n in self.names:
            self.origin.channel(n, live=False, stall=True)
        last = {n: tuple(c["end"]) for n, c in self.origin.state().items()
                if n in self.names}
        until(lambda: all(r["status"] == "recorded"
                          for r in self.x.recordings()), "the end", 60)
        r = checker.check_recordings(self.x, self.origin, last=last)
        self.wrong += r.wrong
        self.require(r.declared == lost or lost is None,
                     "%d segments lost, not %s" % (r.declared, lost))
        self.wrong += checker.check_log(self.x, allow)
        return r


def gap_row(o):
    """a gap's row is written by who takes over when its finder died first"""
    s = Scene(o, ["a"], durable=False)
    s.x.start().up()
    s.record()
    pids = s.pg.processes()
    for p in pids:
        lab.kill(p, signal.SIGSTOP)
    n = s.origin.state()["a"]["last"]
    s.origin.fault(match="/seg/1080p60-0-%d" % (n + 4), times=-1, status=404)
    playlist = checker.find_playlists(s.x.storage)[0]
    until(lambda: "DISCONTINUITY" in open(playlist).read(), "a gap", 20)
    for p in s.x.workers():
        lab.kill(p)
    for p in reversed(pids):
        lab.kill(p, signal.SIGCONT)
    s.x.up()
    s.grows()
    s.end(lost=1, allow="exited on signal 9")
    return s.wrong


def mutex(o):
    """SIGKILL while it holds the lock of shared memory: the rate is kept, the
    others go on"""
    times, rate = int(os.environ.get("MNT_TIMES", "6")), 60
    inject = lab.Inject(o.dir + "/inject")
    s = Scene(o, module=lab.INJECT, main="env MNT_INJECT_FILE;",
              env={"MNT_INJECT_FILE": inject.path},
              mntreamer="poll_rate %dr/s;" % rate)
    s.x.start().up()
    s.record()
    idle = ["i%d" % i for i in range(30)]
    s.live(idle, live=False)
    s.x.watch(*idle)
    for i in range(times):
        inject.arm(("limit_locked", "limit_taken")[i % 2])
        until(lambda: inject.left() == 0, "a death", 10, 0.01)
        until(lambda: len(s.x.workers()) == 2, "a worker again", 5)
    s.require(s.x.log().count("was locked by") == times,
              "the lock was held %d times of %d"
              % (s.x.log().count("was locked by"), times))
    s.x.up()
    before = len(s.origin.truth())
    until(lambda: len(s.origin.truth()) > before + 100, "probes go on", 10)
    s.grows()
    asked = sorted(r["t"] for r in s.origin.truth()
                   if "/polling/" in r["path"] or "/service/" in r["path"])
    most = max(sum(1 for u in asked if t <= u < t + 1) for t in asked)
    s.require(most <= rate * 1.1, "%d requests in a second" % most)
    s.end(allow="exited on signal 9|was locked by")
    return s.wrong


def master(o):
    """kill -9 of the master: its workers leave, a new one takes over"""
    s = Scene(o)
    s.x.start().up()
    s.record()
    old = s.x.workers()
    o.later(lambda: [lab.kill(p) for p in old])
    lab.kill(s.x.master())
    until(lambda: not any(map(lab.alive, old)), "the orphans' end", 8)
    os.unlink(s.x.dir + "/nginx.pid")
    s.x.start().up()
    s.grows()
    s.require("is gone, this worker quits" in s.x.log(), "nobody said so")
    s.end()
    return s.wrong


def overlap(o):
    """... a new one that is started at once waits for the sockets"""
    s = Scene(o)
    s.x.start().up()
    s.record()
    old = s.x.workers()
    o.later(lambda: [lab.kill(p) for p in old])
    lab.kill(s.x.master())
    os.unlink(s.x.dir + "/nginx.pid")
    s.x.start().up()
    until(lambda: not any(map(lab.alive, old)), "the orphans' end", 8)
    s.grows()
    s.end(allow=r"bind\(\)|still could not bind")
    return s.wrong


def descriptors(o):
    """too few descriptors for all: recordings go on, polls wait"""
    s = Scene(o, ["l%d" % i for i in range(12)], workers=1,
              main="worker_rlimit_nofile 256;")
    s.x.start().up()
    s.record()
    s.origin.fault(match="/polling/", delay=1, times=-1)
    idle = ["i%d" % i for i in range(288)]
    s.live(idle, live=False)
    for n in idle:
        s.origin.channel(n)
    s.x.watch(*idle)
    worst = 0
    end = time.monotonic() + 6
    while time.monotonic() < end:
        worst = max(worst, lab.fds(s.x.workers()[0]))
        time.sleep(0.1)
    s.require(worst < 240, "%d descriptors are open" % worst)
    s.require(s.x.get("/alive").status == 200, "it does not serve")
    s.origin.heal()
    s.end()
    return s.wrong


def crowded(o):
    """more broadcasts than there are descriptors for: those that are recorded
    are recorded well"""
    names = ["l%d" % i for i in range(120)]
    s = Scene(o, names, workers=1, main="worker_rlimit_nofile 256;")
    s.x.start().up()
    s.live(dur=1, window=6)
    s.x.watch(*names)
    until(lambda: len(s.x.recordings()) >= 10, "some recordings", 20)
    time.sleep(8)
    mine = {r["channel_name"]: r["id"] for r in s.x.recordings()}
    s.require(10 <= len(mine) < len(names), "%d recordings" % len(mine))
    s.require(lab.fds(s.x.workers()[0]) < 256, "no descriptor is left")
    s.names = sorted(mine)
    s.require(s.x.get("/alive").status == 200, "it does not serve")
    for n in set(names) - set(mine):          # end() does the others
        s.origin.channel(n, live=False, stall=True)
    s.end()
    return s.wrong


def rush(o):
    """many broadcasts at once that are slow to open: those that were admitted
    get the descriptors that they need"""
    names = ["l%d" % i for i in range(120)]
    s = Scene(o, names, workers=1, main="worker_rlimit_nofile 256;")
    s.x.start().up()
    s.live(dur=1, window=12)                  # a reload waits less than that
    s.origin.fault(match="/hls/.*m3u8", delay=2, times=240)
    s.x.watch(*names)
    worst = seen = 0
    end = time.monotonic() + 30
    while time.monotonic() < end:
        worst = max(worst, lab.fds(s.x.workers()[0]))
        if not seen and len(s.x.recordings()) >= 5:
            seen = 1
            end = time.monotonic() + 8
        time.sleep(0.1)
    mine = {r["channel_name"]: r["id"] for r in s.x.recordings()}
    s.require(5 <= len(mine) < len(names), "%d recordings" % len(mine))
    s.require(worst < 250, "%d descriptors are open" % worst)
    s.require("Too many open files" not in s.x.log(), "too many open files")
    s.names = sorted(mine)
    s.origin.heal()
    for n in set(names) - set(mine):          # end() does the others
        s.origin.channel(n, live=False, stall=True)
    s.end()
    return s.wrong


def single(o):
    """master_process off: it records; a reload is refused, a quit is clean"""
    s = Scene(o, main="master_process off;", workers=1)
    s.x.start().up()
    s.record()
    s.x.reload()
    until(lambda: "a reload is not possible" in s.x.log(), "a refusal", 5)
    s.grows()
    s.require(s.x.stop(signal.SIGQUIT, 8), "it does not quit")
    s.x.start().up()
    s.grows()
    s.end(allow="a reload is not possible")
    return s.wrong


def foreground(o):
    """daemon off: it records, TERM and QUIT end it"""
    s = Scene(o)
    s.x.start().up()
    s.x.stop()
    with open(s.x.dir + "/nginx.conf") as f:
        text = f.read()
    with open(s.x.dir + "/nginx.conf", "w") as f:
        f.write(text.replace("daemon on;", "daemon off;"))
    for sig in (signal.SIGTERM, signal.SIGQUIT, None):
        p = subprocess.Popen([lab.NGINX, "-p", s.x.dir, "-e", s.x.error_log,
                              "-c", s.x.dir + "/nginx.conf"],
                             stderr=subprocess.DEVNULL)
        o.later(p.kill)
        until(lambda: s.x.master() == p.pid, "a pid file")
        s.x.up()
        if sig == signal.SIGTERM:
            s.record()
        s.grows()
        if sig:
            p.send_signal(sig)
            s.require(p.wait(10) == 0, "status %d" % p.returncode)
    s.end()
    s.x.stop()
    p.wait(10)
    return s.wrong


def timeout(o):
    """worker_shutdown_timeout ends what hangs: database and origin"""
    s = Scene(o, durable=False, main="worker_shutdown_timeout 2s;")
    s.x.start().up()
    s.record()
    s.origin.fault(match="/seg/", delay=30, times=-1)
    pids = s.pg.processes()
    time.sleep(1)
    for p in pids:
        lab.kill(p, signal.SIGSTOP)
    old = s.x.workers()
    began = time.monotonic()
    s.x.reload()
    try:
        until(lambda: not any(map(lab.alive, old)), "old workers' end", 10)
        took = time.monotonic() - began
        s.require(took <= 3.5, "it took %.1f s" % took)
    finally:
        for p in reversed(pids):
            lab.kill(p, signal.SIGCONT)
    s.origin.heal()
    s.x.up()
    s.grows()
    s.end(lost=None)
    return s.wrong


def opening(o):
    """the same while a recording waits for its row: it is not begun, and its
    answer, which comes when all has been given up, finds nothing wrong"""
    s = Scene(o, durable=False, main="worker_shutdown_timeout 2s;")
    s.x.start().up()
    s.record()
    s.live(["c"])
    lock = subprocess.Popen(["psql", "-X", "-q", "-h", s.pg.dir, "-U",
                             "postgres", "-d", s.x.db, "-c",
                             "BEGIN; LOCK TABLE media_title; "
                             "SELECT pg_sleep(60)"],
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    waits = ("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
             "'Lock' AND query LIKE '%mntreamer_recording_open%'")
    pids = []
    try:
        until(lambda: s.x.rows("SELECT relation FROM pg_locks WHERE granted "
                               "AND mode = 'AccessExclusiveLock' AND relation "
                               "= 'media_title'::regclass"), "the lock")
        s.x.watch("c")
        until(lambda: s.x.rows(waits)[0]["count"], "a row that is waited for")
        s.origin.fault(match="/seg/", delay=30, times=-1)
        pids = s.pg.processes()
        for p in pids:
            lab.kill(p, signal.SIGSTOP)
        old = s.x.workers()
        s.x.reload()
        until(lambda: not any(map(lab.alive, old)), "old workers' end", 10)
    finally:
        for p in reversed(pids):
            lab.kill(p, signal.SIGCONT)
        lock.kill()
        lock.wait()
    s.origin.heal()
    s.x.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
             "WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()")
    s.x.up()
    s.names.append("c")
    s.grows()
    s.end(lost=None)
    return s.wrong


WRONG = [                                      # what stands in nginx.conf
    ("storage ", "storage relative/"), ("storage ", "#"),
    ("storage ", "storage /proc/1/nowhere "), ("storage ", "storage /; #"),
    ("storage ", "storage /nonexistent/a/b; #"), ("database ", "#"),
    ("database ", "database file:/nonexistent; #"),
    ("database ", "database env:MNT_IS_NOT_SET; #"),
    ("database ", "database 'host=db.example.com dbname=x'; #"),
    ("database ", "database nonsense; #"), ("backoff ", "backoff 0 "),
    ("backoff ", "backoff 1s*"), ("backoff_jitter ", "backoff_jitter 101%; #"),
    ("node ", "node a b c "), ("mntreamer {", "mntreamer { mntreamer {"),
    ("mntreamer {", "mntreamer {} mntreamer {"), ("mntreamer {", "mntreamer"),
    ("mntreamer {", "mntreamer { nothing;"), ("fetch_allow", "fetch_allow x"),
    ("mntreamer {", "mntreamer { lease 1y;"),
    ("mntreamer {", "mntreamer { layout x;"),
    ("mntreamer {", "mntreamer { durability never;"),
    ("mntreamer {", "mntreamer { poll_rate 0r/s;"),
    ("mntreamer {", "mntreamer { streamer nowhere x;"),
    ("mntreamer {", "mntreamer { platform rtmp { thumbnail 1ms; }"),
    ("mntreamer {", "mntreamer { platform rtmp { poll_rate 1r/s; }"),
    ("cookies ", "cookies /nonexistent/"), ("api ", "api ftp://"),
    ("load_module ", "load_module /nonexistent"),
    ("listen 127.0.0.1:", "listen 256.0.0.1:"),
    ("mntreamer_api;", "mntreamer_api on off;"), ("events ", "event "),
]


def misconfigured(o):
    """thirty wrong configurations and one without the module: what is
    recorded is not touched"""
    s = Scene(o)
    s.x.start().up()
    s.record()
    conf = s.x.dir + "/nginx.conf"
    with open(conf) as f:
        good = f.read()
    before = s.x.workers()
    for i, (old, new) in enumerate(WRONG):
        with open(conf, "w") as f:
            f.write(good.replace(old, new, 1))
        said = s.x.log().count("[emerg]")
        s.x.reload()
        until(lambda: s.x.log().count("[emerg]") > said,
              "a refusal of %s" % new, 5, 0.01)
    s.require(len(set(WRONG)) >= 30, "only %d" % len(WRONG))
    s.require(s.x.workers() == before, "workers changed")
    s.grows(2)

    with open(conf, "w") as f:
        block = re.search(r"(?m)^mntreamer \{.*?^\}$", good, re.S).group()
        f.write(re.sub(r"mntreamer_\w+;", "", good.replace(block, "")))
    s.x.reload()
    until(lambda: not set(before) & set(s.x.workers()), "old workers' end", 8)
    s.x.write_config()
    s.x.reload()
    s.x.up()
    s.grows(2)
    s.end(allow=r"\[emerg\]")
    return s.wrong


def stopped(o):
    """QUIT and TERM by turns while it records, and started again"""
    times = int(os.environ.get("MNT_TIMES", "4"))
    s = Scene(o)
    s.x.start().up()
    s.record()
    for i in range(times):
        sig = (signal.SIGQUIT, signal.SIGTERM)[i % 2]
        began = time.monotonic()
        s.require(s.x.stop(sig, 6), "%s does not end it" % sig.name)
        took = time.monotonic() - began
        s.require(took < (4 if sig == signal.SIGQUIT else 1.5),
                  "%s took %.1f s" % (sig.name, took))
        s.x.start().up()
        s.grows(1)
    s.end()
    return s.wrong


TESTS = [gap_row, mutex, master, overlap, descriptors, crowded, rush,
         single, foreground, timeout, opening, misconfigured, stopped]


def main():
    chosen = [t for t in TESTS if not sys.argv[1:]
              or t.__name__ in sys.argv[1:]]
    print("1..%d" % len(chosen), flush=True)
    failed = 0
    for i, test in enumerate(chosen, 1):
        try:
            with Lab(1, "life") as o:
                wrong = test(o)
        except Exception as e:
            traceback.print_exc()
            wrong = ["%s: %s" % (type(e).__name__, e)]
        text = re.sub(r"\s+", " ", test.__doc__)
        print("%s %d - %s" % ("not ok" if wrong else "ok", i, text))
        for w in wrong[:20]:
            print("# " + w)
        failed += bool(wrong)
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


main()
