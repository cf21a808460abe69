"""Calls that fail one at a time: allocations of the module and of the
libraries it uses, and all it does with files.

Each lane has a number of failed calls that it must reach, nearly, so that a
pass cannot mean that nothing was tried."""

import errno
import os
import re
import signal
import threading
import time

import checker
import shim
from lab import Lab, Vain, alive, fds, kill, rss_kib

NUMBER = 7
CLAIM = ("Torture: allocations and I/O calls failed one at a time, 0 crashes, "
         "0 leaks, 0 invalid playlists")

FILES = shim.FILES
ALL = FILES + ("malloc",)
SHAPE = dict(dur=0.1, window=60, size=3000, target=1)
HANG = 5.0

# what a failed allocation or a failed call makes nginx say

PROVOKED = (r"\[emerg\].*(malloc|posix_memalign|memalign)\(|"
            r"\[alert\].*(malloc|posix_memalign)\(|Cannot allocate memory|"
            r"cannot be checked, no memory")


class Lane:
    """an nginx of its own with one worker, whose calls fail"""

    def __init__(self, f, lab, pg, origin, name):
        self.f, self.lab, self.origin, self.name = f, lab, origin, name
        self.wrong = []
        self.provoked = PROVOKED
        self.forgiven = []
        self.left = 0                          # files that unlink() left there
        self.hits = 0
        self.calls = {}
        self.sh = shim.Shim("%s/%s" % (lab.dir, name))
        self.x = lab.nginx(pg, origin, workers=1, env=self.sh.env(),
                           main="env LD_PRELOAD; env FAIL_CONTROL;",
                           mntreamer="reserve 0;")
        self.x.up()
        self.worker = self.x.workers()[0]
        self.reader = checker.Reader(self.x.storage)
        self.reader.start()
        self.then = (fds(self.worker), rss_kib(self.worker))

    def until(self, cond, what, seconds=20):
        return self.lab.until(cond, "%s: %s" % (self.name, what), seconds,
                              0.02)

    def fail(self, text):
        self.wrong.append("%s: %s" % (self.name, text))

    def arm(self, calls, at, action="error"):
        self.sh.rule(0, calls, action, error=errno.EIO, at=at,
                     below=self.x.storage, delay_ms=int(HANG * 1000) + 1000)

    def disarm(self):
        self.sh.off(0)
        self.hits += self.sh.hit(0)
        return self.sh.hit(0)

    def living(self, what):
        """the worker is the one it was"""
        if not alive(self.worker):
            self.fail("the worker died: " + what)
            self.worker = self.until(self.x.workers, "another worker")[0]
            self.until(lambda: self.x.get("/health").status == 200,
                       "which is up")

    def ask(self, method, path, body=None):
        """the status, or the error; a violation when it takes too long"""
        t = time.monotonic()
        try:
            status = self.x.call(method, path, body, timeout=HANG + 3).status
        except Exception as e:                 # whatever a client may see
            status = type(e).__name__
        if time.monotonic() - t > HANG:
            self.fail("%s %s took %.1f s" % (method, path,
                                             time.monotonic() - t))
        return status

    def reached(self, n, of, what="calls failed"):
        """nearly all that was to be tried; half of it beside other tests"""
        if n < of * (0.5 if self.f.short else 0.85):
            self.fail("only %d of %d %s" % (n, of, what))

    def over(self, leaks=True):
        self.disarm()
        self.living("at the end")
        if self.ask("GET", "/alive") != 200:
            self.fail("it does not serve afterwards")
        if leaks:
            n, kib = fds(self.worker), rss_kib(self.worker)
            if n > self.then[0] + 12:
                self.fail("%d descriptors, were %d" % (n, self.then[0]))
            if kib > self.then[1] * 1.5 + 8192:
                self.fail("%d KiB resident, were %d" % (kib, self.then[1]))
        self.wrong += self.reader.finish()
        self.wrong += checker.check_log(self.x, self.provoked)
        if not self.x.stop():
            self.fail("nginx did not end by itself")

    # broadcasts

    def watch(self, name):
        """the connection to the database may have to be made again"""
        def added():
            try:
                self.x.watch(name)
                return True
            except RuntimeError:
                return False
        self.until(added, "the API takes a streamer", 10)

    def running(self):
        return [r for r in self.x.rows("SELECT * FROM media_record")
                if r["status"] == "recording"]

    def broadcast(self, *names):
        for n in names:
            self.origin.channel(n, live=True, **SHAPE)
        self.x.watch(*names)
        self.until(lambda: len(self.running()) == len(names) and all(
            r["segments"] > 3 for r in self.running()), "recordings")

    def ended(self, *names):
        for n in names:
            self.origin.channel(n, live=False, stall=True, endlist=True)
        self.until(lambda: not self.running(), "the end", 60)

    def check(self):
        """what is stored.  Losses must be written down; only a row that could
        not be written, or taken back, is forgiven, and only when the log says
        what that recording lost."""
        log = self.x.log()
        for w in checker.check_recordings(self.x, self.origin).wrong:
            m = re.match(r"I4 recording (\d+): ", w)
            if m and re.search(r"malloc\(|Cannot allocate", log) and re.search(
                    r"recording %s lost \d+ segments" % m.group(1), log):
                self.forgiven.append(w)
            elif re.match(r"I6 .*\.part is left", w) and self.left > 0:
                self.left -= 1
            else:
                self.wrong.append(self.name + ": " + w)


