"""The recording checker: compares what is stored with what the origin
published, and holds the invariants of a recording:

 I1  every URI of a stored playlist is a whole file; nothing listed is a .part
 I2  what was stored is what the origin sent, byte for byte, and what it sent as
     a whole is stored
 I3  no segment is there twice, and they are in order
 I4  every hole in the source's numbers is visible in the playlist and has a row
     with a reason, also between two recordings of a broadcast; what was listed
     in a playlist that the origin sent is stored or has a row, at the start of
     a recording and at the end of a numbering, too; where the numbers begin
     anew there is a break
 I5  the playlist is valid at every moment it can be read (see Reader), and each
     fragment has the init section that was in force for it
 I6  the rows and the files agree
 I7  nothing of a stale writer is listed: each entry is in the journal that has
     a name, with the size and the place that it has there
 I8  the error log is clean
 I9  descriptors, processes and memory are back where they were, within bounds
     that the caller gives (see Baseline)
 I10 of 1000 heartbeats of the event loop at most one was later than a bound
 I11 no secret is in a log, a name or an answer
 I12 the worker still serves (Pulse only asks and counts; the caller judges)

check_recordings() holds I1 to I4, I6 and I7 and what I5 says of maps; for the
others there is a function or a thread each, and a caller that leaves one out
has not checked it: docs/figures.md says which figure holds what.

A violation is a line of text that starts with its invariant.  That each of
them is noticed is held by planted.py.

What cannot be seen: a row of a gap has a number, but no epoch, and so it covers
a number of any; what an old numbering published behind the last playlist that
anybody got, until it left the window; and nothing of what was listed counts
where a fault changed the playlist that was sent.
"""

import json
import os
import re
import threading
import time
from urllib.parse import unquote

import lab


class Invalid(Exception):
    """the playlist breaks a rule of RFC 8216"""


class Entry:
    __slots__ = ("uri", "duration", "discontinuity", "gap", "map", "date")

    def __init__(self):
        self.uri = None
        self.duration = None
        self.discontinuity = self.gap = False
        self.map = self.date = None

    def key(self):
        return (self.uri, self.duration, self.discontinuity, self.gap,
                self.map, self.date)


class Playlist:
    """a media playlist, read strictly (RFC 8216 4, 6.2)"""

    def __init__(self, text):
        self.entries = []
        self.target = self.kind = self.sequence = None
        self.version = 1
        self.endlist = False
        self.text = ""
        self.lines = 0
        self.section = None
        if not text.startswith("#EXTM3U\n"):
            raise Invalid("the first line is not #EXTM3U")
        self.more(text)

    def more(self, text):
        """goes on with a text that starts with the one that was read"""
        lines = text[len(self.text):].split("\n")
        if lines.pop() != "":
            raise Invalid("the last line has no end")
        entry = Entry()
        for i, line in enumerate(lines, self.lines + 1):
            if self.endlist:
                raise Invalid("line %d is behind EXT-X-ENDLIST" % i)
            if "\0" in line or "\r" in line:
                raise Invalid("line %d holds a control character" % i)
            if not line.startswith("#"):
                if not line:
                    continue
                entry = self.uri(i, line, entry, self.section)
            elif line.startswith("#EXT"):
                self.section = self.tag(i, line, entry, self.section)
        if self.target is None:
            raise Invalid("no EXT-X-TARGETDURATION")
        if entry.duration is not None or entry.discontinuity or entry.gap:
            raise Invalid("the last entry has no URI")
        self.text = text
        self.lines += len(lines)

    def uri(self, i, line, entry, section):
        if entry.duration is None:
            raise Invalid("line %d: a URI without EXTINF" % i)
        if self.target is None or int(entry.duration + 0.5) > self.target:
            raise Invalid("line %d: EXTINF %.3f above EXT-X-TARGETDURATION %s"
                          % (i, entry.duration, self.target))
        if re.search(r"\.m4s$", line) and section is None:
            raise Invalid("line %d: no EXT-X-MAP for %s" % (i, line))
        entry.uri, entry.map = line, section
        self.entries.append(entry)
        return Entry()

    def once(self, i, name, value):
        if value is not None:
            raise Invalid("line %d: %s twice" % (i, name))

    def tag(self, i, line, entry, section):
        name, _, value = line.partition(":")
        if name == "#EXTINF":
            m = re.match(r"(\d+(?:\.\d+)?),", value)
            if not m:
                raise Invalid("line %d: EXTINF is no number" % i)
            self.once(i, name, entry.duration)
            entry.duration = float(m.group(1))
        elif name == "#EXT-X-TARGETDURATION":
            self.once(i, name, self.target)
            self.target = self.number(i, value)
        elif name == "#EXT-X-MEDIA-SEQUENCE":
            self.once(i, name, self.sequence)
            if self.entries:
                raise Invalid("line %d: %s behind a segment" % (i, name))
            self.sequence = self.number(i, value)
        elif name == "#EXT-X-PLAYLIST-TYPE":
            self.once(i, name, self.kind)
            self.kind = value
        elif name == "#EXT-X-VERSION":
            self.version = self.number(i, value)
        elif name == "#EXT-X-DISCONTINUITY":
            entry.discontinuity = True
        elif name == "#EXT-X-GAP":
            entry.gap = True
        elif name == "#EXT-X-PROGRAM-DATE-TIME":
            entry.date = value
        elif name == "#EXT-X-ENDLIST":
            self.endlist = True
        elif name == "#EXT-X-MAP":
            m = re.match(r'URI="([^"]+)"', value)
            if not m:
                raise Invalid("line %d: EXT-X-MAP without URI" % i)
            return m.group(1)
        return section

    @staticmethod
    def number(i, value):
        if not re.match(r"\d{1,20}$", value):
            raise Invalid("line %d: %r is no number" % (i, value))
        return int(value)


