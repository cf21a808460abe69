"""Figure 9: outages of the database.

Ten channels are recorded and three recordings that are over are watched while
the database is killed, stopped, made read only and rid of its sessions, in
turn; then it comes back with what it knew ten seconds ago.
"""

import os
import shutil
import signal
import threading
import time

import checker
import lab
from lab import Lab, until

NUMBER = 9
CLAIM = ("100 outages of the database (killed, hanging, read only, sessions "
         "terminated) under recording: no segment lost, no row twice, rows "
         "complete within 5 s, finished recordings served throughout, the API "
         "answers within 5 s, 503 with Retry-After while it is away; and one "
         "that forgot the last 10 s: recording goes on, its rows come again.")

KINDS = ("killed", "stopped", "read only", "terminated")
END = ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
       " WHERE pid <> pg_backend_pid() AND datname IS NOT NULL")


class Clients(threading.Thread):
    """asks the API and notes what may not be: no answer, a slow one, one that
    is neither 200 nor 503 with Retry-After"""

    PATHS = ("/api/v1/recordings?limit=5", "/api/v1/streamers", "/health")

    def __init__(self, nginx):
        super().__init__(daemon=True)
        self.nginx = nginx
        self.wrong = []
        self.asked = self.away = 0
        self.worst = 0.0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            self.ask(self.PATHS[self.asked % len(self.PATHS)])

    def ask(self, path):
        t = time.monotonic()
        try:
            r = self.nginx.get(path, timeout=20)
        except Exception as e:             # whatever a client may see
            self.wrong.append("%s: %r" % (path, e))
            return
        took = time.monotonic() - t
        self.asked += 1
        self.worst = max(self.worst, took)
        if took >= 5:
            self.wrong.append("%s took %.1f s" % (path, took))
        if r.status == 503:
            self.away += 1
            if "retry-after" not in r.headers and path != "/health":
                self.wrong.append("%s: 503 without Retry-After" % path)
        elif r.status != 200:
            self.wrong.append("%s: %d" % (path, r.status))

    def finish(self):
        self.ended.set()
        self.join(25)
        return self


def outage(f, pg, kind, seconds):
    """from here to its return"""
    if kind == "killed":
        pg.crash()
        time.sleep(f.rng.uniform(0, min(seconds, 1)))
        pg.start()
    elif kind == "stopped":
        family = pg.processes()
        for pid in family:
            lab.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in family:
            lab.kill(pid, signal.SIGCONT)
    elif kind == "read only":
        read_only(pg, "on")
        time.sleep(seconds)
        read_only(pg, "off")
    else:
        pg.sql(END)


def read_only(pg, value):
    pg.sql("ALTER SYSTEM SET default_transaction_read_only = " + value)
    pg.sql("SELECT pg_reload_conf()")
    if value == "on":
        pg.sql(END)


def listed(x):
    """{path: segments in its playlist} of what the rows name"""
    out = {}
    for row in x.rows("SELECT path FROM media_record"):
        try:
            with open("%s/%s/index.m3u8" % (x.storage, row["path"])) as p:
                out[row["path"]] = p.read().count("\n#EXTINF:")
        except OSError:
            pass
    return out


def wait_rows(x, want, seconds=20.0):
    """how long until the rows count at least that much"""
    t = time.monotonic()

    def there():
        have = {r["path"]: r["segments"]
                for r in x.rows("SELECT path, segments FROM media_record")}
        return all(have.get(p, 0) >= n for p, n in want.items())

    until(there, "the rows", seconds)
    return time.monotonic() - t


def quiet(x):
    until(lambda: x.get("/health").status == 200, "it is up", 20)


def worst_late(x):
    """the upper end of the last bucket that anything fell into"""
    last, worst = 0.0, "0"
    for line in x.get("/metrics").body.decode().splitlines():
        if line.startswith("mntreamer_loop_lateness_seconds_bucket"):
            n = float(line.rsplit(" ", 1)[1])
            le = line.split('le="')[1].split('"')[0]
            if n > last:
                last, worst = n, le
    return worst


def finished(f, x, o):
    """recordings that are over, for those who watch"""
    names = ["old%d" % i for i in range(1 if f.short else 3)]
    for n in names:
        o.channel(n, live=True, dur=0.2, window=30, size=3000, target=1)
    x.watch(*names)
    until(lambda: len([r for r in x.recordings() if r["segments"] > 4])
          == len(names), "the old ones are recorded", 20)
    for n in names:
        o.channel(n, live=False, stall=True, endlist=True)
    until(lambda: all(r["status"] == "recorded" for r in x.recordings()),
          "and over", 60)
    return names, [r["url"] for r in x.recordings()]