def requests(f, one, most):
    """each call of a request fails in turn"""
    tried = 0
    one.broadcast("req-a")
    one.ended("req-a")
    rec = one.x.recordings()[0]
    url = rec["url"]
    sid = one.x.get("/api/v1/streamers").json()["items"][0]["id"]
    rid = "/api/v1/recordings/%d" % rec["id"]
    new = {"platform": "chzzk", "channel": one.origin.channel("req-b")}
    table = [
        ("list", "GET", "/api/v1/streamers", None),
        ("recordings", "GET", "/api/v1/recordings?q=a&limit=3", None),
        ("recording", "GET", rid, None),
        ("files", "GET", rid + "?files=1", None),
        ("live", "GET", "/api/v1/live", None),
        ("add", "POST", "/api/v1/streamers", new),
        ("change", "PATCH", "/api/v1/streamers/%d" % sid, {"priority": 3}),
        ("refused", "POST", "/api/v1/streamers", {"platform": "x"}),
        ("metrics", "GET", "/metrics", None),
        ("health", "GET", "/health", None),
        ("serve", "GET", url, None),
        ("segment", "GET", url.replace("index.m3u8", "000001.ts"), None),
        ("target", "GET", "/api/v1/target-duration/"
         + url.split("/recordings/")[1], None),
    ]
    for name, method, path, body in table:
        good = one.ask(method, path, body)
        n = min(counted(one, method, path, body) for _ in range(3))
        one.calls[name] = n
        if n == 0 and name != "health":        # which asks nobody
            one.fail("%s: no call was seen" % name)
        ks = range(1, n + 1)
        if n > most:
            ks = sorted(f.rng.sample(ks, most))
        tried += len(ks)
        for k in ks:
            one.arm(ALL, k)
            status = one.ask(method, path, body)
            one.disarm()
            one.living("%s, call %d of %d" % (name, k, n))
            if status in (good, 200):
                continue

            # the connection to the database may have to be made again, and
            # until then a request makes no calls that could fail

            try:
                one.until(lambda: one.ask(method, path, body) in (good, 200),
                          "%s as before" % name, 10)
            except Vain as e:
                one.fail(str(e))
    one.reached(one.hits, tried)


def counted(one, method, path, body):
    """calls of a request; the worker does other things, too"""
    one.sh.rule(0, ALL, "count", below=one.x.storage)
    one.ask(method, path, body)
    return one.sh.seen(0)


# calls that a commit makes only behind another one that failed, and of what

BEHIND = {"unlink": ("fsync", ""), "truncate": ("write", "/index.m3u8")}


def commits(f, one, most):
    """each call of a commit fails in turn, while one recording goes on"""
    one.broadcast("commit-a")
    at = "%s/%s" % (one.x.storage, one.running()[0]["path"])
    for call in ("fsync", "write", "rename", "create", "unlink", "truncate"):
        one.calls[call] = 0
        for k in range(1, (3 if call in BEHIND else most) + 1):
            one.arm(call, k)
            if call in BEHIND:
                before, name = BEHIND[call]
                one.sh.rule(1, before, "error", error=errno.EIO,
                            below=at + name, count=0)
            t = time.monotonic()
            while not one.sh.hit(0) and time.monotonic() - t < (
                    5 if call in BEHIND else 1):
                time.sleep(0.005)
            one.sh.off(1)
            if not one.disarm():
                break
            one.calls[call] += 1
            one.living("%s %d" % (call, k))
            stored = one.running()[0]["segments"]
            try:
                one.until(lambda: one.running()[0]["segments"] > stored,
                          "%s %d: it goes on" % (call, k), 10)
            except Vain as e:
                one.fail(str(e))
        if call == "unlink":
            one.left = one.calls[call]
        least = 1 if call in BEHIND else 2 if f.short else 5
        if one.calls[call] < least:
            one.fail("only %d of %d times %s" % (one.calls[call], least, call))
    one.ended("commit-a")


