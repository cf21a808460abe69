"""Workers die by SIGKILL, half of them at a random moment, half at a named place
of the commit, of the recovery or of a critical section of shared memory; what
they recorded is complete."""

import os
import time

import checker
import lab
from lab import Lab

NUMBER = 2
CLAIM = ("1,000 SIGKILLs of the worker while recording 20 channels: 0 complete "
         "segments lost, 0 duplicates, playlist valid at every read")

# those of the commit come by all the time, the others when one takes over
COMMIT = ["part_opened", "part_written", "commit_finished", "commit_synced",
          "commit_journalled", "commit_rename", "commit_renamed",
          "commit_listed"]
LOCK = ["limit_locked", "limit_taken"]         # while it holds the zone's mutex
OPEN = ["whole_written", "whole_renamed", "open_journalled", "open_listed",
        "open_rename", "open_dropped"]


def owned(pid):
    """the playlists it holds open"""
    out = set()
    try:
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                path = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            except OSError:
                continue
            if path.endswith(".m3u8"):
                out.add(path)
    except OSError:
        pass
    return out
GROUPS = [COMMIT, LOCK, COMMIT, OPEN]


def listed(counts):
    return ", ".join("%s %d" % kv for kv in sorted(counts.items())) or "none"


class Killer:
    def __init__(self, f, x, inject, growth):
        self.f = f
        self.x = x
        self.inject = inject
        self.growth = growth
        self.master = x.master()
        self.places = {}
        self.missed = {}
        self.kills = self.turn = 0

    def workers(self):
        return [p for p in lab.family(self.master) if lab.alive(p)]

    def at_random(self):
        def one():
            w = self.workers()
            return w and self.f.rng.choice(w)

        pid = lab.until(one, "a worker", 5, 0.002)
        paths = owned(pid)
        now = time.monotonic()
        lab.kill(pid)
        self.died("random", paths, now)

    def died(self, where, paths, now):
        self.growth.harm(paths, now)
        self.places[where] = self.places.get(where, 0) + 1
        self.kills += 1

    def at_place(self, place, seconds=0.8):
        """when somebody comes by"""
        seen = {}
        end = time.monotonic() + seconds
        self.inject.arm(place, self.f.rng.randint(1, 3))
        if place in OPEN or place in LOCK:
            self.at_random()
        while True:
            for pid in lab.family(self.master):
                if lab.alive(pid):
                    seen[pid] = owned(pid) or seen.get(pid, set())
            now = time.monotonic()
            if self.inject.left() == 0:
                break
            if now > end:
                self.missed[place] = self.missed.get(place, 0) + 1
                self.inject.disarm()
                return
            time.sleep(0.005)
        dead = [seen[p] for p in seen if not lab.alive(p)]
        self.died(place, set().union(*dead), now)

    def one(self):
        rng = self.f.rng
        if self.places.get("random", 0) * 2 <= self.kills:
            self.at_random()
        else:
            self.turn += 1
            self.at_place(rng.choice(GROUPS[self.turn % len(GROUPS)]))


def run(f):
    kills, channels = (8, 6) if f.short else (1000, 20)
    names = ["k%d" % i for i in range(channels)]

    with Lab(f.seed, "kills") as o:
        pg = o.postgres(shared=f.short)
        origin = o.origin()
        for n in names:
            origin.channel(n, live=True, dur=0.25, window=24, size=3000,
                           target=1, dates=False)
        inject = lab.Inject(o.dir + "/inject")
        x = o.nginx(pg, origin, workers=2, module=lab.INJECT,
                    mntreamer="poll_rate 1000r/s;",
                    main="env MNT_INJECT_FILE;",
                    env={"MNT_INJECT_FILE": inject.path}).up()
        base = checker.Baseline(x)        # and connections kept by libcurl
        x.watch(*names)
        o.until(lambda: sum(r["segments"] > 4 for r in x.recordings())
                == channels, "recordings", 30)

        reader = checker.Reader(x.storage, pause=0.01 if f.short else 0.03)
        growth = checker.Growth(x.storage)
        reader.start()
        growth.start()
        killer = Killer(f, x, inject, growth)
        began = time.monotonic()
        loads = []
        while killer.kills < kills:
            due = time.monotonic() + f.rng.uniform(0.3, 0.5)
            done = killer.kills // 100
            killer.one()
            if killer.kills // 100 != done:
                loads.append(os.getloadavg()[0])
                f.say("%d kills, load %.1f" % (killer.kills, loads[-1]))
            time.sleep(max(0, due - time.monotonic()))
        seconds = time.monotonic() - began
        o.until(lambda: growth.waiting() == 0, "all go on", 15)
        took = growth.finish()

        for n in names:
            origin.channel(n, live=False, stall=True)
        last = {n: tuple(c["end"]) for n, c in origin.state().items()}
        o.until(lambda: all(r["status"] == "recorded"
                            for r in x.recordings()), "the end", 60)
        r = checker.check_recordings(x, origin, last=last)
        f.fails(r.wrong)
        f.fails(reader.finish())
        f.fails(checker.check_log(x, r"exited on signal 9|was locked by"))
        f.fails(base.check(fds=channels + 8, rss=8))
        f.require(r.declared + r.silent == 0,
                  "%d segments lost" % (r.declared + r.silent))
        f.require(len(x.recordings()) == channels, "%d recordings of %d"
                  % (len(x.recordings()), channels))
        p99 = checker.quantile(took, 0.99)
        f.require(p99 <= 2.0, "restart to first commit, p99: %.2f s" % p99)
        f.line(r.line())
        f.value("killed with the mutex locked", x.log().count("was locked by"))
        f.line("killed at: " + listed(killer.places))
        f.line("not passed in time: " + listed(killer.missed))
        f.value("kills", killer.kills)
        f.value("kill every", 1000 * seconds / killer.kills, "ms")
        f.value("segments", r.stored)
        f.value("playlists read", reader.reads)
        f.value("restart to first commit p50", checker.quantile(took, .5), "s")
        f.value("p99", p99, "s")
        f.value("worst", took[-1] if took else 0, "s")
        f.value("load", round(max(loads + [os.getloadavg()[0]]), 1))