def is_multivariant(text):
    return "#EXT-X-STREAM-INF" in text


def grown(before, after):
    """why the second view of an EVENT playlist cannot follow the first"""
    if (before.sequence or 0) != (after.sequence or 0):
        return "EXT-X-MEDIA-SEQUENCE changed"
    if len(after.entries) < len(before.entries):
        return "%d entries became %d" % (len(before.entries),
                                         len(after.entries))
    for a, b in zip(before.entries, after.entries):
        if a.key() != b.key():
            return "entry %s changed to %s" % (a.key(), b.key())
    if after.target < before.target:
        return "EXT-X-TARGETDURATION shrank"
    return None


class Reader(threading.Thread):
    """Reads all playlists below a storage directory again and again, as they
    stand in the files, and checks I1 and I5 of each view.  "reopens": a
    recording may lose its EXT-X-ENDLIST (a broadcast that comes back)."""

    def __init__(self, storage, pause=0.02, reopens=True):
        super().__init__(daemon=True)
        self.storage = storage
        self.pause = pause
        self.reopens = reopens
        self.wrong = []
        self.reads = 0
        self.last = {}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            try:
                self.round()
            except Exception as e:             # a reader that died saw nothing
                self.wrong.append("I5 the reader broke: %r" % e)
                return

    def round(self):
        for path in find_playlists(self.storage):
            self.look(path)
            if self.ended.wait(self.pause):
                break
        self.ended.wait(self.pause)

    def look(self, path):
        try:
            text = read_text(path)
        except OSError:
            return
        self.reads += 1
        if not text.endswith("\n"):

            # a write() becomes visible page by page, which a moment hides

            time.sleep(0.02)
            text = read_text(path)
        if is_multivariant(text):
            return
        before = self.last.get(path)
        known = len(before.entries) if before else 0
        try:
            if before and text.startswith(before.text):
                now = before
                now.more(text)
            else:
                now = Playlist(text)
        except Invalid as e:
            self.wrong.append("I5 %s: %s" % (path, e))
            self.last.pop(path, None)
            return
        if before and now is not before:
            why = grown(before, now)
            if why:
                self.wrong.append("I5 %s: %s" % (path, why))
            if before.endlist and not now.endlist and not self.reopens:
                self.wrong.append("I5 %s: EXT-X-ENDLIST went away" % path)
        for e in now.entries[known:]:
            if e.gap:
                continue
            for uri in filter(None, (e.uri, e.map)):
                file = os.path.join(os.path.dirname(path), uri)
                try:
                    if os.stat(file).st_size == 0:
                        self.wrong.append("I1 %s lists %s: empty" % (path, uri))
                except OSError:
                    self.wrong.append("I1 %s lists %s: no such file"
                                      % (path, uri))
        self.last[path] = now

    def finish(self):
        """stops; the violations, each once"""
        self.ended.set()
        self.join(30)
        if self.reads == 0:
            self.wrong.append("I5 the reader found no playlist")
        return list(dict.fromkeys(self.wrong))