def lives(f, one, calls, n):
    """broadcasts come and go while calls fail"""
    on = []                                    # (name, since)
    made = 0
    end = time.monotonic() + max(30, n)
    while one.hits < n and time.monotonic() < end:
        now = time.monotonic()
        while len(on) < 6:
            name = "%s-%d" % (one.name, made)
            made += 1
            one.origin.channel(name, live=True, **SHAPE)
            one.watch(name)
            on.append((name, now + f.rng.uniform(0, 2)))
        for name, since in list(on):
            if now - since > 3:
                one.origin.channel(name, live=False, stall=True, endlist=True)
                on.remove((name, since))
        k = f.rng.randint(1, 120 if "malloc" in calls else 40)
        one.arm(calls, k)
        t = time.monotonic()
        while not one.sh.hit(0) and time.monotonic() - t < 0.8:
            time.sleep(0.005)
        one.disarm()
        one.living("%s, call %d" % (one.name, k))
        if one.hits % 20 == 0 and one.ask("GET", "/alive") != 200:
            one.fail("it does not serve")
    one.ended(*[name for name, _ in on])
    one.calls["broadcasts"] = made
    one.reached(one.hits, n)


def successions(f, one, how, calls, n):
    """the worker is reloaded or killed, and the next one's calls fail"""
    names = ["%s-%d" % (one.name, i) for i in range(2)]
    if how == "death":
        one.provoked += "|exited on signal 9"
    one.broadcast(*names)
    one.sh.rule(0, calls, "count", below=one.x.storage)
    total = 300
    for i in range(n):
        stored = sum(r["segments"] for r in one.running())
        if i == 1:
            total = max(50, one.sh.seen(0))
        if i:
            one.arm(calls, 1 + int((i - 1 + f.rng.random()) * total / n))
        old = one.worker
        if how == "reload":
            one.x.reload()
        else:
            kill(old)
        t = time.monotonic()
        while time.monotonic() - t < 1.5 and not (i and one.sh.hit(0)):
            time.sleep(0.02)
        if i:
            one.disarm()
        else:
            one.sh.off(0)
        try:
            one.until(lambda: sum(r["segments"] for r in one.running())
                      > stored, "%s %d: recordings go on" % (how, i), 20)
            workers = one.until(lambda: one.x.workers(), "a worker")
            if how == "reload" and len(workers) > 1:
                workers = one.until(lambda: len(one.x.workers()) == 1
                                    and one.x.workers(),
                                    "%s %d: the old one goes" % (how, i), 15)
            one.worker = workers[0]
        except Vain as e:
            one.fail(str(e))
            one.worker = one.x.workers()[0]
    one.calls[one.name] = total
    one.reached(one.hits, n - 1)
    one.ended(*names)


def controls(f, one):
    """a crash and a hang must be found"""
    rec = None
    for action, word in (("kill", "died"), ("delay", "took")):
        one.arm(("malloc",) if action == "kill" else ALL, 1, action)
        one.ask("GET", "/api/v1/streamers")
        one.sh.off(0)
        time.sleep(0.05)
        one.living("control")
        found = [w for w in one.wrong if word in w]
        f.require(found, "a worker that %s was not noticed" % word)
        one.wrong = []
    one.x.stop(signal.SIGTERM)
    one.reader.finish()
    return rec


def guarded(one, call, leaks):
    """in a thread of its own"""
    try:
        call()
        one.check()
        one.over(leaks)
    except Exception as e:
        one.fail("%s: %s" % (type(e).__name__, e))


def run(f):
    with Lab(f.seed, "torture") as lab:
        pg = lab.postgres(shared=f.short)
        origin = lab.origin()

        def lane(name):
            return Lane(f, lab, pg, origin, name)

        controls(f, lane("control"))
        few = f.short
        plan = []
        one = lane("requests")
        plan.append((one, lambda o=one: requests(f, o, 12 if few else 400),
                     True))
        one = lane("commits")
        plan.append((one, lambda o=one: commits(f, o, 5 if few else 60),
                     True))
        for name, calls, n in (("files", FILES, 300),
                               ("memory", ("malloc",), 400)):
            one = lane("lives-" + name)
            plan.append((one, lambda o=one, c=calls, n=n: lives(
                f, o, c, 20 if few else n), True))
        if not few:
            for how in ("reload", "death"):
                for name, calls in (("files", FILES), ("memory", ("malloc",))):
                    one = lane("%s-%s" % (how, name))
                    plan.append((one, lambda o=one, h=how, c=calls:
                                 successions(f, o, h, c, 100), False))
        threads = [threading.Thread(target=guarded, args=p) for p in plan]
        for t in threads:
            t.start()
        told = time.monotonic()
        while any(t.is_alive() for t in threads):
            time.sleep(0.2)
            if not few and time.monotonic() - told > 20:
                told = time.monotonic()
                f.say("%d calls failed" % sum(p[0].hits for p in plan))
        for one, *_ in plan:
            f.fails(one.wrong)
            f.line("%-14s %5d calls failed, of %s" % (
                one.name, one.hits, ", ".join("%s %d" % c for c in
                                              one.calls.items())))
        f.value("calls failed", sum(p[0].hits for p in plan))
        f.value("losses that only the log tells", sum(len(p[0].forgiven)
                                                      for p in plan))
        for one, *_ in plan:
            for w in one.forgiven:
                f.line("forgiven, %s: %s" % (one.name, w))
        f.value("crashes", sum("died" in w for w in f.wrong))
