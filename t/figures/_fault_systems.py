"""The kinds of faults that concern a whole nginx: each has its own."""

import email.utils
import os
import random
import signal
import time

import checker
import lab
import shim

SYSTEMS = []

OPTIONS = ("poll_rate 500r/s; transfer_timeout 6s; stall_timeout 2s; "
           "playlist_timeout 3s; connect_timeout 2s; probe_timeout 4s; "
           "refresh 4s; ")


def system(row, name, quick=False):
    def add(f):
        SYSTEMS.append((row, name, f, quick))
        return f
    return add


class System:
    """an nginx and its channels, all recorded"""

    def __init__(self, box, pg, seed, env, names, options=OPTIONS, **channel):
        self.box = box
        self.rng = random.Random("%s/%d" % (box.dir.rsplit("-", 1)[0], seed))
        self.names = names
        self.origin = box.origin()
        self.wrong = []
        for n in names:
            self.origin.channel(n, **dict(
                {"live": True, "dur": 1.0, "window": 6, "target": 1,
                 "size": 1504, "keep": 2}, **channel))
        self.x = box.nginx(pg, self.origin, workers=2, backoff="1s",
                           mntreamer=options, env=env())
        self.x.up(40)

    def record(self, least=4):
        self.reader = checker.Reader(self.x.storage)
        self.reader.start()
        self.x.watch(*self.names)
        lab.until(lambda: self.all_have(least), "recordings", 40)

    def all_have(self, n):
        r = self.x.recordings()
        return len(r) == len(self.names) and all(v["segments"] >= n for v in r)

    def require(self, ok, text):
        if not ok:
            self.wrong.append(text)

    def finish(self, allow=None, lost=False, lossy=False):
        for n in self.names:
            self.origin.channel(n, state="CLOSE", stall=True)
        last = {n: tuple(c["end"]) for n, c in self.origin.state().items()}
        lab.until(lambda: all(r["status"] == "recorded"
                              for r in self.x.recordings()), "the end", 60)
        r = checker.check_recordings(self.x, self.origin, last=last)
        self.wrong += r.wrong + self.reader.finish()
        self.wrong += checker.check_log(self.x, allow)
        if lost:
            self.require(r.declared, "nothing was lost: the fault did not bite")
        elif not lossy:
            self.require(not r.declared, "%d were lost" % r.declared)
        self.require(len(self.x.recordings()) == len(self.names),
                     "%d recordings" % len(self.x.recordings()))
        return r, r.sent, self.wrong


@system("P2", "frozen-9-s")
def _(box, pg, seed, env):
    """all workers stand still longer than the window"""
    s = System(box, pg, seed, env, ["one", "two"])
    s.record()
    frozen = s.x.workers()
    for pid in frozen:
        lab.kill(pid, signal.SIGSTOP)
    time.sleep(9 + s.rng.random())
    for pid in frozen:
        lab.kill(pid, signal.SIGCONT)
    time.sleep(4)
    return s.finish(lost=True)


@system("P2", "frozen-3-s")
def _(box, pg, seed, env):
    s = System(box, pg, seed, env, ["one", "two"])
    s.record()
    frozen = s.x.workers()
    for pid in frozen:
        lab.kill(pid, signal.SIGSTOP)
    time.sleep(2 + s.rng.random())
    for pid in frozen:
        lab.kill(pid, signal.SIGCONT)
    time.sleep(4)
    return s.finish()


@system("P6", "workers-killed", True)
def _(box, pg, seed, env):
    s = System(box, pg, seed, env, ["one", "two", "three"])
    s.record()
    for _ in range(3):
        time.sleep(0.5 + s.rng.random())
        lab.kill(s.rng.choice(s.x.workers()))
    time.sleep(3)
    return s.finish(allow=r"exited on signal 9|was locked by")


@system("P6", "workers-killed-with-tokens")
def _(box, pg, seed, env):
    """each URI is another one after the restart"""
    s = System(box, pg, seed, env, ["one", "two", "three"], token=6,
               enforce=True, rename="query")
    s.record()
    for _ in range(4):
        time.sleep(1 + 2 * s.rng.random())
        lab.kill(s.rng.choice(s.x.workers()))
    time.sleep(4)
    return s.finish(allow=r"exited on signal 9|was locked by")


@system("P6", "reloads")
def _(box, pg, seed, env):
    s = System(box, pg, seed, env, ["one", "two", "three"])
    s.record()
    for _ in range(3):
        s.x.reload()
        time.sleep(2 + 2 * s.rng.random())
    return s.finish()


@system("N6", "clock-jumps")
def _(box, pg, seed, env):
    """an hour back, an hour ahead, ten years ahead, and back again"""
    sh = shim.Shim(box.dir)
    more = sh.env()
    s = System(box, pg, seed, lambda: env([more.pop("LD_PRELOAD")], **more),
               ["one", "two"])
    os.chmod(sh.path, 0o666)
    s.record()
    for seconds in (-3600, 3600, 315576000, 1, 0):
        sh.clock(seconds)
        t = time.time()
        time.sleep(4)
        loads = [r["t"] for r in s.origin.truth()
                 if "/media/" in r.get("path", "") and r["t"] >= t]
        s.require(4 <= len(loads) <= 2 * 4 * 2 + 4,
                  "%d loads of 2 playlists in 4 s after a jump of %d s"
                  % (len(loads), seconds))
    return s.finish()