def read_text(path):
    with open(path, newline="", errors="surrogateescape") as f:
        return f.read()


class Growth(threading.Thread):
    """When entries appeared in the playlists, to some milliseconds; for each
    harm to a playlist how long it took to the next one."""

    def __init__(self, storage, pause=0.01):
        super().__init__(daemon=True)
        self.storage = storage
        self.pause = pause
        self.lock = threading.Lock()
        self.sizes = {}                   # path: (size, entries)
        self.harms = {}                   # path: times not answered yet
        self.took = []
        self.ended = threading.Event()

    def harm(self, paths, when):
        with self.lock:
            for path in paths:
                self.harms.setdefault(path, []).append(when)

    def waiting(self):
        with self.lock:
            return sum(len(v) for v in self.harms.values())

    def run(self):
        paths, before = [], 0.0
        while not self.ended.wait(self.pause):
            if time.monotonic() - before > 1.0:
                paths, before = find_playlists(self.storage), time.monotonic()
            for path in paths:
                try:
                    self.look(path)
                except OSError:
                    pass

    def look(self, path):
        began = time.monotonic()
        size = os.path.getsize(path)
        was, entries = self.sizes.get(path, (0, 0))
        if size == was:
            return
        with open(path, "rb") as f:
            if size > was:
                f.seek(was)
                n = entries + f.read(size - was).count(b"#EXTINF")
            else:
                n = f.read().count(b"#EXTINF")
        self.sizes[path] = (size, n)
        if n > entries:
            self.grew(path, began)

    def grew(self, path, now):
        with self.lock:
            waiting = self.harms.pop(path, [])
            self.took += [now - t for t in waiting if t < now]
            later = [t for t in waiting if t >= now]
            if later:
                self.harms[path] = later

    def finish(self):
        self.ended.set()
        self.join(10)
        return sorted(self.took)


def quantile(values, q):
    """of sorted ones"""
    return values[min(len(values) - 1, int(len(values) * q))] if values else 0


def find_playlists(storage):
    out = []
    for d, _, files in os.walk(storage):
        out += [os.path.join(d, f) for f in files if f.endswith(".m3u8")]
    return sorted(out)


class Truth:
    """What an origin published and sent, by the hash of the bytes."""

    PATH = re.compile(r"/hls/([^/]+)/(seg|whole)/(\w+)-(\d+)-(\d+)(?:-t\w+)?"
                      r"\.\w+")
    INIT = re.compile(r"/hls/([^/]+)/init/(\w+)-(\d+)\.m4s")
    LINE = re.compile(r'"path": "([^"]+)".*"sha256": "([0-9a-f]{64})"')
    LISTED = re.compile(r'"path": "/hls/([^/"]+)/.*"listed": '
                        r'\[(\d+), (\d+), (\d+), (\d+)\]')

    def __init__(self, origin):
        self.by_hash = {}
        self.sent = {}
        self.delivered = {}               # channel: {(epoch, number)}
        self.inits = {}                   # hash: {(channel, quality, change)}
        self.listed = {}                  # channel: {(epoch, n): broadcasts}
        self.begins = {}                  # channel: [(epoch, n)] of each load
        self.passed = {}                  # channel: [(epoch, first, last)]
        self.state = origin.state()
        with open(origin.truth_file) as f:     # long: not as JSON
            for line in f:
                if not line.endswith("\n"):
                    continue
                if '"passed": ' in line:
                    d = json.loads(line)
                    self.passed.setdefault(d["channel"], []).append(d["passed"])
                elif '"whole": true' in line:
                    m = self.LINE.search(line)
                    if m:
                        self.take(m.group(1), m.group(2))
                    m = self.LISTED.search(line)
                    if m:
                        self.told(m.group(1), *map(int, m.groups()[1:]))

    def take(self, path, sha):
        m = self.PATH.match(path)
        if m:
            key = (unquote(m.group(1)), int(m.group(4)), int(m.group(5)))
            self.by_hash.setdefault(sha, key + (m.group(3),))
            self.sent[key] = self.sent.get(key, 0) + 1
            self.delivered.setdefault(key[0], set()).add(key[1:])
        m = self.INIT.match(path)
        if m:
            self.inits.setdefault(sha, set()).add(
                (unquote(m.group(1)), m.group(2), int(m.group(3))))

    def told(self, name, epoch, first, last, broadcast):
        known = self.listed.setdefault(unquote(name), {})
        self.begins.setdefault(unquote(name), []).append((epoch, first))
        for n in range(first, last + 1):
            known.setdefault((epoch, n), set()).add(broadcast)

    def map_of(self, key):
        """(channel, quality, change): whose init section a segment needs"""
        name, _, n, quality = key
        every = self.state.get(name, {}).get("map_every", 0)
        return name, quality, n // every if every else 0


