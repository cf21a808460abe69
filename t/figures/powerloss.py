"""Power cuts: an ext4 image on a loop device is shut down without a flush of
its journal while nginx records into it; what the image holds then is copied,
mounted, and nginx goes on with the same recordings from there.

What a reader ever saw in a playlist counts as acknowledged: its file and the
journal's line are to be on the disk before it is listed.  A device that loses
what it was given without a flush is not simulated.
"""

import os
import random
import re
import subprocess
import threading
import time

import checker
import shim
import volume
from lab import Lab, Vain

NUMBER = 3
CLAIM = ("300 simulated power losses: 0 segments acknowledged as durable were "
         "lost, recovery automatic")

SHAPE = dict(dur=0.2, size=6000, target=1)

# a source that keeps 1 s brings nothing back, one that keeps 6 s loses nothing

WINDOWS = (5, 30)
MODES = {                                      # what may be lost, in seconds
    "segment": ("durability segment;", 0),
    "interval": ("durability interval=200ms;", 1.0),
    "none": ("durability none;", None),
}


class Acks(threading.Thread):
    """what a reader of the playlists was told, and when"""

    def __init__(self, paths, wrong):
        super().__init__(daemon=True)
        self.paths = paths
        self.wrong = wrong
        self.seen = {p: [] for p in paths}     # (time, key of the entry)
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def look(self, path):
        try:
            with open(path, newline="") as f:
                text = f.read()
            entries = checker.Playlist(text).entries
        except OSError:
            return None
        except checker.Invalid as e:
            self.wrong.append("I5 %s: %s" % (path, e))
            return None
        return [e.key() for e in entries]

    def run(self):
        while not self.ended.wait(0.01):
            with self.lock:
                for p in self.paths:
                    keys = self.look(p)
                    if keys is None:
                        continue
                    known = self.seen[p]
                    if keys[:len(known)] != [k for _, k in known]:
                        self.wrong.append("I5 %s: entries were changed" % p)
                    now = time.monotonic()
                    self.seen[p] = known[:len(keys)] + [
                        (now, k) for k in keys[len(known):]]

    def finish(self):
        self.ended.set()
        self.join(10)


