"""The library: cuts, clips, exports, the trash, each asked for at random while
workers, all of nginx or connections to the database are killed at random.

What was answered holds, whatever was killed; what was not answered has
happened as a whole or not at all.  Of what is left nothing is an orphan.
"""

import http.client
import os
import re
import shutil
import subprocess
import threading
import time

import checker
import lab
from lab import Lab

NUMBER = 15
CLAIM = ("operations of the library killed at random points: every recording "
         "plays, what was answered holds, 0 orphan files")

SEGMENTS = 20
NAMES = ["ts-0", "ts-1", "ts-2", "mp4-0", "mp4-1"]


def media(directory, kind):
    """segments of a second each; the directory"""
    os.mkdir(directory)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i",
         "testsrc2=size=160x120:rate=25", "-f", "lavfi", "-i",
         "sine=sample_rate=48000", "-t", str(SEGMENTS), "-c:v", "libx264",
         "-preset", "ultrafast", "-bf", "0", "-g", "25", "-keyint_min", "25",
         "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac",
         "-threads", "1", "-f", "hls", "-hls_time", "1", "-hls_list_size",
         "0"] + (["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename",
                  "init.mp4"] if kind == "fmp4" else [])
        + ["-hls_segment_filename", directory + "/%d.ts",
           directory + "/list.m3u8"], check=True)
    return directory


