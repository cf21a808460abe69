#!/usr/bin/env python3
"""Negative controls of the recording checker: a recording without a fault,
then the same with one planted defect at a time, which must be found and called
by its name.  Prints TAP.  No nginx and no database run here."""

import json
import os
import re
import shutil
import tempfile

import checker
import lab
import origin

NUMBER = 12                                    # segments of the recording
SECRET = "NID_AUT=planted-secret"


class World:
    """a storage directory, rows, a truth and an error log, all consistent"""

    def __init__(self, directory, kind="ts"):
        shutil.rmtree(directory, ignore_errors=True)
        self.storage = directory + "/storage"
        self.error_log = directory + "/error.log"
        self.truth_file = directory + "/truth.log"
        self.at = self.storage + "/chzzk/x/1"
        os.makedirs(self.at)
        self.c = origin.Channel("a")
        self.c.size = 1000
        self.c.kind = kind
        self.files = {}
        self.journal = []
        self.sent = []
        self.gaps = []
        self.last = {"a": (0, NUMBER - 1)}
        self.target, self.endlist, self.tail = 1, True, ""
        self.end = "m4s" if kind == "fmp4" else "ts"
        for n in range(NUMBER):
            self.publish(n)
            self.store("%06d.%s" % (n + 1, self.end), self.body(n))
        self.entries = ["#EXTINF:0.500000,\n%06d.%s\n" % (n + 1, self.end)
                        for n in range(NUMBER)]
        for _ in range(2):                     # a look, and the recording's
            self.listed(0, NUMBER - 1)
        if kind == "fmp4":
            self.maps()
        self.second = None                     # a recording more
        self.row = {"id": 1, "channel_id": self.c.id, "path": "chzzk/x/1",
                    "segments": NUMBER, "status": "recorded",
                    "bytes": sum(map(len, self.files.values())),
                    "duration_us": NUMBER * 500000}
        with open(self.error_log, "w") as f:
            f.write("2026/01/01 00:00:00 [notice] 1#1: start\n")

    def body(self, n, epoch=0):
        self.c.epoch = epoch
        return self.c.segment("720p30", n)

    def publish(self, n, epoch=0, whole=True):
        self.sent.append({
            "t": 1.0, "path": "/hls/a/seg/720p30-%d-%d.ts?token=x" % (epoch, n),
            "status": 200, "bytes": 1, "whole": whole, "sha256":
            lab.hashlib.sha256(self.body(n, epoch)).hexdigest()})

    def listed(self, first, last, epoch=0, broadcast=1000):
        """a playlist was sent"""
        self.sent.append({"t": 1.0, "path": "/hls/a/media/720p30.m3u8",
                          "status": 200, "bytes": 1, "whole": True,
                          "listed": [epoch, first, last, broadcast]})

    def maps(self):
        """a new init section each four segments"""
        self.c.map_every = 4
        for m in range(NUMBER // 4):
            body = self.c.init("720p30", m)
            self.files["init-%d.mp4" % (m + 1)] = body
            self.sent.append({
                "t": 1.0, "path": "/hls/a/init/720p30-%d.m4s" % m,
                "status": 200, "bytes": 1, "whole": True, "sha256":
                lab.hashlib.sha256(body).hexdigest()})
            self.entries[4 * m] = ('#EXT-X-MAP:URI="init-%d.mp4"\n' % (m + 1)
                                   + self.entries[4 * m])

    def store(self, name, body, journal=True):
        self.files[name] = body
        if journal:
            n = int(name.split(".")[0])
            self.journal.append("S %d %d 0badcafe 1 0 %d %016x - 500000 0 0 0 "
                                "%d 1 *00000000\n" % (n, n, n, n, len(body)))

    def without(self, n, visible=True, row=True):
        """number n was never had"""
        name = "%06d.ts" % (n + 1)
        size = len(self.files.pop(name))
        self.journal = [j for j in self.journal
                        if not j.startswith("S %d " % (n + 1))]
        self.sent = [s for s in self.sent if "-0-%d." % n not in s.get("path",
                                                                       "")]
        self.entries.pop(n)
        if visible:
            self.entries[n] = "#EXT-X-DISCONTINUITY\n" + self.entries[n]
        if row:
            self.gaps.append({"recording_id": 1, "number": 1, "segments": 1,
                              "first_sequence": n, "reason": "network"})
        self.row["segments"] -= 1
        self.row["bytes"] -= size
        self.row["duration_us"] -= 500000

    def anew(self, n, visible=True):
        """the numbers began anew with n"""
        self.publish(n, epoch=1)
        self.listed(n, n, epoch=1)
        self.store("000013.ts", self.body(n, epoch=1))
        self.entries.append(("#EXT-X-DISCONTINUITY\n" if visible else "")
                            + "#EXTINF:0.500000,\n000013.ts\n")
        self.row["segments"] += 1
        self.row["bytes"] += len(self.files["000013.ts"])
        self.row["duration_us"] += 500000
        self.last = {"a": (1, n)}

    def another(self, n, broadcast=1000):
        """a second recording, which begins with n"""
        at = self.storage + "/chzzk/x/2"
        os.makedirs(at)
        body = self.body(n)
        self.publish(n)
        self.listed(n, n, broadcast=broadcast)
        self.second = dict(self.row, id=2, path="chzzk/x/2", segments=1,
                           bytes=len(body), duration_us=500000)
        with open(at + "/000001.ts", "wb") as f:
            f.write(body)
        with open(at + "/.index.journal", "w") as f:
            f.write("S 1 1 0badcafe 1 0 %d %016x - 500000 0 0 0 %d 1 "
                    "*00000000\n" % (n, n, len(body)))
        with open(at + "/index.m3u8", "w") as f:
            f.write("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n"
                    "#EXTINF:0.500000,\n000001.ts\n#EXT-X-ENDLIST\n")
        self.last = {"a": (0, n)}

    def text(self):
        return ("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%d\n"
                "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
                % self.target + "".join(self.entries)
                + ("#EXT-X-ENDLIST\n" if self.endlist else "") + self.tail)

    def write(self):
        for name, body in self.files.items():
            with open(self.at + "/" + name, "wb") as f:
                f.write(body)
        with open(self.at + "/.index.journal", "w") as f:
            f.writelines(self.journal)
        with open(self.at + "/index.m3u8", "w") as f:
            f.write(self.text())
        with open(self.truth_file, "w") as f:
            f.writelines(json.dumps(s) + "\n" for s in self.sent)

    # as an Origin and as an Nginx

    def state(self):
        return {"a": {"id": self.c.id, "end": [0, NUMBER - 1],
                      "map_every": self.c.map_every}}

    def rows(self, select):
        if "media_record" not in select:
            return self.gaps
        return [self.row] + ([self.second] if self.second else [])

    def log(self):
        with open(self.error_log) as f:
            return f.read()

    bad_log = lab.Nginx.bad_log

    def check(self):
        """all checks of what is at rest, and a reader's look"""
        self.write()
        r = checker.check_recordings(self, self, last=self.last)
        reader = checker.Reader(self.storage)
        reader.round()
        return (r.wrong + reader.wrong + checker.check_log(self)
                + checker.check_secrets(self.storage, [SECRET])
                + checker.check_secrets(os.path.dirname(self.error_log),
                                        [SECRET]))


# planted in what is at rest: name, what it must be called, how

def missing(w):
    del w.files["000005.ts"]


def empty(w):
    w.files["000005.ts"] = b""


def truncated(w):
    w.files["000005.ts"] = w.files["000005.ts"][:-188]


def one_byte(w):
    b = bytearray(w.files["000005.ts"])
    b[500] ^= 1
    w.files["000005.ts"] = bytes(b)


def zeroes(w):
    w.files["000005.ts"] = bytes(len(w.files["000005.ts"]))


def part_listed(w):
    w.files["5.0badcafe.part"] = w.files.pop("000005.ts")
    w.entries[4] = "#EXTINF:0.500000,\n5.0badcafe.part\n"


def twice_listed(w):
    w.entries.insert(5, w.entries[4])
    w.row["segments"] += 1


def twice_stored(w):
    w.store("000013.ts", w.files["000012.ts"])
    w.entries.append("#EXTINF:0.500000,\n000013.ts\n")
    w.row["segments"] += 1
    w.row["bytes"] += len(w.files["000013.ts"])
    w.row["duration_us"] += 500000


def hole_without_row(w):
    w.without(5, row=False)


def hole_without_break(w):
    w.without(5, visible=False)


def row_of_another(w):
    w.without(5)
    w.gaps[0]["first_sequence"] = 7


def row_too_many(w):
    w.gaps.append({"recording_id": 1, "number": 1, "segments": 1,
                   "first_sequence": 5, "reason": "network"})


def end_missing(w):
    w.without(NUMBER - 1, visible=False, row=False)
    w.without(NUMBER - 2, visible=False, row=False)


def sent_not_stored(w):
    """the end of a numbering is no hole between two numbers"""
    w.publish(NUMBER)
    w.anew(0)


def anew_without_break(w):
    w.anew(0, visible=False)


def anew_ahead_without_break(w):
    w.anew(5000, visible=False)


def begin_missing(w):
    w.without(0, visible=False, row=False)


def end_listed(w):
    """nobody told the checker where the end is"""
    w.listed(NUMBER, NUMBER + 1)
    w.last = None


def old_end_listed(w):
    w.listed(NUMBER - 1, NUMBER)
    w.anew(0)


def old_end_passed(w):
    w.sent.append({"t": 1.0, "channel": "a", "passed": [0, 3, NUMBER + 5]})
    w.anew(0)


def between_two(w):
    w.another(NUMBER + 3)


def between_two_listed(w):
    """of two broadcasts, but it was there to be had"""
    w.listed(NUMBER, NUMBER)
    w.another(NUMBER + 3, broadcast=1001)


def out_of_order(w):
    w.entries[4], w.entries[5] = w.entries[5], w.entries[4]


def torn(w):
    w.endlist = False
    w.row["status"] = "recording"
    w.tail = "#EXTINF:0.500000,\n0000"


def torn_between(w):
    w.endlist = False
    w.row["status"] = "recording"
    w.tail = "#EXTINF:0.500000,\n"


def target_small(w):
    w.entries[4] = "#EXTINF:1.500000,\n000005.ts\n"


def behind_end(w):
    w.tail = "#EXTINF:0.500000,\n000012.ts\n"


def no_end(w):
    w.endlist = False


def no_number(w):
    w.entries[4] = "#EXTINF:nan,\n000005.ts\n"


def no_map(w):
    w.files["000005.m4s"] = w.files.pop("000005.ts")
    w.entries[4] = "#EXTINF:0.500000,\n000005.m4s\n"


def row_more(w):
    w.row["segments"] += 1


def row_bytes(w):
    w.row["bytes"] -= 1


def row_seconds(w):
    w.row["duration_us"] += 500000


def left_over(w):
    w.store("000013.ts", b"x" * 188, journal=False)


def left_part(w):
    w.files["13.0badcafe.part"] = b"x"


def stale_file(w):
    """a true segment, whose writer's journal has lost its name"""
    w.journal = [j for j in w.journal if not j.startswith("S 5 ")]


def stale_place(w):
    w.journal[4], w.journal[5] = w.journal[5], w.journal[4]


def torn_journal(w):
    w.journal[4] = w.journal[4][:40]


def alert(w):
    with open(w.error_log, "a") as f:
        f.write("2026/01/01 [alert] 1#1: worker process 2 exited on signal 11\n")


def sanitizer(w):
    with open(w.error_log, "a") as f:
        f.write("==1==ERROR: AddressSanitizer: heap-use-after-free\n")


def secret_log(w):
    with open(w.error_log, "a") as f:
        f.write("2026/01/01 [info] 1#1: cookie \"%s\"\n" % SECRET)


def secret_file(w):
    w.files["title.txt"] = SECRET.encode()


def never(w):
    w.last["b"] = (0, 3)


def looked_at(w):
    """it left the window while the recording was opened"""
    w.without(0, visible=False, row=False)
    w.sent = [s for s in w.sent if "listed" not in s]
    w.listed(0, NUMBER - 2)
    w.listed(1, NUMBER - 1)


REST = [
    ("a listed file that is missing", r"^I1 .*000005", missing),
    ("one that is empty", r"^I1 .*000005\.ts: empty", empty),
    ("one that is cut", r"^I2 .*000005", truncated),
    ("one with a wrong bit", r"^I2 .*000005", one_byte),
    ("one of zeroes", r"^I2 .*000005", zeroes),
    ("a listed .part", r"^I1 .*\.part$", part_listed),
    ("a segment listed twice", r"^I3 .*again", twice_listed),
    ("a segment stored twice", r"^I3 .*000013.*again", twice_stored),
    ("a hole without a row", r"^I4 .*5\.\.5.*cover 0", hole_without_row),
    ("a hole without a break", r"^I4 .*no break", hole_without_break),
    ("a row for another segment", r"^I4 .*5\.\.5.*cover 0", row_of_another),
    ("a row for what is stored", r"^I4 .*calls 5 lost", row_too_many),
    ("an end that is missing", r"^I4 a ends with", end_missing),
    ("what was sent before new numbers", r"^I2 .*12 of epoch 0",
     sent_not_stored),
    ("new numbers without a break", r"^I4 .*no break where .* 0 of epoch 1",
     anew_without_break),
    ("far ones without a break", r"^I4 .*no break where .* 5000 of epoch 1",
     anew_ahead_without_break),
    ("a first segment that is missing", r"^I4 a: .*listed 0\.\.0",
     begin_missing),
    ("an end that was listed", r"^I4 a: .*listed 12\.\.13", end_listed),
    ("an old numbering's end that was listed", r"^I4 a: .*listed 12\.\.12",
     old_end_listed),
    ("one that passed by", r"^I4 a: .*passed 12\.\.17", old_end_passed),
    ("what is missing between two recordings", r"^I4 a: 12\.\.14 .*between two",
     between_two),
    ("what was listed between two broadcasts", r"^I4 a: .*listed 12\.\.12",
     between_two_listed),
    ("segments out of order", r"^I3 .*order", out_of_order),
    ("a torn last line", r"^I5 .*last line", torn),
    ("a torn last entry", r"^I5 .*no URI", torn_between),
    ("a target duration too small", r"^I5 .*TARGETDURATION", target_small),
    ("more behind the end", r"^I5 .*behind EXT-X-ENDLIST", behind_end),
    ("a recording without an end", r"^I6 .*ENDLIST is not", no_end),
    ("a duration that is no number", r"^I5 .*no number", no_number),
    ("a fragment without its map", r"^I5 .*no EXT-X-MAP", no_map),
    ("a row with a segment too many", r"^I6 .*13 segments", row_more),
    ("a row with a byte too few", r"^I6 .*bytes", row_bytes),
    ("a row with half a second too many", r"^I6 .* s,", row_seconds),
    ("a file that nothing names", r"^I6 .*000013\.ts is not", left_over),
    ("a .part that is left", r"^I6 .*\.part is left", left_part),
    ("a file of a stale writer", r"^I7 .*000005\.ts, the", stale_file),
    ("an entry of a stale writer", r"^I7 .*place", stale_place),
    ("a torn line of the journal", r"^I7 .*000005", torn_journal),
    ("an alert", r"^I8 .*signal 11", alert),
    ("a line of a sanitizer", r"^I8 .*Sanitizer", sanitizer),
    ("a secret in the log", r"^I11 .*error\.log", secret_log),
    ("a secret in a file", r"^I11 .*title\.txt", secret_file),
    ("a channel that was not recorded", r"^I4 b was not", never),
    ("a segment that was looked at and left the window",
     r"^I4 a: of epoch 0 was listed 0\.\.0", looked_at),
]


# planted into a recording of fragmented MP4

def map_of_before(w):
    w.entries[4] = w.entries[4].replace("init-2", "init-1")


def map_of_behind(w):
    w.entries[4] = w.entries[4].replace("init-2", "init-3")


def map_too_long(w):
    w.entries[8] = w.entries[8].split("\n", 1)[1]
    w.row["bytes"] -= len(w.files.pop("init-3.mp4"))


def map_of_quality(w):
    """what it is called is right, what it holds is of another quality"""
    body = w.c.init("1080p60", 1)
    w.files["init-2.mp4"] = body
    w.sent.append({"t": 1.0, "path": "/hls/a/init/1080p60-1.m4s",
                   "status": 200, "bytes": 1, "whole": True, "sha256":
                   lab.hashlib.sha256(body).hexdigest()})


def map_never_sent(w):
    w.files["init-2.mp4"] = w.c.init("1080p60", 1)


FRAGMENTS = [
    ("nothing in fragments", None, lambda w: None),
    ("the map of the segments before", r"^I5 .*000005.*of another.*30', 0\)",
     map_of_before),
    ("the map of the segments behind", r"^I5 .*000005.*of another.*30', 2\)",
     map_of_behind),
    ("a map that is in force too long", r"^I5 .*000009.*of another",
     map_too_long),
    ("the map of another quality", r"^I5 .*000005.*of another.*1080p60",
     map_of_quality),
    ("a map that nobody sent", r"^I2 .*init-2", map_never_sent),
]


# what a source may do and nobody has to mind

def anew_with_break(w):
    w.anew(0)


def runs_on(w):
    """who could tell"""
    w.anew(NUMBER, visible=False)


def passed_before(w):
    w.sent.append({"t": 1.0, "channel": "a", "passed": [0, -3, 5]})
    w.anew(0)


def another_broadcast(w):
    w.another(NUMBER + 3, broadcast=1001)


def between_two_told(w):
    w.another(NUMBER + 3)
    w.gaps.append({"recording_id": 2, "number": 1, "segments": 3,
                   "first_sequence": NUMBER, "reason": "window"})


def begin_told(w):
    w.without(0, visible=False)


RIGHT = [
    ("new numbers behind a break", anew_with_break),
    ("numbers that run on over a reset", runs_on),
    ("what passed before it was watched", passed_before),
    ("numbers between two broadcasts", another_broadcast),
    ("a written gap between two recordings", between_two_told),
    ("a first segment that is written down", begin_told),
]


# planted between two looks of a reader: the first text is right

def grows(w):
    w.tail = ""
    w.endlist = True


def changed(w):
    w.entries[2] = w.entries[2].replace("0.5", "0.4")


def shrunk(w):
    w.entries.pop()


def moved(w):
    w.entries.insert(0, w.entries.pop())


def break_added(w):
    w.entries[3] = "#EXT-X-DISCONTINUITY\n" + w.entries[3]


def target_shrunk(w):
    w.target = 0


def torn_later(w):
    w.tail = "#EXTINF:0.5"


def empty_later(w):
    w.files["000013.ts"] = b""
    w.tail = "#EXTINF:0.500000,\n000013.ts\n"


def cut_to_nothing(w):
    w.text = lambda: ""


def binary(w):
    w.text = lambda: "\udcff\0" * 100


BETWEEN = [
    ("nothing but the end", None, grows),
    ("an entry changed", r"^I5 .*changed to", changed),
    ("an entry gone", r"^I5 .*became", shrunk),
    ("an entry moved", r"^I5 .*changed to", moved),
    ("a discontinuity added afterwards", r"^I5 .*changed to", break_added),
    ("a target duration that shrank", r"^I5 .*TARGETDURATION", target_shrunk),
    ("a line torn later", r"^I5 .*last line", torn_later),
    ("an empty file listed later", r"^I1 .*empty", empty_later),
    ("a playlist without anything", r"^I5 .*first line", cut_to_nothing),
    ("a playlist of noise", r"^I5 .*first line", binary),
]


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, wrong=()):
        self.n += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.n, name))
        if not good:
            for line in wrong:
                print("#   " + line)