class Lane:
    """recordings that go through one power cut after the other"""

    def __init__(self, f, lab, pg, origin, name, mode, window=5, preload=None):
        self.f, self.lab, self.origin = f, lab, origin
        self.name, self.mode = name, mode
        conf, self.rpo = MODES[mode]
        self.wrong = []
        self.honest = preload is None
        self.cuts = self.acked = self.taken = 0
        self.number = 0
        self.volume = volume.Ext4(lab, self.image(), name, 48)
        self.names = ["%s-%s" % (name, c) for c in "ab"]
        for n in self.names:
            origin.channel(n, live=True, window=window, **SHAPE)
        self.x = lab.nginx(pg, origin, workers=1, mntreamer=conf,
                           storage=self.volume.storage(),
                           env=preload.env() if preload else None)
        self.x.up().watch(*self.names)
        self.wait(lambda: len(self.rows()) == 2
                  and all(r["segments"] > 3 for r in self.rows()),
                  "two recordings")
        self.acks = Acks(self.playlists(), self.wrong)
        self.acks.start()

    def image(self):
        return "%s/%s-%d.img" % (self.lab.dir, self.name, self.number)

    def wait(self, cond, what, seconds=30):
        return self.lab.until(cond, "%s: %s" % (self.name, what), seconds,
                              0.02)

    def rows(self):
        return self.x.rows("SELECT id, path, segments, status FROM media_record"
                           " WHERE status <> 'deleted' ORDER BY id")

    def playlists(self):
        return ["%s/%s/index.m3u8" % (self.x.storage, r["path"])
                for r in self.rows()]

    def cut(self):
        """the power goes and comes back"""
        self.volume.cut()
        self.x.crash()
        time.sleep(0.02)                       # what was on its way to the disk
        self.number += 1
        old = self.volume
        old.copy(self.image())
        old.unmount()
        os.unlink(old.image)
        self.volume = volume.Ext4(self.lab, self.image(), self.name)
        self.cuts += 1

    # the reader is held back from the cut until it was compared

    def recover(self, cut_at, rows):
        before = {p: self.inode(p) for p in self.acks.paths}
        self.x.start()
        if self.rpo is None:
            self.follow(before)
        for p, row in zip(self.acks.paths, rows):
            try:
                keys = self.wait(lambda: self.inode(p) not in (
                    None, before.get(p)) and self.acks.look(p),
                    "the recovery of " + p, 30 if self.honest else 5)
            except Vain:
                if self.honest:
                    raise
                keys = self.acks.look(p) or []     # the control: what is left
            self.compare(p, keys, cut_at, row)

    def follow(self, before):
        """without durability the whole directory may be gone: then there is a
        new recording"""
        def there():
            now = self.playlists()
            return len(now) == 2 and all(
                self.inode(p) not in (None, before.get(p))
                and self.acks.look(p) for p in now) and now
        self.acks.paths[:] = self.wait(there, "the recovery, or another one")
        for p in self.acks.paths:
            self.acks.seen.setdefault(p, [])

    @staticmethod
    def inode(path):
        try:
            return os.stat(path).st_ino
        except OSError:
            return None

    def compare(self, path, keys, cut_at, row):
        known = self.acks.seen[path]
        if self.rpo is None:
            due = 0
        else:
            due = sum(1 for t, _ in known if self.rpo == 0
                      or t < cut_at - self.rpo)
        self.acked += due
        for i in range(due):
            if i >= len(keys) or keys[i] != known[i][1]:
                self.wrong.append("I2 cut %d of %s: entry %d of %d that were "
                                  "seen is %s" % (self.cuts, path, i, due,
                                                  keys[i] if i < len(keys)
                                                  else "gone"))
                break
        if self.rpo == 0 and len(keys) < row["segments"]:
            self.wrong.append("I2 cut %d of %s: %d entries, the row said %d"
                              % (self.cuts, path, len(keys), row["segments"]))
        self.taken += sum(1 for t, k in known if k not in keys)
        now = time.monotonic()
        self.acks.seen[path] = [(now, k) for k in keys]
        self.whole(path, keys)

    def whole(self, path, keys):
        for key in keys:
            if key[3]:                         # a gap has no file
                continue
            file = os.path.join(os.path.dirname(path), key[0])
            try:
                with open(file, "rb") as f:
                    body = f.read()
            except OSError as e:
                self.wrong.append("I1 cut %d: %s" % (self.cuts, e))
                continue
            if len(body) < 5000 or body.count(0) > len(body) // 2:
                self.wrong.append("I1 cut %d: %s has %d bytes, %d are 0"
                                  % (self.cuts, file, len(body),
                                     body.count(0)))

    def once(self, after):
        """one power cut, so long after the last start"""
        time.sleep(after)
        rows = self.rows()
        with self.acks.lock:
            cut_at = time.monotonic()
            self.cut()
            self.recover(cut_at, rows)

    def twice(self):
        """a recovery that has nothing to do changes nothing"""
        for n in self.names:
            self.origin.channel(n, stall=True)
        self.quiet()
        self.once(0)
        self.quiet()
        self.x.crash()
        first = self.state()
        with self.acks.lock:
            self.recover(time.monotonic(), self.rows())
        self.quiet()
        self.x.crash()
        if self.state() != first:
            self.wrong.append("I6 %s: the second recovery changed something"
                              % self.name)
        stored = [r["segments"] for r in self.rows()]
        self.x.start()
        for n in self.names:
            self.origin.channel(n, stall=False)
        self.wait(lambda: all(r["segments"] > n for r, n
                              in zip(self.rows(), stored)), "it goes on")

    def state(self):
        files, rows, gaps = checker.snapshot(self.x)
        return ({n: h for n, h in files.items() if not n.endswith(".part")},
                rows, gaps)

    def quiet(self):
        """until all that is published is listed and written"""
        last = None
        for _ in range(60):
            time.sleep(0.35)
            now = ([len(self.acks.look(p) or []) for p in self.acks.paths],
                   self.rows())
            if now == last:
                return
            last = now

    def finish(self):
        for n in self.names:
            self.origin.channel(n, live=False, stall=True, endlist=True)
        last = {n: tuple(c["end"]) for n, c in self.origin.state().items()
                if n in self.names}
        self.wait(lambda: all(r["status"] == "recorded" for r in self.rows()),
                  "the end", 40)
        self.acks.finish()
        r = checker.check_recordings(self.x, self.origin, last=last)

        if self.rpo is None:
            self.taken_down(r)

        # names whose journal is gone are left alone, listed by nobody

        self.wrong += [w for w in r.wrong if self.rpo == 0
                       or not w.endswith("is not listed")]
        self.wrong += checker.check_log(self.x)
        if not self.x.stop():
            self.wrong.append("%s: nginx did not end by itself" % self.name)
        self.volume.unmount()
        return r

    def taken_down(self, r):
        """without durability directories are gone as a whole: their rows are
        deleted and know how much there was, but for the second in which a
        counter is written"""
        told, rows = self.x.rows(
            "SELECT coalesce(sum(segments), 0)::int AS told, count(*)::int AS "
            "rows FROM media_record WHERE status = 'deleted'")[0].values()
        late = rows * (1 + round(1 / SHAPE["dur"]))
        if r.silent > told + late:
            self.wrong.append("I4 %s: %d are lost, %d rows that are deleted "
                              "tell %d" % (self.name, r.silent, rows, told))
            return
        r.wrong = [w for w in r.wrong if not re.search(
            "was sent and is not stored$|was listed|missing between", w)]
        r.declared += r.silent
        r.silent = 0

    def abandon(self):
        self.acks.finish()
        self.x.crash()
        self.volume.unmount()