JOURNAL = re.compile(r"S (\d+) \d+ [0-9a-f]{8} (\d) \d+ \d+ [0-9a-f]{16} "
                     r"\S+ \d+ \d+ [01] \d+ (\d+) \d+ \*[0-9a-f]{8}\n")


def read_journal(directory):
    """{file name without its ending: (place, bytes)} of the one with a name"""
    out = {}
    try:
        with open(directory + "/.index.journal", "rb") as f:
            for place, line in enumerate(f):
                m = JOURNAL.fullmatch(line.decode("latin-1"))
                if m:
                    out["%06d" % int(m.group(1))] = (place, int(m.group(3)))
    except OSError:
        pass
    return out


class Stored:
    """one recording: its row, its playlist, where its segments come from"""

    def __init__(self, row, storage, truth, wrong):
        self.row = row
        self.dir = os.path.join(storage, row["path"])
        self.at = "recording %d" % row["id"]
        self.numbers = []                 # (epoch, number) or None for a gap
        self.breaks = set()               # positions behind a discontinuity
        self.judged = set()               # (epoch, number) of its holes
        self.size = 0
        self.sizes = {}
        self.playlist = None
        try:
            self.playlist = Playlist(read_text(self.dir + "/index.m3u8"))
        except (OSError, Invalid) as e:
            wrong.append("I5 %s: %s" % (self.at, e))
            return
        seen = set()
        inits = {}
        journal = read_journal(self.dir)
        self.inits = self.kept_inits()
        for i, e in enumerate(self.playlist.entries):
            if e.discontinuity or e.gap:
                self.breaks.add(i)
            if e.gap:
                self.numbers.append(None)
                continue
            self.numbers.append(self.one(e, truth, wrong, seen, inits))
        self.check_writer(journal, wrong)

    def kept_inits(self):
        """init sections all of whose segments were lost: stored, not listed"""
        listed = {e.map for e in self.playlist.entries}
        return {n for n in os.listdir(self.dir)
                if re.fullmatch(r"init-\d+\.mp4", n) and n not in listed}

    def check_writer(self, journal, wrong):
        """I7: a stale writer's journal has no name any more"""
        at = -1
        for e in self.playlist.entries:
            if e.gap:
                continue
            name = e.uri.rsplit(".", 1)[0]
            if name not in journal:
                wrong.append("I7 %s lists %s, the journal does not"
                             % (self.at, e.uri))
                continue
            place, size = journal[name]
            if place < at:
                wrong.append("I7 %s lists %s in another place than the journal"
                             % (self.at, e.uri))
            at = place
            if self.sizes.get(e.uri, size) != size:
                wrong.append("I7 %s: %s has %d bytes, %d in the journal"
                             % (self.at, e.uri, self.sizes[e.uri], size))

    def one(self, e, truth, wrong, seen, inits):
        path = os.path.join(self.dir, e.uri)
        if e.uri.endswith(".part"):
            wrong.append("I1 %s lists %s" % (self.at, e.uri))
        try:
            sha = lab.sha256_file(path)
            self.sizes[e.uri] = os.path.getsize(path)
            self.size += self.sizes[e.uri]
        except OSError as error:
            wrong.append("I1 %s: %s" % (self.at, error))
            return None
        if e.map and e.map not in inits:
            try:
                inits[e.map] = lab.sha256_file(os.path.join(self.dir, e.map))
                self.size += os.path.getsize(os.path.join(self.dir, e.map))
            except OSError as error:
                wrong.append("I1 %s: %s" % (self.at, error))
                inits[e.map] = None
            if inits[e.map] and inits[e.map] not in truth.inits:
                wrong.append("I2 %s: %s is not what was sent"
                             % (self.at, e.map))
        key = truth.by_hash.get(sha)
        if key is None:
            wrong.append("I2 %s: %s is not what was sent" % (self.at, e.uri))
            return None
        mine = truth.inits.get(inits.get(e.map))
        if mine and truth.map_of(key) not in mine:
            wrong.append("I5 %s: %s has the map of another: %s is of %s"
                         % (self.at, e.uri, e.map, sorted(mine)))
        if key[:3] in seen:
            wrong.append("I3 %s: %s holds %s again" % (self.at, e.uri, key))
        seen.add(key[:3])
        return key[1:3]