def found(wrong, pattern):
    if pattern is None:
        return not wrong
    return any(re.search(pattern, line) for line in wrong)


def at_rest(tap, directory):
    w = World(directory)
    wrong = w.check()
    tap.ok(not wrong, "nothing is found where nothing is", wrong)

    w = World(directory)
    w.without(5)
    wrong = w.check()
    tap.ok(not wrong, "nor in a gap that is written down", wrong)

    for name, plant in RIGHT:
        w = World(directory)
        plant(w)
        wrong = w.check()
        tap.ok(not wrong, "nor in " + name, wrong)

    for name, pattern, plant in REST + FRAGMENTS:
        w = World(directory, "ts" if (name, pattern, plant) in REST
                  else "fmp4")
        plant(w)
        wrong = w.check()
        tap.ok(found(wrong, pattern), "found: " + name, wrong)


def between(tap, directory):
    for name, pattern, plant in BETWEEN:
        w = World(directory)
        w.endlist = False
        w.write()
        reader = checker.Reader(w.storage)
        reader.round()
        plant(w)
        if "\udcff" in w.text():
            with open(w.at + "/index.m3u8", "wb") as f:
                f.write(b"\xff\0" * 100)
        else:
            w.write()
        reader.round()
        tap.ok(found(reader.wrong, pattern), "a reader sees: " + name,
               reader.wrong)

    reader = checker.Reader(directory + "/nowhere")
    reader.start()
    wrong = reader.finish()
    tap.ok(found(wrong, "no playlist"), "a reader that saw nothing says so")


