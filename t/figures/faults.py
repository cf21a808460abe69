"""Figure 6: the platform and the network misbehave, each kind of fault in a
channel of its own, all channels of a seed at once; some kinds need an nginx of
their own."""

import glob
import json
import os
import re
import subprocess
import threading
import time

import checker
import lab
from lab import Lab
import _fault_kinds
import _fault_systems

NUMBER = 6
ONLY = "FAULTS_ONLY"
CLAIM = ("Each kind of fault of the platform, the network and the clock, five "
         "times: every run ends recovered or with the loss written down, 0 "
         "crashes, 0 silent gaps, requests within bounds.")

PRELOAD = lab.TOP + "/build/figures/faults_preload.so"
SAN = lab.TOP + "/build/san/ngx_mntreamer_module.so"

OPTIONS = ("poll_rate 500r/s; transfer_timeout 6s; stall_timeout 2s; "
           "playlist_timeout 3s; connect_timeout 2s; probe_timeout 4s; "
           "refresh 4s;")


class Certificates:
    """a CA of our own and what can be wrong with a certificate"""

    def __init__(self, directory):
        self.dir = directory
        os.mkdir(directory)
        self.file("cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\n"
                  "new_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\n"
                  "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
                  % (directory, directory))
        self.file("index", "")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                     "/CN=figures", "-keyout", "ca.key", "-out", "ca.pem",
                     "-days", "30")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj",
                     "/CN=server", "-keyout", "key.pem", "-out", "csr.pem")
        now = time.time()
        self.sign("good", "IP:127.0.0.1", now - 86400, now + 86400)
        self.sign("expired", "IP:127.0.0.1", now - 2e6, now - 86400)
        self.sign("not-yet", "IP:127.0.0.1", now + 86400, now + 2e6)
        self.sign("wrong-host", "DNS:elsewhere.test", now - 86400, now + 86400)
        self.openssl("req", "-x509", "-key", "key.pem", "-subj", "/CN=server",
                     "-addext", "subjectAltName=IP:127.0.0.1", "-out",
                     "self-signed.pem", "-days", "30")

    def file(self, name, text):
        with open(self.dir + "/" + name, "w") as f:
            f.write(text)

    def openssl(self, *args):
        subprocess.run(("openssl",) + args, cwd=self.dir, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sign(self, name, san, since, until):
        stamp = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(t))
                 for t in (since, until)]
        self.file("ext", "subjectAltName=%s\n" % san)
        self.openssl("ca", "-batch", "-config", "cnf", "-cert", "ca.pem",
                     "-keyfile", "ca.key", "-in", "csr.pem", "-out",
                     name + ".pem", "-extfile", "ext", "-startdate", stamp[0],
                     "-enddate", stamp[1], "-notext")


class Ground:
    """what the cases of one seed share"""

    def __init__(self, box, pg, seed, san):
        self.lab = box
        self.pg = pg
        self.seed = seed
        self.san = san
        self.origin = box.origin()
        self.certificates = Certificates(box.dir + "/tls")
        self.ports = {}
        self.names = {}
        self.file = box.dir + "/names"
        self.name("unused.test", "nx")

    def tls(self, name):
        if name not in self.ports:
            d = self.certificates.dir
            self.ports[name] = self.origin.listen(cert="%s/%s.pem" % (d, name),
                                                  key=d + "/key.pem")
        return self.ports[name]

    def name(self, host, answer):
        self.names[host] = answer
        with open(self.file + ".new", "w") as f:
            f.writelines("%s %s\n" % kv for kv in self.names.items())
        os.chmod(self.file + ".new", 0o644)
        os.rename(self.file + ".new", self.file)

    def env(self, **more):
        """of a master; the preloads in the order they must have"""
        return environment(self.san, self.lab.dir, [PRELOAD],
                           FAULTS_NAMES=self.file,
                           FAULTS_CA=self.certificates.dir + "/ca.pem", **more)