class Result:
    def __init__(self):
        self.wrong = []
        self.published = self.sent = self.stored = 0
        self.numbers = {}                 # of each channel, in any recording
        self.declared = 0                 # lost, and said so
        self.silent = 0                   # lost, and nobody said so

    def line(self):
        return ("%d published, %d stored, %d lost and written down, "
                "%d lost silently" % (self.published, self.stored,
                                      self.declared, self.silent))


def holes(numbers):
    """(position behind it, epoch, first, count) of numbers never listed"""
    out, last = [], None
    for i, key in enumerate(numbers):
        if key is None:
            continue
        if last and key[0] == last[0] and key[1] > last[1] + 1:
            out.append((i, key[0], last[1] + 1, key[1] - last[1] - 1))
        last = key
    return out


def anew(numbers):
    """(position of the one before, position) where the source's numbers began
    anew; numbers that run on over a reset cannot be told from one another"""
    out, last = [], None
    for i, key in enumerate(numbers):
        if key is None:
            continue
        if last is not None and key[0] != numbers[last][0] \
                and key[1] != numbers[last][1] + 1:
            out.append((last, i))
        last = i
    return out


def check_holes(s, gaps, result):
    rows = [(g["first_sequence"], g["first_sequence"] + g["segments"])
            for g in gaps if g["recording_id"] == s.row["id"]]
    for i, epoch, first, count in holes(s.numbers):
        covered = [n for n in range(first, first + count)
                   if any(a <= n < b for a, b in rows)]
        result.declared += len(covered)
        result.silent += count - len(covered)
        if len(covered) < count:
            result.wrong.append("I4 %s: %d..%d of epoch %d are missing, rows "
                                "cover %d" % (s.at, first, first + count - 1,
                                              epoch, len(covered)))
        s.judged.update((epoch, n) for n in range(first, first + count))
        last = max((j for j in range(i) if s.numbers[j]), default=0)
        if not any(j in s.breaks for j in range(last + 1, i + 1)):
            result.wrong.append("I4 %s: no break in the playlist before %d"
                                % (s.at, first + count))
    for last, i in anew(s.numbers):
        if not any(j in s.breaks for j in range(last + 1, i + 1)):
            result.wrong.append("I4 %s: no break where the numbers begin anew "
                                "with %d of epoch %d"
                                % ((s.at,) + s.numbers[i][::-1]))
    stored = {n[1] for n in s.numbers if n}
    if len({n[0] for n in s.numbers if n}) == 1:
        for a, b in rows:
            there = [n for n in range(a, b) if n in stored] \
                if b - a < 100000 else []
            if there:
                result.wrong.append("I4 %s: a row calls %d lost, which is "
                                    "stored" % (s.at, there[0]))
    order = [n for n in s.numbers if n]
    if order != sorted(order):
        result.wrong.append("I3 %s: not in the order of the source" % s.at)