class Loop:
    """a stand-in of /metrics with so many late heartbeats"""

    def __init__(self, late):
        self.body = ("\n".join(
            'mntreamer_loop_lateness_seconds_bucket{le="%s"} %d' % v
            for v in (("0.05", 100000 - late), ("+Inf", 100000)))).encode()

    def get(self, path):
        return self


class Told:
    """a stand-in of an nginx and its origin with a secret in one place"""

    def __init__(self, directory, where=None):
        shutil.rmtree(directory, ignore_errors=True)
        self.dir, self.storage = directory, directory + "/storage"
        os.makedirs(directory + "/logs")
        os.makedirs(self.storage)
        self.origin, self.where, self.body = self, where, b""
        if where in ("logs", "storage"):
            with open("%s/%s/x" % (directory, where), "w") as f:
                f.write("password=" + lab.PASSWORD)

    def truth(self):
        return [] if self.where == "sent" else [{"cookie": lab.COOKIE}]

    def get(self, path):
        self.body = b"?hdnts=hmac=0" if path == self.where else b""
        return self


def told(tap, directory):
    wrong = checker.check_planted(Told(directory))
    tap.ok(not wrong, "nothing planted was told", wrong)
    for where, pattern in (("logs", r"^I11 .*logs/x"), ("/metrics", r"^I11 "),
                           ("storage", r"^I11 .*storage/x"),
                           ("/api/v1/streamers?limit=500", r"^I11 .*streamers"),
                           ("sent", r"^I11 .*never sent")):
        wrong = checker.check_planted(Told(directory, where))
        tap.ok(found(wrong, pattern), "found: a secret told, " + where, wrong)