def environment(san, directory, preloads, **more):
    env = dict(more)
    if san:
        preloads = [subprocess.check_output(
            ["gcc", "-print-file-name=" + name]).decode().strip()
            for name in ("libasan.so", "libubsan.so")] + preloads
        os.makedirs(directory + "/reports", exist_ok=True)
        os.chmod(directory + "/reports", 0o777)
        at = "log_path=%s/reports/report" % directory
        env["ASAN_OPTIONS"] = "detect_odr_violation=0:detect_leaks=0:" + at
        env["UBSAN_OPTIONS"] = "print_stacktrace=1:" + at
    env["LD_PRELOAD"] = " ".join(preloads)
    return env


def reports(directory):
    out = []
    for path in glob.glob(directory + "/reports/*"):
        with open(path, errors="replace") as f:
            out.append("I8 " + " | ".join(f.read().splitlines()[:12]))
    return out


class View:
    """one channel of an nginx, for the checker"""

    def __init__(self, x, name, rows, gaps):
        self.storage = x.storage
        self.name = name
        self.records = rows
        self.gaps = gaps

    def rows(self, select):
        return self.gaps if "media_gap" in select else self.records


class Seen:
    """what the origin saw of one channel"""

    def __init__(self, requests, began, ended):
        self.seconds = ended - began
        self.paths = [r["path"] for r in requests]
        self.ports = {r.get("port") for r in requests}
        media = [r for r in requests if re.search(r"/media/|/master\.", r["path"])]
        self.playlists = len(media)
        self.attempts = sum("/live-detail" in p for p in self.paths)
        self.asked_detail = self.attempts
        self.later = sum(r["t"] > began + 4 for r in media)
        count = {}
        for p in self.paths:
            if "/seg/" in p:
                p = p.split("?")[0]
                count[p] = count.get(p, 0) + 1
        self.most = max(count.values(), default=0)
        self.loads = busiest([r["t"] for r in media
                              if "/media/" in r["path"]], 5)
        self.masters = busiest([r["t"] for r in media
                                if "/master." in r["path"]], 5)
        self.asked = busiest([r["t"] for r in requests
                              if "/channels/" in r["path"]], 5)
        self.rows = 0
        self.outcome = None


def busiest(times, seconds):
    """the most of them in any so long a time"""
    times = sorted(times)
    most = i = 0
    for j, t in enumerate(times):
        while times[i] <= t - seconds:
            i += 1
        most = max(most, j - i + 1)
    return most


class Line:
    """of the table: one kind over all its seeds"""

    def __init__(self, row, name):
        self.row, self.name = row, name
        self.runs = self.passed = 0
        self.sent = self.stored = self.declared = self.silent = 0
        self.loads = 0

    def add(self, result, sent, loads, wrong):
        self.runs += 1
        self.passed += not wrong
        self.sent += sent
        self.stored += result.stored if result else 0
        self.declared += result.declared if result else 0
        self.silent += result.silent if result else 0
        self.loads = max(self.loads, loads)

    HEAD = "row  kind                         runs  good  delivered  stored  " \
           "declared  silent  loads/5s"

    def text(self):
        return "%-4s %-28s %4d  %4d  %9d  %6d  %8d  %6d  %8s" % (
            self.row, self.name, self.runs, self.passed, self.sent,
            self.stored, self.declared, self.silent, self.loads or "-")