def check_row(s, result):
    row, p = s.row, s.playlist
    real = [e for e in p.entries if not e.gap]
    if row["segments"] != len(real):
        result.wrong.append("I6 %s: the row says %d segments, the playlist %d"
                            % (s.at, row["segments"], len(real)))
    kept = sum(os.path.getsize(os.path.join(s.dir, n)) for n in s.inits)
    if row["bytes"] not in (s.size, s.size + kept):
        result.wrong.append("I6 %s: the row says %d bytes, the files %d"
                            % (s.at, row["bytes"], s.size))
    seconds = sum(e.duration for e in real)
    if abs(row["duration_us"] / 1e6 - seconds) > 0.001 * (len(real) + 1):
        result.wrong.append("I6 %s: the row says %.3f s, the playlist %.3f"
                            % (s.at, row["duration_us"] / 1e6, seconds))
    if (row["status"] == "recording") == p.endlist:
        result.wrong.append("I6 %s: %s, and EXT-X-ENDLIST is%s there"
                            % (s.at, row["status"],
                               "" if p.endlist else " not"))


def check_left(s, result):
    """no file is left that nothing names"""
    known = {e.uri for e in s.playlist.entries} \
        | {e.map for e in s.playlist.entries} | s.inits
    for name in os.listdir(s.dir):
        if name.endswith(".part") and s.row["status"] != "recording":
            result.wrong.append("I6 %s: %s is left" % (s.at, name))
        elif re.search(r"\.(ts|m4s|mp4|aac)$", name) and name not in known \
                and s.row["status"] != "recording":
            result.wrong.append("I6 %s: %s is not listed" % (s.at, name))


def check_recordings(nginx, origin, first=None, last=None, rows_late=False,
                     some=True, truth=None, trees=None):
    """I1 to I4, I6, I7 and maps over all recordings of one storage and
    database.

    first, last  of {channel: (epoch, number)}: what must be there at the ends;
                 by default what was listed in a playlist that was sent
    rows_late    rows need not be up to date (recordings in progress)
    some         there must be a recording
    truth        of the origin, where it is read already
    trees        storages, when there are several: a recording is in one
    """
    result = Result()
    truth = truth or Truth(origin)
    result.sent = len(truth.sent)
    rows = nginx.rows("SELECT * FROM media_record WHERE status <> 'deleted' "
                      "ORDER BY id")
    gaps = nginx.rows("SELECT * FROM media_gap ORDER BY recording_id, number")
    names = {c["id"]: name for name, c in truth.state.items()}
    ends = {}
    if some and not rows:
        result.wrong.append("I4 nothing was recorded")
    for row in rows:
        at = [t for t in trees or [nginx.storage]
              if os.path.isdir(os.path.join(t, row["path"]))]
        if len(at) > 1:
            result.wrong.append("I7 %s is in %d storages" % (row["path"],
                                                             len(at)))
        s = Stored(row, (at or [nginx.storage])[0], truth, result.wrong)
        if s.playlist is None:
            continue
        check_holes(s, gaps, result)
        if not rows_late:
            check_row(s, result)
            check_left(s, result)
        have = [n for n in s.numbers if n]
        result.stored += len(have)
        if have:
            name = names.get(row["channel_id"])
            result.numbers.setdefault(name, set()).update(have)
            lo, hi, mine = ends.get(name, (have[0], have[-1], []))
            ends[name] = (min(lo, min(have)), max(hi, max(have)), mine + [s])
    check_ends(ends, gaps, first or {}, last or {}, result)
    check_between(ends, gaps, truth, result)
    check_known(ends, gaps, truth, last is None, result)
    result.published = result.stored + result.declared + result.silent
    return result


def check_ends(ends, gaps, first, last, result):
    for name in set(first) | set(last):
        if name not in ends:
            result.wrong.append("I4 %s was not recorded" % name)
            result.silent += 1
            continue
        lo, hi, stored = ends[name]
        if name in first and lo > first[name]:
            result.wrong.append("I4 %s begins with %s, not %s"
                                % (name, lo, first[name]))
            result.silent += max(1, lo[1] - first[name][1])
        if name in last and hi < last[name]:
            covered = covered_by(gaps, stored)
            lost = [n for n in range(hi[1] + 1, last[name][1] + 1)
                    if n not in covered] if hi[0] == last[name][0] else [0]
            if lost:
                result.wrong.append("I4 %s ends with %s, not %s"
                                    % (name, hi, last[name]))
                result.silent += len(lost)


