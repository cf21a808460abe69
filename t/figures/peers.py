"""Beside the figures: the same origin and the same schedule of faults for the
module and for public tools, each with the options that its manual recommends
for recording what is live, each started again at once when it ends too early.

A segment is told by its video packets, whose contents are all different: tools
may pack them anew.  It is stored when all its packets are in what a tool wrote,
broken when some are.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import checker
import lab
from lab import Lab

NUMBER = 13
ONLY = "PEERS_ONLY"
CLAIM = ("Side by side with streamlink, yt-dlp and ffmpeg, same origin, same "
         "schedule: what was published and is neither stored nor written down "
         "as lost.")

PACKETS = 25                                   # of a segment, a second
TOOLS = ("mntreamer", "streamlink", "yt-dlp", "ffmpeg")


FFMPEG = ["-reconnect", "1", "-reconnect_streamed", "1",
          "-reconnect_on_network_error", "1", "-reconnect_on_http_error",
          "4xx,5xx", "-reconnect_delay_max", "2", "-live_start_index", "0",
          "-m3u8_hold_counters", "20"]


def command(tool, url, out):
    if tool == "streamlink":
        return ["streamlink", "--force", "--loglevel", "warning",
                "--hls-live-restart", "--hls-live-edge", "99",
                "--stream-segment-attempts", "5", "--stream-segment-threads",
                "3", "--stream-segment-timeout", "6",
                "--hls-playlist-reload-attempts", "5", "--stream-timeout", "10",
                "--retry-open", "3",
                "-o", out, "hls://" + url, "best"]
    if tool == "yt-dlp":
        return ["yt-dlp", "--no-progress", "--downloader", "ffmpeg",
                "--hls-use-mpegts", "--no-part", "--no-continue",
                "--downloader-args", "ffmpeg_i:" + " ".join(FFMPEG), "-o", out,
                url]
    return (["ffmpeg", "-nostdin", "-loglevel", "warning"] + FFMPEG
            + ["-i", url, "-c", "copy", "-f", "mpegts", "-y", out])


class Stream:
    """segments made by ffmpeg, each packet unlike any other"""

    def __init__(self, directory, seconds):
        self.dir = directory
        os.mkdir(directory)
        os.chmod(directory, 0o755)
        subprocess.run(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
             "testsrc2=s=160x96:r=25,noise=alls=30:allf=t", "-t", str(seconds),
             "-c:v", "mpeg2video", "-q:v", "4", "-g", "25", "-bf", "0",
             "-sc_threshold", "1000000000", "-f", "hls", "-hls_time", "1",
             "-hls_list_size", "0", "-hls_segment_filename",
             directory + "/%d.ts", directory + "/all.m3u8"], check=True)
        self.of = {}                           # packet: segment
        self.bytes = {}
        self.count = 0
        while os.path.exists("%s/%d.ts" % (directory, self.count)):
            path = "%s/%d.ts" % (directory, self.count)
            found = packets(path)
            if len(found) != PACKETS:
                break
            for p in found:
                if p in self.of:
                    raise RuntimeError("two packets are alike")
                self.of[p] = self.count
            with open(path, "rb") as f:
                self.bytes[hashlib.sha256(f.read()).hexdigest()] = self.count
            self.count += 1


def packets(path):
    """the hashes of the video packets of a file, in order"""
    out = subprocess.run(
        ["ffprobe", "-loglevel", "quiet", "-select_streams", "v",
         "-show_packets", "-show_data_hash", "md5", "-show_entries",
         "packet=data_hash", "-of", "csv=p=0", path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()

    # FFmpeg 7 tells side data in the same line

    return re.findall(r"MD5:([0-9a-f]{32})", out)


class Found:
    """what of the stream is in some files"""

    def __init__(self, stream):
        self.stream = stream
        self.seen = {}
        self.twice = 0
        self.unreadable = 0

    def file(self, path):
        if not os.path.getsize(path):
            self.unreadable += 1
            return
        found = packets(path)
        if not found:
            self.unreadable += 1
        for p in found:
            n = self.stream.of.get(p)
            if n is not None:
                self.seen.setdefault(n, {}).setdefault(p, 0)
                self.seen[n][p] += 1

    def segments(self):
        whole = {n for n, p in self.seen.items() if len(p) == PACKETS}
        part = {n for n, p in self.seen.items() if len(p) < PACKETS}
        twice = {n for n in whole if min(self.seen[n].values()) > 1}
        return whole, part, twice


class Peer(threading.Thread):
    """a tool under a supervisor that starts it again, with a fresh address"""

    def __init__(self, tool, origin, name, directory):
        super().__init__(daemon=True)
        self.tool = tool
        self.origin = origin
        self.name = name
        self.dir = directory
        self.starts = 0
        self.over = threading.Event()
        self.p = None
        self.log = open(directory + ".log", "a")

    def url(self):
        cid = self.origin.state()[self.name]["id"]
        r = lab.request(self.origin.port, "GET",
                        "/service/v3.1/channels/%s/live-detail" % cid).json()
        play = json.loads(r["content"]["livePlaybackJson"])
        return [m["path"] for m in play["media"] if m["mediaId"] == "HLS"][0]

    def run(self):
        while not self.over.is_set():
            self.starts += 1
            out = "%s/out-%02d.ts" % (self.dir, self.starts)
            self.p = subprocess.Popen(command(self.tool, self.url(), out),
                                      stdin=subprocess.DEVNULL, stdout=self.log,
                                      stderr=self.log, start_new_session=True)
            while self.p.poll() is None and not self.over.wait(0.1):
                pass
            if not self.over.is_set():
                self.over.wait(0.5)

    def kill(self):
        try:
            os.killpg(self.p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def finish(self, seconds):
        """the stream has its ENDLIST: let it end by itself, else by SIGINT"""
        self.over.set()
        self.join()
        try:
            self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.p.pid, signal.SIGINT)
            try:
                self.p.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
                self.p.wait()
        self.log.close()

    def found(self, stream):
        f = Found(stream)
        for name in sorted(os.listdir(self.dir)):
            f.file(self.dir + "/" + name)
        whole, part, twice = f.segments()
        return whole, part, twice, f.unreadable, set(), self.starts


class Module:
    """the module, with the same interface"""

    def __init__(self, box, pg, origin, name, directory):
        self.box = box
        self.origin = origin
        self.name = name
        self.x = box.nginx(pg, origin, workers=2, storage=directory,
                           mntreamer="poll_rate 500r/s; refresh 4s;")
        self.starts = 1

    def start(self):
        self.x.up(40)
        self.x.watch(self.name)

    def kill(self):
        for pid in self.x.workers():
            lab.kill(pid)

    def finish(self, seconds):
        lab.until(lambda: self.x.recordings() and all(
            r["status"] == "recorded" for r in self.x.recordings()),
            "the end of " + self.name, seconds + 40)

    def found(self, stream):
        whole, part, twice = set(), 0, set()
        declared = set()
        state = self.origin.state()[self.name]
        for r in self.x.rows("SELECT * FROM media_record"):
            at = "%s/%s" % (self.x.storage, r["path"])
            p = checker.Playlist(checker.read_text(at + "/index.m3u8"))
            for e in p.entries:
                if e.gap:
                    continue
                n = stream.bytes.get(lab.sha256_file(at + "/" + e.uri))
                if n is None:
                    part += 1
                elif n in whole:
                    twice.add(n)
                else:
                    whole.add(n)
        for g in self.x.rows("SELECT * FROM media_gap"):
            declared |= {n - (state["first"] if state["epoch"] == 0 else 0)
                         for n in range(g["first_sequence"], g["first_sequence"]
                                        + g["segments"])}
        return whole, set(range(part)), twice, 0, declared, self.starts


class Case:
    """one schedule for all tools"""

    def __init__(self, name, title, harm=None, seconds=20, **channel):
        self.name, self.title, self.harm = name, title, harm
        self.seconds = seconds
        self.channel = channel


def one_segment(**fault):
    def harm(run, name, number, peer):
        run.origin.fault(match=r"/hls/%s/seg/\w+-\d+-%d\b" % (name, number),
                         **fault)
    return harm


def reset(run, name, number, peer):
    """an encoder ends, and begins again two seconds later"""
    run.origin.channel(name, stall=True)
    time.sleep(2)
    run.origin.channel(name, reset=0)


def kill(run, name, number, peer):
    peer.kill()


def fill(run, name, number, peer):
    """all but nothing is taken for six seconds"""
    at = run.disks[name]
    free = os.statvfs(at)
    path = at + "/.filler"
    with open(path, "wb") as f:
        f.write(b"\0" * max(0, free.f_bavail * free.f_frsize - 8192))
    time.sleep(6)
    os.unlink(path)


CASES = [
    Case("calm", "no fault"),
    Case("reset", "numbers begin again", reset, first=5000),
    Case("token", "addresses expire every 8 s", token=8, enforce=True),
    Case("empty", "an empty body, twice", one_segment(empty=True, times=2)),
    Case("late", "404 in the window, twice", one_segment(status=404, times=2)),
    Case("cut", "a segment cut in the middle, twice",
         one_segment(cut=20000, times=2)),
    Case("full", "the disk is full for 6 s", fill),
    Case("kill", "killed by SIGKILL and started again", kill),
]


class Run:
    def __init__(self, f, box, pg, origin, stream, case, tools):
        self.f, self.box, self.pg = f, box, pg
        self.origin, self.stream = origin, stream
        self.case, self.tools = case, tools
        self.disks = {}
        self.peers = {}

    def place(self, name):
        at = "%s/%s" % (self.box.dir, name)
        os.mkdir(at)
        lab.chown(at, "nobody")
        if self.case.harm is fill:
            uid = subprocess.check_output(["id", "-u", "nobody"]).decode()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=755,"
                            "uid=" + uid.strip(), "tmpfs", at], check=True)
            self.box.later(lambda: subprocess.run(["umount", "-l", at]))
            self.disks[name] = at
        return at

    def begin(self):
        for tool in self.tools:
            name = "%s-%s" % (self.case.name, tool)
            at = self.place(name)
            self.origin.channel(name, window=6, dur=1.0, target=1,
                                bodies=self.stream.dir,
                                variants=["720p30"], **self.case.channel)
            self.peers[tool] = (
                Module(self.box, self.pg, self.origin, name, at)
                if tool == "mntreamer" else
                Peer(tool, self.origin, name, at))
        for tool in self.tools:
            self.origin.channel("%s-%s" % (self.case.name, tool), live=True)
        time.sleep(1.2)
        for p in self.peers.values():
            p.start()

    def play(self, seconds):
        time.sleep(7 if not self.f.short else 4)
        state = self.origin.state()
        doing = []
        for tool, peer in self.peers.items():
            name = "%s-%s" % (self.case.name, tool)
            number = state[name]["first"] + state[name]["last"] + 2
            if self.case.harm:
                doing.append(threading.Thread(target=self.case.harm, args=(
                    self, name, number, peer)))
        for t in doing:
            t.start()
        time.sleep(seconds)
        for t in doing:
            t.join()

    def end(self):
        self.last = {}
        for p in self.peers.values():
            if isinstance(p, Peer):
                p.over.set()                   # not to be started again
        for tool in self.tools:
            name = "%s-%s" % (self.case.name, tool)
            self.origin.channel(name, stall=True, **(
                {"state": "CLOSE"} if tool == "mntreamer"
                else {"endlist": True}))
            if self.case.channel.get("token"):
                self.origin.channel(name, token=60)
        state = self.origin.state()
        for tool in self.tools:
            name = "%s-%s" % (self.case.name, tool)
            s = state[name]
            self.last[tool] = self.places(name, s)
        for p in self.peers.values():
            p.finish(12)

    def places(self, name, s):
        """the place of the newest published segment in the stream"""
        want = s["end"][1]
        if s["epoch"] == 0:
            return want - s["first"]
        sha = None
        body = lab.request(self.origin.port, "GET", "/_/segment/%s/720p30/%d"
                           % (name, want)).body
        sha = hashlib.sha256(body).hexdigest()
        return self.stream.bytes[sha]

    def table(self):
        rows = []
        for tool in self.tools:
            whole, part, twice, bad, declared, starts = \
                self.peers[tool].found(self.stream)
            last = self.last[tool]
            have = whole | part if tool != "mntreamer" else whole
            first = min(have, default=0)
            published = set(range(first, last + 1))
            if tool == "mntreamer" and self.case.channel.get("first"):
                declared = set()               # numbers that began again
            silent = published - whole - declared
            rows.append({"case": self.case, "tool": tool,
                         "published": len(published),
                         "stored": len(whole & published),
                         "declared": len((declared & published) - whole),
                         "silent": len(silent), "broken": len(part) + bad,
                         "twice": len(twice), "starts": starts})
        return rows


HEAD = "%-38s %-10s %9s  %6s  %8s  %6s  %6s  %5s  %6s" % (
    "case", "tool", "published", "stored", "declared", "silent", "broken",
    "twice", "starts")


def row_text(r):
    return "%-38s %-10s %9d  %6d  %8d  %6d  %6d  %5d  %6d" % (
        r["case"].title, r["tool"], r["published"], r["stored"], r["declared"],
        r["silent"], r["broken"], r["twice"], r["starts"])


def control(f, run):
    """a planted loss must be counted"""
    m = run.peers["mntreamer"]
    row = m.x.rows("SELECT * FROM media_record")[0]
    at = "%s/%s" % (m.x.storage, row["path"])
    p = checker.Playlist(checker.read_text(at + "/index.m3u8"))
    before = {r["tool"]: r for r in run.table()}["mntreamer"]
    with open(at + "/" + p.entries[2].uri, "r+b") as out:
        out.truncate(188)
    after = {r["tool"]: r for r in run.table()}["mntreamer"]
    f.require(after["silent"] == before["silent"] + 1
              and after["broken"] == before["broken"] + 1,
              "a planted loss was not counted")
    peer = run.peers.get("ffmpeg")
    if peer is None:
        return
    before = {r["tool"]: r for r in run.table()}["ffmpeg"]
    path = peer.dir + "/out-01.ts"
    with open(path, "rb") as f_:
        body = f_.read()
    half = len(body) // 2 // 188 * 188
    with open(path, "wb") as f_:
        f_.write(body[:half] + body[half + 188 * 300:])
    after = {r["tool"]: r for r in run.table()}["ffmpeg"]
    f.require(after["silent"] > before["silent"], "nor in another tool's file")


def run_case(f, pg, origin, stream, case, tools, rows):
    box = Lab(f.seed, "peers-" + case.name)
    try:
        r = Run(f, box, pg, origin, stream, case, tools)
        r.begin()
        r.play(8 if f.short else case.seconds)
        r.end()
        rows += r.table()
        if case.name == "calm":
            control(f, r)
    except Exception as e:                     # a case that breaks has failed
        f.fail("%s: %s: %s" % (case.title, type(e).__name__, e))
    finally:
        box.close(keep=bool(os.environ.get("MNT_KEEP")))
    f.say("done: " + case.title)


def version(tool):
    args = {"ffmpeg": ["ffmpeg", "-version"]}.get(tool, [tool, "--version"])
    words = subprocess.check_output(args).decode().split()
    return words[2] if tool == "ffmpeg" else words[-1]


def run(f):
    tools = [t for t in TOOLS if t == "mntreamer" or shutil.which(t)]
    cases = CASES
    if f.short:
        tools = ["mntreamer", "ffmpeg"]
        cases = [c for c in CASES if c.name in ("calm", "cut")]
    elif len(tools) < len(TOOLS):
        f.fail("not installed: %s" % (set(TOOLS) - set(tools)))
    if os.environ.get(ONLY):
        cases = [c for c in CASES if c.name in os.environ[ONLY]]
    rows = []
    with Lab(f.seed, "peers") as box:
        pg = box.postgres(shared=f.short)
        origin = box.origin()
        stream = Stream(box.dir + "/bodies", 30 if f.short else 60)
        together = 2                           # at a time
        for i in range(0, len(cases), together):
            threads = [threading.Thread(target=run_case, args=(
                f, pg, origin, stream, c, tools, rows))
                for c in cases[i:i + together]]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
    rows.sort(key=lambda r: (cases.index(r["case"]), TOOLS.index(r["tool"])))
    f.line(HEAD)
    for r in rows:
        f.line(row_text(r))
    for tool in tools[1:]:
        f.value(tool, version(tool))
        f.line("")
        f.line("%s: %s" % (tool, " ".join(command(tool, "URL", "FILE"))))
    judge(f, rows)


def judge(f, rows):
    for r in rows:
        what = "%s, %s" % (r["case"].title, r["tool"])
        if r["tool"] == "mntreamer":
            f.require(r["silent"] == 0, "%s: %d lost silently"
                      % (what, r["silent"]))
            f.require(r["broken"] == 0, what + ": broken files")
            f.require(r["twice"] == 0, what + ": stored twice")
        elif r["case"].name == "calm":
            f.require(r["stored"] >= 0.8 * r["published"],
                      what + ": it was not given a fair chance")
    ours = [r for r in rows if r["tool"] == "mntreamer"]
    f.value("lost silently by mntreamer", sum(r["silent"] for r in ours))
    for tool in TOOLS[1:]:
        theirs = [r for r in rows if r["tool"] == tool]
        if theirs:
            f.value("lost silently by " + tool,
                    sum(r["silent"] for r in theirs))