def lane(f, lab, pg, origin, i, mode, cuts, out):
    """a lane from its begin to its end, in a thread of its own"""
    name = "lane%d" % i
    rng = random.Random("%d/%d" % (f.seed, i))
    try:
        one = Lane(f, lab, pg, origin, name, mode, WINDOWS[i % 2])
        for i in range(cuts - 1):
            one.once(rng.uniform(0.2, 1.5) + (one.rpo or 0))
        one.twice()
        r = one.finish()
        out.append((mode, one.cuts, one.acked, one.taken, r, one.wrong))
    except Exception as e:
        out.append((mode, 0, 0, 0, None, ["%s: %s: %s" % (
            name, type(e).__name__, e)]))


def lies(f, lab, pg, origin):
    """the control: an fsync that does nothing must be found out, as entries
    that were seen and are gone, or as files without their contents"""
    sh = shim.Shim(lab.dir)
    sh.rule(0, "fsync", "lie", below=lab.dir, count=0)
    one = Lane(f, lab, pg, origin, "lie", "segment", preload=sh)
    lost = []
    try:
        for i in range(3):

            # what is there so far is on the disk, and the rest is not

            subprocess.run(["sync", "-f", one.volume.path], check=True)
            one.once(0.8)
            lost = [w for w in one.wrong if w.startswith(("I1 cut", "I2 cut"))]
            if lost:
                break
    finally:
        one.abandon()
    f.require(sh.hit(0) > 0, "no fsync was told as done")
    f.require(lost, "an fsync that does nothing was not found out: %s"
              % one.wrong[:3])
    f.value("found when fsync does nothing", len(lost), "losses")


def run(f):
    with Lab(f.seed, "powerloss") as lab:
        why = volume.missing(lab)
        if why and f.short:
            f.skip(why)
        elif f.require(not why, why):
            everything(f, lab)


def everything(f, lab):
    pg = lab.postgres(shared=f.short)
    origin = lab.origin()
    lies(f, lab, pg, origin)

    plan = [("segment", 3)] if f.short else (
        [("segment", 15)] * 16 + [("interval", 15)] * 2 + [("none", 15)] * 2)
    out = []
    running = []
    for i, (mode, cuts) in enumerate(plan):
        t = threading.Thread(target=lane, args=(
            f, lab, pg, origin, i, mode, cuts, out))
        t.start()
        running.append(t)
        while len([t for t in running if t.is_alive()]) >= (1 if f.short
                                                            else 4):
            time.sleep(0.2)
        if not f.short and len(out) % 4 == 0:
            f.say("%d cuts" % sum(o[1] for o in out))
    for t in running:
        t.join()

    for mode in MODES:
        mine = [o for o in out if o[0] == mode]
        if mine:
            f.line("%-8s %3d cuts, %5d entries to be there, %4d entries taken "
                   "back, %d stored at the end" % (
                       mode, sum(o[1] for o in mine), sum(o[2] for o in mine),
                       sum(o[3] for o in mine),
                       sum(o[4].stored for o in mine if o[4])))
        for o in mine:
            f.fails(o[5])
    f.value("cuts", sum(o[1] for o in out))
    f.value("acknowledged and looked for", sum(o[2] for o in out))
    f.value("lost and written down", sum(o[4].declared for o in out if o[4]))
    f.value("lost silently", sum(o[4].silent for o in out if o[4]))