class Library:
    """recordings that are over, and what was answered about each"""

    def __init__(self, f, box, pg, origin):
        self.f, self.box, self.rng = f, box, f.rng
        kinds = {k: media("%s/%s" % (box.dir, k), k) for k in ("ts", "fmp4")}
        for n in NAMES:
            kind = "ts" if n.startswith("ts") else "fmp4"
            origin.channel(n, live=True, manual=True, dur=1, target=1,
                           window=SEGMENTS, bodies=kinds[kind],
                           **({} if kind == "ts" else {"kind": "fmp4"}))
        self.x = x = box.nginx(pg, origin, workers=2, mntreamer=(
            "resume_window 1s; trash 1h; jobs 2;"))
        x.up().watch(*NAMES)
        for n in NAMES:
            origin.tell("/_/advance/" + n, n=SEGMENTS)
        box.until(lambda: len(x.recordings()) == len(NAMES) and all(
            r["segments"] == SEGMENTS for r in x.recordings()),
            "the recordings", 60)
        for n in NAMES:
            origin.channel(n, live=False, endlist=True)
        box.until(lambda: len(x.recordings("&status=recorded")) == len(NAMES),
                  "their end", 60)
        self.whole = {r["id"]: self.hashes(r["url"]) for r in x.recordings()}
        self.clips = {}                        # id: of which one
        self.trashed = set()
        self.unsure = set()                    # ids: an answer was lost
        self.answered = self.lost = self.refused = 0

    def listed(self):
        return self.x.get("/api/v1/recordings?limit=500").json()["items"]

    def path(self, url):
        return self.x.storage + url[len("/recordings"):]

    def hashes(self, url):
        """of each file that the recording consists of"""
        d = os.path.dirname(self.path(url))
        return {n: lab.sha256_file(os.path.join(d, n))
                for n in sorted(os.listdir(d))
                if re.search(r"^(init-\d+\.mp4|\d+\.(ts|m4s))$", n)}

    # each asks for one thing; what it answers is in one of three sets

    def ask(self, method, path, body=None, good=(200, 201, 202, 204)):
        try:
            r = self.x.call(method, path, body, timeout=20)
        except (OSError, http.client.HTTPException):
            self.lost += 1
            return None
        if r.status in good:
            self.answered += 1
            return r
        if r.status in (404, 409, 503):
            self.refused += 1
            return r
        self.f.fail("%s %s: %d %s" % (method, path, r.status, r.body[:200]))
        return r

    def some(self):
        return self.rng.choice(sorted(set(self.whole) | set(self.clips)))

    def span(self):
        a = self.rng.randrange(SEGMENTS - 2)
        return {"begin": a, "end": self.rng.randint(a + 1, SEGMENTS - 1)}

    def cut(self):
        self.ask("POST", "/api/v1/recordings/%d/cuts" % self.some(),
                 self.span(), good=(200, 201, 400))

    def undo(self):
        i = self.some()
        r = self.ask("GET", "/api/v1/recordings/%d/cuts" % i)
        for c in (r.json()["items"] if r and r.status == 200 else []):
            self.ask("DELETE", "/api/v1/recordings/%d/cuts/%d" % (i, c["id"]))

    def clip(self):
        if len(self.clips) < 40:
            self.ask("POST", "/api/v1/recordings/%d/clips" % self.some(),
                     dict(self.span(), title="a clip"),
                     good=(201, 202, 400))

    def export(self):
        i = self.some()
        body = self.span() if self.rng.random() < 0.7 else {}
        r = self.ask("POST", "/api/v1/recordings/%d/exports" % i, body,
                     good=(200, 201, 400))
        if r and r.status in (200, 201) and self.rng.random() < 0.3:
            time.sleep(self.rng.uniform(0, 0.3))
            self.ask("DELETE", "/api/v1/jobs/%d" % r.json()["id"])

    def trash(self):
        i = self.some()
        r = self.ask("DELETE", "/api/v1/recordings/%d" % i)
        if r is None:
            self.unsure.add(i)
        elif r.status == 204:
            self.trashed.add(i)

    def restore(self):
        for i in sorted(self.trashed | self.unsure):
            r = self.ask("POST", "/api/v1/recordings/%d/restore" % i)
            if r and r.status in (200, 202):
                self.trashed.discard(i)
                self.unsure.discard(i)

    def purge(self):
        """only clips: the others are looked at until the end"""
        mine = sorted(set(self.clips) - self.trashed)
        if mine:
            i = self.rng.choice(mine)
            r = self.ask("DELETE", "/api/v1/recordings/%d?purge=1" % i)
            if r is None or r.status == 204:
                self.clips.pop(i)
                self.unsure.discard(i)

    def one(self):
        self.rng.choice([self.cut, self.cut, self.undo, self.clip, self.clip,
                         self.export, self.export, self.trash, self.restore,
                         self.purge])()

    # when nothing is killed

    def settle(self):
        """nothing is under way any more; all are brought back"""
        x = self.x
        self.box.until(lambda: x.get("/health").status == 200, "it is up", 30)
        self.unsure |= {r["id"] for r in x.recordings("&status=trash")}
        for _ in range(100):
            self.restore()
            if not self.trashed and not self.unsure:
                break
            time.sleep(0.1)
        self.box.until(lambda: not self.under_way(), "nothing is under way",
                       90, 0.2)
        self.clips = {r["id"]: r["clip_of"] for r in self.listed()
                      if r["clip_of"]}

    def under_way(self):
        return self.x.rows(
            "SELECT id FROM job WHERE state IN ('queued', 'running') OR dirty "
            "UNION ALL SELECT r.id FROM media_record r WHERE status = "
            "'deleted' AND removed_at IS NULL UNION ALL SELECT id FROM "
            "media_record WHERE status = 'recording' UNION ALL SELECT id FROM "
            "media_clip WHERE made_at IS NULL AND refused IS NULL UNION ALL "
            "SELECT id FROM media_record WHERE cut_version <> cut_applied "
            "AND status <> 'deleted'")

    def check(self):
        x, f = self.x, self.f
        listed = {r["id"]: r for r in self.listed()}
        for i in self.whole:
            if not f.require(i in listed, "recording %d is gone" % i):
                continue
            f.require(self.hashes(listed[i]["url"]) == self.whole[i],
                      "files of recording %d were changed" % i)
        for r in listed.values():
            self.plays(r)
        self.orphans(listed)

    def plays(self, r):
        a = self.x.get(r["url"])
        if not self.f.require(a.status == 200, "%s: %d" % (r["url"],
                                                           a.status)):
            return
        try:
            entries = checker.Playlist(a.body.decode()).entries
        except checker.Invalid as e:
            self.f.fail("%s: %s" % (r["url"], e))
            return
        long = sum(e.duration for e in entries)
        self.f.require(abs(long - r["duration"]) < 0.05,
                       "%s shows %.3f s, its row says %.3f"
                       % (r["url"], long, r["duration"]))
        d = os.path.dirname(self.path(r["url"]))
        for e in entries:
            self.f.require(os.path.exists(os.path.join(d, e.key()[0])),
                           "%s lists %s, which is not there"
                           % (r["url"], e.key()[0]))
        cuts = self.x.get("/api/v1/recordings/%d/cuts" % r["id"]).json()
        for c in cuts["items"]:
            self.f.require(c["applied"], "a cut of %d is not applied" % r["id"])
        self.f.require(r["cut"] > 0 or not cuts["items"],
                       "cuts of %d hide nothing" % r["id"])

    def decoded(self):
        """ffmpeg plays each as a whole"""
        for r in self.listed():
            p = subprocess.run(
                ["ffmpeg", "-v", "error", "-nostdin", "-i", "http://127.0.0.1:"
                 "%d%s" % (self.x.port, r["url"]), "-f", "null", "-"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said = [l for l in p.stdout.decode().splitlines()
                    if "non monotonically increasing dts" not in l]
            self.f.require(p.returncode == 0 and not said, "ffmpeg of %s: %s"
                           % (r["url"], said[:3]))

    def orphans(self, listed):
        """directories are those of rows, and files what rows tell"""
        x = self.x
        paths = {os.path.dirname(self.path(r["url"])): r
                 for r in listed.values()}
        results = {}
        for j in x.rows("SELECT recording_id AS id, file FROM job "
                        "WHERE state = 'done'"):
            results.setdefault(j["id"], set()).add(j["file"])
        for d, below, names in os.walk(x.storage):
            if not names or os.path.relpath(d, x.storage).count("/") < 3:
                continue
            r = paths.get(d)
            if not self.f.require(r, "%s is of no recording: %s"
                                  % (d, sorted(names)[:5])):
                continue
            for n in names:
                if n.endswith(".part"):
                    self.f.fail("%s/%s was left" % (d, n))
                elif n.endswith(".mp4") and not n.startswith("init-"):
                    self.f.require(n in results.get(r["id"], ()),
                                   "%s/%s is of no job" % (d, n))
            for n in results.get(r["id"], set()) - set(names):
                self.f.fail("%s/%s is not there" % (d, n))


class Ear:
    """hears what would be wrong"""

    def __init__(self):
        self.wrong = []

    def fail(self, text):
        self.wrong.append(text)

    def require(self, ok, text):
        if not ok:
            self.fail(text)
        return ok


def control(f, lib):
    """what is planted must be found: a file of nobody, one of ours that is
    gone, one that was changed, an export without its row"""
    i = min(lib.whole)
    url = next(r["url"] for r in lib.listed() if r["id"] == i)
    d = os.path.dirname(lib.path(url))
    one = os.path.join(d, min(lib.whole[i]))
    away = os.path.join(lib.box.dir, "away")
    other = os.path.join(os.path.dirname(d), "nobody")

    def planted(what, plant, take):
        plant()
        lib.f = Ear()
        lib.check()
        take()
        f.require(lib.f.wrong, "planted and not found: " + what)

    def write(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write("x")

    planted("a part", lambda: write(d + "/000001.ts.part"),
            lambda: os.unlink(d + "/000001.ts.part"))
    planted("an export", lambda: write(d + "/export-999999.mp4"),
            lambda: os.unlink(d + "/export-999999.mp4"))
    planted("a directory", lambda: write(other + "/000001.ts"),
            lambda: shutil.rmtree(other))
    planted("a lost file", lambda: os.rename(one, away),
            lambda: os.rename(away, one))
    shutil.copy2(one, away)
    planted("a changed file", lambda: write(one),
            lambda: shutil.copy2(away, one))
    lib.f = f
    lib.check()


class Killer(threading.Thread):
    def __init__(self, f, x, pg):
        super().__init__(daemon=True)
        self.f, self.x, self.pg = f, x, pg
        self.count = {"worker": 0, "nginx": 0, "connection": 0}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(self.f.rng.uniform(0.05, 0.6)):
            what = self.f.rng.choice(["worker"] * 6 + ["connection"] * 2
                                     + ["nginx"])
            if what == "worker":
                w = self.x.workers()
                if not w or not lab.kill(self.f.rng.choice(w)):
                    continue
            elif what == "nginx":
                self.x.crash()
                self.x.start()
            else:
                self.pg.sql("SELECT pg_terminate_backend(pid) FROM "
                            "pg_stat_activity WHERE datname = '%s' AND pid <> "
                            "pg_backend_pid() ORDER BY random() LIMIT 1"
                            % self.x.db)
            self.count[what] += 1

    def finish(self):
        self.ended.set()
        self.join(20)


def run(f):
    with Lab(f.seed, "library") as box:
        pg, origin = box.postgres(shared=f.short), box.origin()
        lib = Library(f, box, pg, origin)
        count = {}
        for i in range(2 if f.short else 12):
            killer = Killer(f, lib.x, pg)
            killer.start()
            end = time.monotonic() + (6 if f.short else 30)
            while time.monotonic() < end:
                lib.one()
            killer.finish()
            for k, n in killer.count.items():
                count[k] = count.get(k, 0) + n
            lib.settle()
            lib.check()
            f.say("%s killed, %d answered, %d refused, %d without an answer, "
                  "%d clips" % (count, lib.answered, lib.refused, lib.lost,
                                len(lib.clips)))
        lib.decoded()
        if not f.wrong:
            control(f, lib)
        f.fails(checker.check_log(lib.x, "exited on signal 9|"
                                  "bind.. to 127.0.0.1:.*in use"))
        f.require(lib.answered > 20 and sum(count.values()) > 10,
                  "too little was done")
        f.value("killed", sum(count.values()), "(%s)" % ", ".join(
            "%s %d" % kv for kv in count.items()))
        for k in ("answered", "refused", "lost"):
            f.value({"lost": "without an answer"}.get(k, k), getattr(lib, k))
        for kind in ("export", "clip"):
            f.value(kind + "s", lib.x.rows(
                "SELECT count(*)::int AS n FROM %s" % {
                    "export": "job WHERE state = 'done'",
                    "clip": "media_record WHERE clip_of IS NOT NULL"}[kind]
                )[0]["n"])