def covered_by(gaps, stored):
    ids = {s.row["id"] for s in stored}
    return {n for g in gaps if g["recording_id"] in ids
            for n in range(g["first_sequence"],
                           g["first_sequence"] + g["segments"])}


def check_between(ends, gaps, truth, result):
    """I4: between two recordings of the same broadcast, whose numbers went on"""
    for name, (_, _, stored) in ends.items():
        known = truth.listed.get(name, {})
        covered = covered_by(gaps, stored)
        for a, b in zip(stored, stored[1:]):
            end = max(n for n in a.numbers if n)
            begin = min(n for n in b.numbers if n)
            if end[0] != begin[0] or not known.get(end, set()) \
                    & known.get(begin, set()):
                continue
            between = range(end[1] + 1, begin[1])
            lost = [n for n in between if n not in covered]
            result.silent += len(lost)
            if lost:
                result.wrong.append(
                    "I4 %s: %d..%d of epoch %d are missing between two "
                    "recordings of a broadcast, rows cover %d" % (
                        name, between[0], between[-1], end[0],
                        len(between) - len(lost)))
            b.judged.update((end[0], n) for n in between)


def runs(keys):
    """[(epoch, first, last)] of sorted (epoch, number)"""
    out = []
    for epoch, n in keys:
        if out and out[-1][0] == epoch and out[-1][2] == n - 1:
            out[-1] = (epoch, out[-1][1], n)
        else:
            out.append((epoch, n, n))
    return out


def check_known(ends, gaps, truth, behind, result):
    """I2, I4: what the source sent as a whole, what it listed in a playlist
    that it sent, and what it listed until it left the window, is stored or
    written down, also where no hole between two numbers shows it: at the start
    of a recording and at the end of a numbering.  "behind": behind the last
    stored one, too."""
    for name, (lo, hi, stored) in ends.items():
        covered = covered_by(gaps, stored)
        judged = set().union(*(s.judged for s in stored))
        have = {k for s in stored for k in s.numbers if k}
        end = behind and all(s.row["status"] != "recording" for s in stored)

        def lost(keys, since=None):
            return sorted(k for k in keys if k not in have and k not in judged
                          and k[1] not in covered and (end or k < hi)
                          and (since is None or k > since))

        sent = lost(truth.delivered.get(name, ()))
        for epoch, n in sent:
            result.wrong.append("I2 %s: %d of epoch %d was sent and is not "
                                "stored" % (name, n, epoch))
        judged.update(sent)
        first = (truth.begins.get(name) or [lo])[0]
        listed = lost(k for k in truth.listed.get(name, ())
                      if k >= min(lo, first))
        for run in runs(listed):
            result.wrong.append("I4 %s: of epoch %d was listed %d..%d, which "
                                "is neither stored nor written down"
                                % ((name,) + run))
        judged.update(listed)
        passed = lost({(e, n) for e, a, b in truth.passed.get(name, ())
                       for n in range(a, b + 1)}, lo)
        for run in runs(passed):
            result.wrong.append("I4 %s: of epoch %d passed %d..%d before the "
                                "numbers began anew, which is neither stored "
                                "nor written down" % ((name,) + run))
        result.silent += len(sent) + len(listed) + len(passed)


def snapshot(nginx):
    """of all that recovery may touch, to be compared: I6, twice is once"""
    files = {}
    for d, _, names in os.walk(nginx.storage):
        for n in names:
            path = os.path.join(d, n)
            files[os.path.relpath(path, nginx.storage)] = (
                lab.sha256_file(path))
    rows = nginx.rows("SELECT id, status, segments, bytes, duration_us, gaps, "
                      "lost_us, path FROM media_record ORDER BY id")
    gaps = nginx.rows("SELECT recording_id, number, first_sequence, segments, "
                      "reason FROM media_gap ORDER BY 1, 2")
    return files, rows, gaps