class Sick:
    """a stand-in of an nginx that answers with an error"""

    status = 500

    def get(self, path, timeout):
        return self


def serving(tap):
    pulse = checker.Pulse(Sick(), pause=0.001)
    pulse.start()
    while pulse.asked < 3:
        pulse.join(0.01)
    pulse.finish()
    tap.ok(pulse.bad.get(500), "found: answers that are errors")


class Workers:
    def __init__(self):
        self.pids = [os.getpid()]

    def workers(self):
        return self.pids


def living(tap):
    tap.ok(not checker.check_loop(Loop(50)), "heartbeats in time")
    tap.ok(found(checker.check_loop(Loop(500)), r"^I10 500 of"),
           "found: late heartbeats")

    w = Workers()
    base = checker.Baseline(w)
    tap.ok(not base.check(), "nothing has grown")
    held = [open("/dev/null") for _ in range(5)]
    tap.ok(found(base.check(), r"^I9 .*descriptors"),
           "found: descriptors that stay open")
    for f in held:
        f.close()
    block = bytearray(b"x") * (64 << 20)
    tap.ok(found(base.check(), r"^I9 .*KiB"), "found: memory that stays")
    del block
    w.pids = w.pids * 2
    tap.ok(found(base.check(), r"^I9 2 workers"), "found: a worker too many")


def main():
    tap = Tap()
    directory = tempfile.mkdtemp(prefix="mntreamer-planted-")
    try:
        at_rest(tap, directory + "/w")
        between(tap, directory + "/w")
        told(tap, directory + "/t")
    finally:
        shutil.rmtree(directory)
    living(tap)
    serving(tap)
    print("1..%d" % tap.n)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