@system("G7", "20-slow-of-40")
def _(box, pg, seed, env):
    """those that are not slow lose nothing"""
    good = ["good-%d" % i for i in range(20)]
    slow = ["slow-%d" % i for i in range(20)]
    s = System(box, pg, seed, env, good)
    for n in slow:
        s.origin.channel(n, live=True, dur=1.0, window=6, target=1, size=1504)
    s.record()
    s.x.watch(*slow)
    s.origin.fault(match="/hls/slow-.*/seg/", times=-1, dribble=1.0)
    time.sleep(12)
    for n in slow:
        s.origin.channel(n, state="CLOSE", stall=True)
    s.origin.heal()
    last = {n: tuple(c["end"]) for n, c in s.origin.state().items()
            if n in good}
    for n in good:
        s.origin.channel(n, state="CLOSE", stall=True)
    lab.until(lambda: all(r["status"] == "recorded"
                          for r in s.x.recordings()), "the end", 60)
    r = checker.check_recordings(s.x, s.origin, last=last)
    s.wrong += r.wrong + s.reader.finish() + checker.check_log(s.x)
    s.wrong += checker.check_loop(s.x, 1.0)
    lost = [v["channel_name"] for v in s.x.recordings()
            if v["channel_name"] in good and v["gaps"]]
    s.require(not lost, "lost segments: %s" % lost)
    return r, r.sent, s.wrong


@system("A3", "40-schedules-of-flaps")
def _(box, pg, seed, env):
    names = ["flap-%d" % i for i in range(40)]
    s = System(box, pg, seed, env, names, size=752)
    s.record()
    steps = []
    for n in names:
        t = s.rng.random()
        while t < 14:
            steps.append({"at": t, "channel": n, "set": {
                "state": s.rng.choice(["CLOSE", "CLOSE", "PAUSED"])}})
            t += 0.05 + s.rng.expovariate(1.0)
            steps.append({"at": t, "channel": n, "set": {"state": None}})
            t += 0.05 + s.rng.expovariate(0.7)
    s.origin.script(seed, steps)
    time.sleep(max(t["at"] for t in steps) + 1)
    return s.finish()


def asked(origin, since, until):
    return sorted(r["t"] for r in origin.truth() if since <= r["t"] < until
                  and "/channels/" in r.get("path", ""))


@system("A1", "limit-of-20-a-second")
def _(box, pg, seed, env):
    """429 above it, from two workers that would ask 60 times"""
    o = box.origin()
    ids = [o.channel("off-%d" % i) for i in range(60)]
    x = box.nginx(pg, o, workers=2, backoff="1s", env=env(),
                  mntreamer="poll_rate 100r/s;")
    x.up(40)
    x.call("POST", "/api/v1/streamers", {"items": [
        {"platform": "chzzk", "channel": i} for i in ids]})
    lab.until(lambda: len(x.get("/api/v1/streamers?limit=200").json()["items"])
              == len(ids), "streamers")
    o.limit(20)
    began = time.time()
    time.sleep(25)
    wrong = checker.check_log(x)
    times = asked(o, began + 5, began + 25)
    if len(times) > 20 * 20 * 1.05:
        wrong.append("%.1f requests a second" % (len(times) / 20))
    if len(times) < 20 * 4:
        wrong.append("only %.1f requests a second" % (len(times) / 20))
    seen = {}
    for r in o.truth():
        if r["t"] >= began + 5 and "/channels/" in r.get("path", ""):
            key = r["path"].split("/channels/")[1].split("/")[0]
            seen.setdefault(key, []).append(r["t"])
    fair = len(times) // len(ids) // 3         # 2 at the whole rate
    starved = [i for i in ids if len(seen.get(i, [])) < fair]
    if starved:
        wrong.append("%d channels were starved" % len(starved))
    return None, 0, wrong


@system("A1", "retry-after")
def _(box, pg, seed, env):
    """seconds, a date, nonsense, and so much that it must be bounded"""
    o = box.origin()
    ids = [o.channel("off-%d" % i) for i in range(10)]
    x = box.nginx(pg, o, workers=2, backoff="200ms", env=env(),
                  mntreamer="poll_rate 200r/s;")
    x.up(40)
    x.call("POST", "/api/v1/streamers", {"items": [
        {"platform": "chzzk", "channel": i} for i in ids]})
    lab.until(lambda: len(asked(o, 0, time.time() + 1)) > 40, "polls")
    wrong = []

    def answered(header, least, most):
        mark = time.time()
        value = header() if callable(header) else header
        o.fault(match="live-status", status=429, times=1,
                headers={"Retry-After": value})
        hit = lab.until(lambda: [r["t"] for r in o.truth() if r["t"] >= mark
                                 and r.get("status") == 429], "a 429", 20)
        time.sleep(most + 0.5)
        # what was under way when the answer came is let pass
        after = asked(o, hit[0] + 0.15, hit[0] + least - 0.1)
        if after:
            wrong.append("%s: %d requests before %.1f s" % (value, len(after),
                                                            least))
        if most < 9 and not asked(o, hit[0], hit[0] + most + 0.5):
            wrong.append("%s: none within %.1f s" % (value, most))

    answered("3", 3, 6)
    answered(lambda: email.utils.formatdate(time.time() + 4, usegmt=True),
             2.5, 7)
    answered("soon", 0.9, 6)
    answered("1000000000", 9, 9)
    return None, 0, wrong + checker.check_log(x)