class Wave:
    """all cases of one seed"""

    SHORT, FULL = 6.0, 24.0                    # seconds of faults
    PARTS = 2                                  # one behind the other

    def __init__(self, f, box, pg, seed, san, part):
        self.f = f
        self.box = box
        self.seed = seed
        self.long = not f.short
        self.ground = Ground(box, pg, seed, san)
        self.origin = self.ground.origin
        only = os.environ.get(ONLY)
        self.cases = [
            _fault_kinds.Case(row, name, play, quick, dict(expect), seed,
                              self.ground)
            for row, name, play, quick, expect in
            (_fault_kinds.KINDS[part::self.PARTS] if self.long
             else _fault_kinds.KINDS)
            if (quick or self.long) and (not only or re.search(only, name))]

    def start(self):
        """nginx, with proxies in its environment that nobody may use (N7)"""
        self.trap = lab.free_port()
        self.trapped = self.box.proxy(self.origin.port, str(self.trap))
        at = "http://127.0.0.1:%d" % self.trap
        names = ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY")
        self.x = self.box.nginx(
            self.ground.pg, self.origin, workers=2, backoff="1s",
            mntreamer=OPTIONS, main="".join("env %s;\n" % n for n in names),
            env=self.ground.env(**{n: at for n in names}))
        self.x.up(40)
        self.reader = checker.Reader(self.x.storage, pause=0.01)
        self.reader.start()
        self.pulse = checker.Pulse(self.x)
        self.pulse.start()
        r = self.x.call("POST", "/api/v1/streamers", {"items": [
            {"platform": "chzzk", "channel": c.id} for c in self.cases]},
            timeout=30)
        if r.status not in (200, 201):
            raise RuntimeError("watch: %d %s" % (r.status, r.body[:200]))

    def recorded(self, least):
        n = {r["channel_id"]: r["segments"] for r in self.records()}
        return all(n.get(c.id, 0) >= least for c in self.cases
                   if not c.expect["none"] and "gone" not in c.options)

    def records(self):
        return self.x.rows("SELECT * FROM media_record "
                           "WHERE status <> 'deleted' ORDER BY id")

    def play(self):
        try:
            lab.until(lambda: self.recorded(4 if self.long else 2), "all are recorded", 40, 0.3)
        except lab.Vain:
            have = {r["channel_id"] for r in self.records()}
            self.f.fail("seed %d: not recorded: %s" % (self.seed, ", ".join(
                c.name for c in self.cases if c.id not in have
                and not c.expect["none"] and "gone" not in c.options)))
        doings = []
        state = self.origin.state()
        steps = []
        for c in self.cases:
            c.last = state[c.name]
            for _ in c.play:
                pass
            steps += c.steps
            doings += c.doings
        self.origin.script(self.seed, steps)

        # a busy origin hears of it later: what it does counts from here

        self.began = time.time()
        for at, call in sorted(doings, key=lambda d: d[0]):
            time.sleep(max(0, self.began + at - time.time()))
            call()
        end = self.began + (self.FULL if self.long else self.SHORT)
        time.sleep(max(0, end - time.time()))

    def finish(self):
        """all streams end; what was published last must be stored"""
        for r in self.x.get("/api/v1/streamers?limit=200").json()["items"]:
            probe = r.get("last_probe") or {}
            for c in self.cases:
                if c.id == r["channel_id"]:
                    c.outcome = probe.get("outcome")
        ending = [c for c in self.cases if c.expect.get("end", True)]
        for c in ending:
            self.origin.channel(c.name, state="CLOSE", stall=True)
        state = self.origin.state()
        self.last = {c.name: tuple(state[c.name]["end"]) for c in ending
                     if not c.expect["none"] and state[c.name]["end"]}
        ids = {c.id for c in ending}
        try:
            lab.until(lambda: not any(
                r["status"] == "recording" for r in self.records()
                if r["channel_id"] in ids), "the end", 60, 0.3)
        except lab.Vain:
            self.f.fail("seed %d: not ended: %s" % (self.seed, [
                c.name for c in self.cases for r in self.records()
                if r["channel_id"] == c.id and c.id in ids
                and r["status"] == "recording"]))
        self.ended = time.time()

    def judge(self, lines):
        self.hits = {}
        for h in self.origin.faults():
            m = re.match(r"/hls/([^/]+)/|(\w{32})/", h["match"])
            if m:
                at = m.group(1) or m.group(2)
                self.hits[at] = self.hits.get(at, 0) + h["hit"]
        truth = checker.Truth(self.origin)
        requests = {c.name: [] for c in self.cases}
        by_id = {c.id: c.name for c in self.cases}
        for r in self.origin.truth():
            m = re.match(r"/hls/([^/]+)/|.*/channels/(\w+)",
                         r.get("path", ""))
            name = m and (m.group(1) or by_id.get(m.group(2)))
            if name in requests:
                requests[name].append(r)
        rows = self.records()
        gaps = self.x.rows("SELECT * FROM media_gap ORDER BY 1, 2")
        for c in self.cases:
            self.one(c, lines, truth, requests[c.name],
                     [r for r in rows if r["channel_id"] == c.id], gaps)
        self.overall()

    def one(self, c, lines, truth, requests, rows, gaps):
        seen = Seen(requests, self.began, self.ended)
        seen.rows = len(rows)
        seen.outcome = getattr(c, "outcome", None)
        result = None
        wrong = []
        if c.expect["none"]:
            if any(r["segments"] for r in rows):
                wrong.append("there is a recording")
        else:
            view = View(self.x, c.name, rows, gaps)
            last = {n: e for n, e in self.last.items() if n == c.name}
            result = checker.check_recordings(
                view, self.origin, last=last, truth=truth,
                rows_late=not c.expect.get("end", True))
            wrong += result.wrong + self.kept(c, result, view)
        if seen.loads > c.expect["loads"]:
            wrong.append("%d loads of playlists in 5 s" % seen.loads)
        if seen.masters > 8:
            wrong.append("%d loads of masters in 5 s" % seen.masters)
        if seen.asked > 15:
            wrong.append("%d questions to the platform in 5 s" % seen.asked)
        told = [s["fault"] for s in c.steps if "fault" in s]
        if told and not any("chance" in t for t in told) and not (
                self.hits.get(c.name, 0) + self.hits.get(c.id, 0)):
            # the short form runs beside other tests: some come too late
            if self.f.short:
                self.f.missed.append(c.name)
            else:
                wrong.append("the fault was never hit")
        wrong += [w for w in (check(seen) for check in c.checks) if w]
        key = (c.row, c.name)
        line = lines.setdefault(key, Line(*key))
        sent = len([k for k in truth.sent if k[0] == c.name])
        line.add(result, sent, seen.loads, wrong)
        for w in wrong:
            self.f.fail("%s %s, seed %d: %s" % (c.row, c.name, self.seed, w))

    def kept(self, c, result, view):
        """what this kind expects of its recording"""
        wrong = []
        e = c.expect
        if e["clean"] and result.declared:
            wrong.append("%d were lost: %s" % (
                result.declared, sorted({g["reason"] for g in view.gaps
                                         if g["recording_id"] in
                                         [r["id"] for r in view.records]})))
        if e["lost"] and not result.declared:
            wrong.append("nothing was lost: the fault did not bite")
        if len(view.records) > e["recordings"]:
            wrong.append("%d recordings" % len(view.records))
        breaks = 0
        for r in view.records:
            try:
                p = checker.Playlist(checker.read_text(
                    "%s/%s/index.m3u8" % (view.storage, r["path"])))
                breaks += sum(x.discontinuity for x in p.entries)
            except (OSError, checker.Invalid):
                pass
        if e["exactly"] is not None and breaks != e["exactly"]:
            wrong.append("%d discontinuities, not %d" % (breaks, e["exactly"]))
        elif e["exactly"] is None and e["breaks"] is not None \
                and breaks > e["breaks"]:
            wrong.append("%d discontinuities" % breaks)
        return wrong

    def control(self):
        """a planted defect must be found: a listed file is cut"""
        if all(c.expect["none"] for c in self.cases):
            return                             # FAULTS_ONLY left none of them
        rows = [r for r in self.records() if r["segments"] > 2]
        if not self.f.require(rows, "there is nothing to plant a defect into"):
            return
        row = rows[len(rows) // 2]
        at = "%s/%s" % (self.x.storage, row["path"])
        p = checker.Playlist(checker.read_text(at + "/index.m3u8"))
        with open(at + "/" + [e.uri for e in p.entries if not e.gap][1],
                  "r+b") as out:
            out.truncate(100)
        r = checker.check_recordings(View(self.x, None, [row], []), self.origin)
        self.f.require(any(w.startswith("I2") for w in r.wrong),
                       "a planted defect was not found")

    def overall(self):
        f = self.f
        say = "seed %d: " % self.seed
        self.pulse.finish()
        if self.pulse.bad:
            f.fail(say + "I12 answers %s" % self.pulse.bad)
        f.worst = max(getattr(f, "worst", 0), self.pulse.worst)
        for w in (self.reader.finish() + checker.check_log(self.x)
                  + checker.check_planted(self.x)
                  + reports(self.box.dir)):
            f.fail(say + w)
        if not f.short or os.environ.get("FAULTS_LOOP"):
            for w in checker.check_loop(self.x, 1.0 if self.ground.san
                                        else 0.05):
                f.fail(say + w)
        if self.trapped.counted()["accepted"]:
            f.fail(say + "N7 a proxy of the environment was used")
        long_lines = [l for l in self.x.log().splitlines() if len(l) > 1500]
        if long_lines:
            f.fail(say + "P7 a line of %d bytes in the log: %s"
                   % (len(long_lines[0]), long_lines[0][:200]))


def run_systems(f, pg, seed, san, lines, part):
    """the kinds that need an nginx of their own, side by side"""
    done = []

    def one(row, name, play):
        box = Lab(seed, "faults-" + name)
        wrong, sent, result = [], 0, None
        try:
            result, sent, wrong = play(box, pg, seed, lambda pre=(), **more:
                                       environment(san, box.dir, list(pre),
                                                   **more))
            wrong = wrong + reports(box.dir)
        except Exception as e:                 # whatever it was, it failed
            wrong = ["%s: %s" % (type(e).__name__, e)]
        finally:
            box.close(keep=bool(wrong) and bool(os.environ.get("MNT_KEEP")))
        done.append((row, name, result, sent, wrong))

    only = os.environ.get(ONLY)
    threads = [threading.Thread(target=one, args=(row, name, play))
               for row, name, play, quick in (
                   _fault_systems.SYSTEMS if f.short
                   else _fault_systems.SYSTEMS[part::Wave.PARTS])
               if (quick or not f.short)
               and (not only or re.search(only, name))]
    for t in threads:
        t.start()

    def join():
        for t in threads:
            t.join()
        for row, name, result, sent, wrong in sorted(done, key=lambda d: d[:2]):
            lines.setdefault((row, name), Line(row, name)).add(result, sent, 0,
                                                               wrong)
            for w in wrong:
                f.fail("%s %s, seed %d: %s" % (row, name, seed, w))

    return join


def wave(f, pg, seed, san, lines, part=0):
    with Lab(seed, "faults") as box:
        w = Wave(f, box, pg, seed, san, part)
        w.start()
        join = run_systems(f, pg, seed, san, lines, part)
        try:
            w.play()
            w.finish()
            w.judge(lines)
            w.control()
        finally:
            join()
        f.say("seed %d: %d kinds, %d of %d runs good so far"
              % (seed, len(lines), sum(x.passed for x in lines.values()),
                 sum(x.runs for x in lines.values())))


def run(f):
    san = os.path.exists(SAN) and not f.short
    lines = {}
    f.missed = []
    seeds = [f.seed * 100 + i for i in range(1 if f.short else 5)]
    plain = lab.MODULE
    try:
        if san:
            lab.MODULE = SAN
        with Lab(f.seed, "faults-pg") as box:
            pg = box.postgres(shared=f.short)
            for seed in seeds:
                for part in range(1 if f.short else Wave.PARTS):
                    wave(f, pg, seed, san, lines, part)
    finally:
        lab.MODULE = plain                     # of the figures behind this one
    table = sorted(lines.values(), key=lambda x: (x.row[0], int(x.row[1:]),
                                                  x.name))
    f.line(Line.HEAD)
    for x in table:
        f.line(x.text())
    f.value("kinds", len(table))
    f.value("seeds", len(seeds))
    f.value("segments delivered", sum(x.sent for x in table))
    f.value("stored", sum(x.stored for x in table))
    f.value("lost and written down", sum(x.declared for x in table))
    f.value("lost silently", sum(x.silent for x in table))
    if f.short:
        f.value("kinds whose fault was never hit", len(f.missed))
        f.require(len(f.missed) < max(4, len(table) / 4), "no fault was hit of "
                  + ", ".join(f.missed))
    f.value("slowest answer", round(getattr(f, "worst", 0), 3), "s")
    f.value("sanitizers", "ASan and UBSan" if san else "none")
    if not f.short and not os.environ.get(ONLY):
        f.require(len(table) >= 60, "only %d kinds" % len(table))
    f.require(sum(x.silent for x in table) == 0, "something was lost silently")