def check_log(nginx, allow=None):
    """I8"""
    return ["I8 " + line for line in nginx.bad_log(allow)]


def check_loop(nginx, bound=0.05):
    """I10: the share of heartbeats later than "bound" must be 0 in 1000"""
    text = nginx.get("/metrics").body.decode()
    name = "mntreamer_loop_lateness_seconds"
    total = below = 0.0
    for le, v in re.findall(r'^%s_bucket{[^}]*le="([^"]+)"[^}]*} (\S+)' % name,
                            text, re.M):
        if le == "+Inf":
            total = float(v)
        elif float(le) <= bound:
            below = float(v)
    if total == 0:
        return ["I10 there is no heartbeat"]
    if (total - below) / total > 0.001:
        return ["I10 %d of %d heartbeats were later than %g s"
                % (total - below, total, bound)]
    return []


def check_secrets(directory, secrets):
    """I11: in no file below it, in no name"""
    wrong = []
    wanted = [s.encode() for s in secrets]
    for d, _, names in os.walk(directory):
        for n in names:
            path = os.path.join(d, n)
            if any(s in path.encode() for s in wanted):
                wrong.append("I11 a secret is in the name " + path)
            try:
                with open(path, "rb") as f:
                    body = f.read()
            except OSError:
                continue
            wrong += ["I11 a secret is in " + path
                      for s in wanted if s in body]
    return wrong


def check_planted(nginx):
    """I11: what lab.py planted (a cookie, the database's password, tokens in
    addresses) is in no log, no file or name of the storage and no answer"""
    wrong = check_secrets(nginx.dir + "/logs", lab.SECRETS)
    wrong += check_secrets(nginx.storage, lab.SECRETS)
    for path in ("/api/v1/streamers?limit=500", "/api/v1/recordings?limit=500",
                 "/api/v1/live", "/metrics", "/health"):
        body = nginx.get(path).body
        wrong += ["I11 a secret is in " + path
                  for s in lab.SECRETS if s.encode() in body]
    if nginx.origin and not any(lab.COOKIE in (e.get("cookie") or "")
                                for e in nginx.origin.truth()):
        wrong.append("I11 the cookie was never sent: nothing was tried")
    return wrong


class Baseline:
    """I9: descriptors and memory of the workers, their number"""

    def __init__(self, nginx):
        self.nginx = nginx
        self.then = self.now()

    def now(self):
        w = self.nginx.workers()
        return (len(w), max(lab.fds(p) for p in w),
                max(lab.kept_kib(p) for p in w))

    def check(self, fds=2, rss=1.05):
        n, f, r = self.now()
        n0, f0, r0 = self.then
        wrong = []
        if n != n0:
            wrong.append("I9 %d workers, were %d" % (n, n0))
        if f > f0 + fds:
            wrong.append("I9 %d descriptors, were %d" % (f, f0))
        if r > r0 * rss + 256:
            wrong.append("I9 %d KiB resident, were %d" % (r, r0))
        return wrong

    def settled(self, seconds=20, **bounds):
        """the same, when idle buffers have been given back"""
        end = time.monotonic() + seconds
        while True:
            wrong = self.check(**bounds)
            if not wrong or time.monotonic() > end:
                return wrong
            time.sleep(0.2)


class Pulse(threading.Thread):
    """I12: asks a location again and again; how long the worst took, and the
    answers that were not "good"."""

    def __init__(self, nginx, path="/alive", good=(200,), pause=0.05):
        super().__init__(daemon=True)
        self.nginx = nginx
        self.path = path
        self.good = good
        self.pause = pause
        self.asked = self.worst = 0
        self.bad = {}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(self.pause):
            t = time.monotonic()
            try:
                status = self.nginx.get(self.path, timeout=5).status
            except Exception as e:             # whatever a client may see
                status = type(e).__name__
            self.asked += 1
            self.worst = max(self.worst, time.monotonic() - t)
            if status not in self.good:
                self.bad[status] = self.bad.get(status, 0) + 1

    def finish(self):
        self.ended.set()
        self.join(10)
        return self