def run(f):
    count, seconds = (1, 1.0) if f.short else (25, 3.0)
    names = ["c%d" % i for i in range(4 if f.short else 10)]

    with Lab(f.seed, "outages") as l:
        pg = l.postgres()
        o = l.origin()
        x = l.nginx(pg, o, workers=2, mntreamer="poll_rate 100r/s;")
        x.up()
        base = checker.Baseline(x)
        old, urls = finished(f, x, o)

        for n in names:
            o.channel(n, live=True, dur=0.2, window=30, size=3000, target=1,
                      token=3600, enforce=True)
        x.watch(*names)
        until(lambda: len([r for r in x.recordings("&status=recording")
                           if r["segments"] > 5]) == len(names),
              "recordings", 30)

        reader = checker.Reader(x.storage)
        api = Clients(x)
        viewers = [checker.Pulse(x, u) for u in urls]
        for t in [reader, api] + viewers:
            t.start()

        plan = list(KINDS) * count
        f.rng.shuffle(plan)
        drains = []
        for i, kind in enumerate(plan):
            want = None
            outage(f, pg, kind, seconds)
            want = listed(x)
            drains.append(wait_rows(x, want, 30))
            if drains[-1] > 5:
                f.fail("rows came %.1f s after \"%s\"" % (drains[-1], kind))
            quiet(x)
            time.sleep(f.rng.uniform(0, 0.5))
            if i % 10 == 9:
                f.say("%d outages, rows after %.1f s at most"
                      % (i + 1, max(drains)))

        f.value("outages", len(plan))
        f.value("rows complete after", max(drains), "s at most")
        f.value("loop never later than", worst_late(x) + " s")
        f.fails(checker.check_loop(x))

        api.finish()
        f.fails(sorted(set(api.wrong)))
        f.require(api.away or f.short, "the API never said 503")
        f.value("API answers", "%d, %d of them 503, the slowest %.2f s"
                % (api.asked, api.away, api.worst))
        for v in viewers:
            v.finish()
            f.require(not v.bad, "viewers got %s" % v.bad)
        f.value("answers to viewers", sum(v.asked for v in viewers))

        forgotten(f, l, pg, x, o, names)

        last = end_all(o, names)
        until(lambda: all(r["status"] == "recorded" for r in
                          x.recordings()), "the end", 60)
        r = checker.check_recordings(x, o, last=last)
        f.fails(r.wrong)
        f.line(r.line())
        rows = x.rows("SELECT channel_id, count(*) FROM media_record"
                      " GROUP BY 1 HAVING count(*) > 1")
        f.fails("%s has %d rows" % (w["channel_id"], w["count"]) for w in rows)
        gaps = x.rows("SELECT g.reason, g.first_sequence, g.segments, r.path"
                      " FROM media_gap g JOIN media_record r"
                      " ON r.id = g.recording_id")
        f.fails("gap in %(path)s: %(reason)s, %(segments)d from"
                " %(first_sequence)s on" % g for g in gaps)
        f.value("segments lost", r.declared + r.silent)
        f.fails(reader.finish())
        f.fails(checker.check_log(x))
        f.fails(checker.check_planted(x))
        f.fails(base.settled(fds=len(names) + 12, rss=3))


def end_all(o, names):
    for n in names:
        o.channel(n, live=False, stall=True)
    return {n: tuple(c["end"]) for n, c in o.state().items() if n in names}


def forgotten(f, l, pg, x, o, names):
    """It comes back with what it knew some seconds ago: before two of the
    recordings began, and one of them before it was claimed."""
    age = 2 if f.short else 10
    late = ["late0", "late1"]
    for n in late:
        o.channel(n, live=False, dur=0.2, window=30, size=3000, target=1)
    x.watch(*late)
    until(lambda: x.rows("SELECT FROM streamer_monitor WHERE last_at IS NOT"
                         " NULL GROUP BY () HAVING count(*) >= %d"
                         % (len(names) + 2)), "they are asked about", 20)
    copy = pg.dir + "/copy"
    pg.tool("pg_basebackup", "-h", pg.dir, "-U", "postgres", "-D", copy, "-c",
            "fast", "-X", "fetch")
    for n in late:
        o.channel(n, live=True)
    until(lambda: len([r for r in x.recordings("&status=recording")
                       if r["segments"] > 5]) == len(names) + 2,
          "the late ones are recorded", 30)
    time.sleep(age)
    before = listed(x)
    epochs = {r["path"]: r["epoch"]
              for r in x.rows("SELECT path, epoch FROM media_record")}

    pg.stop()
    shutil.rmtree(pg.dir + "/data")
    os.rename(copy, pg.dir + "/data")
    pg.start()

    took = wait_rows(x, before, 60)
    f.value("rows that were forgotten came after", took, "s")
    for r in x.rows("SELECT path, epoch FROM media_record"):
        f.require(r["epoch"] >= epochs.get(r["path"], 0),
                  "I7 the epoch of %s went back" % r["path"])
    names += late
