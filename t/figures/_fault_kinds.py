"""The kinds of faults of the figure "faults".

A kind is a generator that gets its Case: what it does first shapes the channel
before it is watched; behind the first "yield" it is recorded, and faults are
told with times in seconds from there on.  What becomes of it is judged by what
the case expects:

  clean    nothing is lost, nothing declared (the default)
  lossy    what is lost is declared         lost   and something is lost
  breaks   so many discontinuities at most, None: any
  exactly  so many, no less: of what the schedule determines
  none     no recording ever
  loads    loads of media playlists in any 5 s, at most: one in TD/2, and 2
"""

import random

KINDS = []


def kind(row, name, quick=True, **expect):
    def add(f):
        KINDS.append((row, name, f, quick, expect))
        return f
    return add


class Case:
    """one channel and what happens to it"""

    def __init__(self, row, name, play, quick, expect, seed, ground):
        self.row = row
        self.name = name
        self.quick = quick
        self.ground = ground
        self.origin = ground.origin
        self.rng = random.Random("%s/%s" % (name, seed))
        self.expect = {"clean": True, "breaks": 0, "exactly": None,
                       "none": False, "loads": 12, "lost": False,
                       "recordings": 1}
        self.steps = []
        self.doings = []                       # (at, call)
        self.checks = []
        self.wanted = expect
        self.options = {"live": True, "dur": 1.0, "window": 6, "target": 1,
                        "size": 1504, "keep": 2}
        self.will(**expect)
        self.play = play(self)
        next(self.play)
        self.id = self.origin.channel(name, **self.options)

    def will(self, **d):
        if d.get("lossy") or d.get("lost"):
            d = dict({"clean": False, "breaks": None}, **d)
        self.expect.update(d)

    def channel(self, **d):
        self.options.update(d)

    def early(self, path, **d):
        """a fault from the beginning on"""
        self.origin.fault(match="/hls/%s/%s" % (self.name, path),
                          **dict({"times": -1}, **d))

    def began(self):
        self.last = self.origin.state()[self.name]
        for _ in self.play:
            pass

    def when(self, least=0.5, spread=1.0):
        return least + spread * self.rng.random()

    def number(self, least=1.0, spread=1.0):
        """the number of a segment that is published then"""
        return (self.last["first"] + self.last["last"]
                + int(self.when(least, spread) / self.options["dur"]))

    def fault(self, path, at=0.0, seconds=None, **d):
        f = dict({"times": -1, "match": "/hls/%s/%s" % (self.name, path)}, **d)
        f["after"] = at
        if seconds is not None:
            f["until"] = at + seconds
        self.steps.append({"fault": f})

    def api(self, at=0.0, seconds=None, what="live-(status|detail)", **d):
        f = dict({"times": -1, "match": "%s/%s" % (self.id, what)}, **d)
        f["after"] = at
        if seconds is not None:
            f["until"] = at + seconds
        self.steps.append({"fault": f})

    def segment(self, least=1.0, spread=1.0, **d):
        n = self.number(least, spread)
        self.fault(r"seg/\w+-0-%d\b" % n, **d)
        return n

    def media(self, at=None, seconds=3.0, **d):
        self.fault(r"media/", self.when() if at is None else at, seconds, **d)

    def change(self, at, **d):
        self.steps.append({"at": at, "channel": self.name, "set": d})

    def do(self, at, call):
        self.doings.append((at, call))

    def check(self, call):
        """call(seen): a text about what is wrong, or None"""
        self.checks.append(call)

    def proxy(self, scheme="http", to=None):
        """all of this channel's media go through it"""
        p = self.ground.lab.proxy(to or self.origin.port)
        self.channel(media_host="%s://127.0.0.1:%d" % (scheme, p.port))
        return p


# 3.1 the playlist

def stalls(c, seconds):
    at = c.when()
    c.change(at, stall=True)
    c.change(at + seconds, stall=False)


@kind("P1", "stall-short")
def _(c):
    yield
    stalls(c, 4)


@kind("P1", "stall-long", False, lost=True, exactly=1)
def _(c):
    yield
    stalls(c, 12)


@kind("P2", "window-passed", False, lost=True, exactly=1)
def _(c):
    yield
    c.media(seconds=11, status=503)


@kind("P2", "window-of-three", lossy=True)
def _(c):
    c.channel(window=3)
    yield
    c.media(seconds=2.5, status=503)


@kind("P3", "reset-to-zero", exactly=1)
def _(c):
    c.channel(first=5000)
    yield
    c.change(c.when(1, 2), reset=0)


@kind("P3", "reset-a-little-back", exactly=1)
def _(c):
    c.channel(first=5000)
    yield
    c.change(c.when(1, 2), reset=4990 + c.rng.randrange(12))


@kind("P3", "reset-a-little-ahead", lossy=True, exactly=1)
def _(c):
    """who could tell it from segments that were missed"""
    yield
    c.change(c.when(1, 2), reset=c.last["first"] + c.last["last"] + 5
             + c.rng.randrange(10))


@kind("P3", "reset-far-ahead", exactly=1)
def _(c):
    yield
    c.change(c.when(1, 2), reset=10 ** 6 + c.rng.randrange(1000))


@kind("P3", "reset-to-2-63", exactly=1)
def _(c):
    yield
    c.change(c.when(1, 2), reset=2 ** 63)


@kind("P3", "reset-without-dates", exactly=1)
def _(c):
    c.channel(first=5000, dates=False)
    yield
    c.change(c.when(1, 2), reset=0)


@kind("P3", "reset-twice", False, exactly=2)
def _(c):
    c.channel(first=900)
    yield
    at = c.when(1, 2)
    c.change(at, reset=0)
    c.change(at + 9, reset=0)


@kind("P4", "two-edges")
def _(c):
    c.channel(edges=[0, 3])
    yield


@kind("P4", "five-edges")
def _(c):
    c.channel(edges=[c.rng.randrange(6) for _ in range(20)])
    yield


@kind("P4", "two-edges-without-dates")
def _(c):
    c.channel(edges=[0, 3, 2], dates=False)
    yield


@kind("P5", "map-changes", breaks=None)
def _(c):
    c.channel(kind="fmp4", map_every=c.rng.randrange(2, 6))
    yield


@kind("P5", "map-and-discontinuity", breaks=None)
def _(c):
    c.channel(kind="fmp4", map_every=5, disc_every=5)
    yield


@kind("P5", "discontinuities", breaks=None)
def _(c):
    c.channel(disc_every=c.rng.randrange(2, 9))
    yield


@kind("P5", "map-not-had", lossy=True)
def _(c):
    c.channel(kind="fmp4", map_every=4)
    yield
    c.fault("init/", 0.2, 5.0, status=404, times=3)


@kind("P6", "renamed-by-query")
def _(c):
    c.channel(rename="query")
    yield


@kind("P6", "renamed-in-the-path", breaks=1)
def _(c):
    c.channel(rename="path")
    yield


BODIES = {
    "html": "<!DOCTYPE html><html><head><title>503</title></head></html>",
    "json": '{"code":500,"message":"x","content":null}',
    "binary": "\x00\x01\x02\x47\x40" * 300,
    "text": "ok\n",
    "almost": "#EXTM3",
    "nothing-in-it": "#EXTM3U\n",
    "late-head": "\n\n#EXTM3U\n#EXT-X-TARGETDURATION:1\n",
    "unfinished": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.5,\n",
}


def bodies(name, body):
    @kind("P7", name)
    def _(c):
        yield
        c.media(body=body)


for _name, _body in BODIES.items():
    bodies("body-" + _name, _body)


@kind("P7", "body-empty")
def _(c):
    yield
    c.media(empty=True)


@kind("P7", "body-master")
def _(c):
    yield
    c.media(body="#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1920x1080,"
            "FRAME-RATE=60\nmedia/1080p60.m3u8\n")


@kind("P7", "body-by-chance")
def _(c):
    yield
    for body in c.rng.sample(sorted(BODIES.values()), 4):
        c.media(0.5, 4.0, body=body, chance=0.15, seed=c.rng.random())


def masters(c, edit):
    """at most two playlists at an attempt, and few attempts"""
    c.early("master.m3u8", edit=edit)


@kind("P8", "master-of-itself", none=True)
def _(c):
    masters(c, [[r"media/\w+\.m3u8", "master.m3u8"]])
    yield


@kind("P8", "masters-of-each-other", none=True)
def _(c):
    masters(c, [[r"media/(\w+)\.m3u8", r"media/\1.m3u8?x"]])
    c.early("media/", body="#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION="
            "1920x1080,FRAME-RATE=60\n../master.m3u8\n")
    yield


def edits(row, name, edit, early=False, **expect):
    @kind(row, name, **expect)
    def _(c):
        if early:
            c.early("media/", edit=edit)
        yield
        if not early:
            c.media(edit=edit)


edits("P9", "line-of-1-mb", [[r"\Z", "#" + "x" * (1 << 20) + "\n"]])
edits("P9", "nul", [["EXTINF", "EXT\0INF"]])
edits("P9", "lone-cr", [["\n#EXTINF", "\r#EXTINF"]])
edits("P9", "two-playlists-in-one", [[r"\Z", "#EXTM3U\n"]])
edits("P9", "no-end-of-line", [[r"\n\Z", ""]], True)
edits("P9", "crlf", [["\n", "\r\n"]], True)
edits("P9", "byte-order-mark", [[r"\A", "\ufeff"]], True)
edits("P9", "no-utf-8", [["(#EXTINF:.*),", r"\1," + "\udcff\udcfe"]])
edits("P9", "unknown-tags", [["^#EXTINF", "#EXT-X-NEW:a=b\n#x\n\n#EXTINF"]],
      True)


@kind("P9", "100000-segments")
def _(c):
    yield
    c.media(head="#EXTM3U\n#EXT-X-TARGETDURATION:1\n",
            body="#EXTINF:0.5,\n../seg/x-0-1.ts\n", repeat=100000)


@kind("P9", "a-million-lines")
def _(c):
    yield
    c.media(head="#EXTM3U\n#EXT-X-TARGETDURATION:1\n", body="#\n",
            repeat=1000000)


edits("P10", "extinf-0", [[r"EXTINF:[\d.]+", "EXTINF:0"]], lossy=True)
edits("P10", "extinf-negative", [["EXTINF:", "EXTINF:-"]])
edits("P10", "extinf-nan", [[r"EXTINF:[\d.]+", "EXTINF:nan"]])
edits("P10", "extinf-1e308", [[r"EXTINF:[\d.]+", "EXTINF:1e308"]])
edits("P10", "extinf-huge", [[r"EXTINF:[\d.]+", "EXTINF:" + "9" * 40]])
edits("P10", "extinf-missing", [["^#EXTINF.*\n", ""]])
edits("P10", "target-0", [["DURATION:1", "DURATION:0"]])
edits("P10", "target-2-64", [["DURATION:1", "DURATION:18446744073709551616"]])
edits("P10", "target-missing", [["^#EXT-X-TARGETDURATION.*\n", ""]])
edits("P10", "sequence-negative", [["SEQUENCE:", "SEQUENCE:-"]])
edits("P10", "sequence-2-64", [[r"MEDIA-SEQUENCE:\d+",
                                "MEDIA-SEQUENCE:18446744073709551616"]])
edits("P10", "byterange-nonsense", [["^#EXTINF",
                                     "#EXT-X-BYTERANGE:-1@-1\n#EXTINF"]])


@kind("P11", "endlist-and-more")
def _(c):
    yield
    at = c.when()
    c.change(at, endlist=True)
    c.change(at + 3, endlist=False)


# 404 makes it ask for new addresses, three times at once, and try each

RENEWED = 12 + 3


@kind("P11", "playlist-404-a-while", loads=RENEWED)
def _(c):
    yield
    c.media(status=404)


@kind("P11", "playlist-410-a-while", loads=RENEWED)
def _(c):
    yield
    c.media(status=410)


@kind("P11", "playlist-404-10-s", False, lossy=True, loads=RENEWED)
def _(c):
    yield
    c.media(seconds=10, status=404)


@kind("P11", "playlist-404-for-good", False, lossy=True, end=False,
      loads=RENEWED)
def _(c):
    yield
    c.media(seconds=100, status=404)


LL = [["^#EXT-X-MEDIA-SEQ", "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,"
       "PART-HOLD-BACK=0.6,CAN-SKIP-UNTIL=6\n#EXT-X-PART-INF:PART-TARGET=0.2\n"
       "#EXT-X-MEDIA-SEQ"],
      ["^#EXTINF", "#EXT-X-PART:DURATION=0.2,URI=\"../part-1.ts\"\n#EXTINF"],
      [r"\Z", "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"../part-2.ts\"\n"
       "#EXT-X-RENDITION-REPORT:URI=\"../x.m3u8\",LAST-MSN=9,LAST-PART=1\n"]]


@kind("P12", "low-latency-tags")
def _(c):
    c.early("media/", edit=LL)
    c.check(lambda s: "parts or deltas were asked for" if any(
        "part-" in p or "_HLS_" in p for p in s.paths) else None)
    yield


@kind("P12", "skip-in-between", lossy=True)
def _(c):
    yield
    c.media(edit=[["((?:^#EXT-X-PROGRAM.*\n)?^#EXTINF.*\n.*seg.*\n){4}",
                   "#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n"]], times=3)


@kind("P13", "aes-128-explicit")
def _(c):
    c.channel(key="explicit")
    yield


@kind("P13", "aes-128-implicit")
def _(c):
    c.channel(key="implicit")
    yield


@kind("P13", "key-late")
def _(c):
    c.channel(key="implicit")
    c.early("key", status=503, times=2)
    yield


@kind("P13", "sample-aes", none=True)
def _(c):
    c.channel(key="explicit")
    c.early("media/", edit=[["AES-128", "SAMPLE-AES"]])
    yield


# 3.2 a segment

def segments(row, name, quick=True, expect=None, **fault):
    @kind(row, name, quick, **(expect or {}))
    def _(c):
        yield
        c.segment(**dict({"times": 1 + c.rng.randrange(2)}, **fault))


LOST = {"lost": True, "breaks": 1}

segments("G1", "404-then-there", status=404)
segments("G1", "410-then-there", status=410, times=1)
segments("G1", "500-then-there", status=500)
segments("G1", "503-then-there", status=503,
         headers={"Retry-After": "1"}, times=1)
segments("G1", "404-for-good", False, LOST, status=404, times=-1)
segments("G1", "410-for-good", False, LOST, status=410, times=-1)


@kind("G1", "404-by-chance", False, lossy=True)
def _(c):
    yield
    c.fault("seg/", 0.5, 8, status=404, chance=0.2, seed=c.rng.random())


@kind("G1", "three-in-a-row", False, lost=True)
def _(c):
    yield
    n = c.number()
    c.fault(r"seg/\w+-0-(%d|%d|%d)\b" % (n, n + 1, n + 2), status=404)


def renewals(s):
    """a question to the platform for each token, and none besides"""
    if s.asked_detail > s.seconds / 3 + 6:
        return "%d questions in %.0f s" % (s.asked_detail, s.seconds)
    return None


@kind("G2", "tokens-of-5-s", False)
def _(c):
    c.channel(token=5, enforce=True)
    c.check(renewals)
    yield


@kind("G2", "tokens-of-8-s", False)
def _(c):
    c.channel(token=8, enforce=True)
    c.check(renewals)
    yield


@kind("G2", "403-of-one-segment")
def _(c):
    yield
    c.segment(status=403, times=1)


@kind("G2", "401-of-the-playlist")
def _(c):
    yield
    c.media(status=401, times=1)


@kind("G3", "403-for-good", False, lossy=True, end=False)
def _(c):
    c.check(lambda s: "%d loads" % s.later if s.later > 16 else None)
    yield
    c.fault("(media|master)", c.when(), status=403)


segments("G4", "cut", cut=700)
segments("G4", "reset", cut=700, rst=True)
segments("G4", "reset-without-a-byte", cut=0, rst=True)
segments("G4", "closed-without-answer", close=True)
segments("G4", "chunks-without-end", chunked=True, cut=800)
segments("G4", "head-cut", raw="HTTP/1.1 200 OK\r\nContent-Le", cut=0, rst=True)
segments("G4", "cut-for-good", False, LOST, cut=700, times=-1)
segments("G4", "cut-by-one", cut=1503)
segments("G5", "empty", empty=True)
segments("G5", "204", status=204, empty=True)
segments("G5", "empty-for-good", False, LOST, empty=True, times=-1)
segments("G6", "html", fill="html")
segments("G6", "zeroes", fill="zero")
segments("G6", "noise", fill="noise")
segments("G6", "json", body='{"error":"gone"}', type="application/json")
segments("G6", "html-for-good", False, LOST, fill="html", times=-1)
segments("G6", "zeroes-for-good", False, LOST, fill="zero", times=-1)
segments("G7", "byte-a-second", False, {"lossy": True}, dribble=1.0, times=1)
segments("G7", "pause-in-the-body", False, {"lossy": True}, cut=700, hang=20,
         times=1)
segments("G7", "late-answer", False, {"lossy": True}, delay=20, times=1)
segments("G7", "slow-but-whole", pace=3000)
segments("G7", "head-without-end", False, {"lossy": True}, times=1, hang=20,
         raw="HTTP/1.1 200 OK\r\nX: " + "y" * 100, cut=0)
segments("G8", "bomb", gzip=20 << 20, times=1)
segments("G9", "length-of-10-18", length=10 ** 18, cut=100, rst=True)
segments("G9", "length-negative", length=-5, times=1)
segments("G9", "length-of-2-64", length=2 ** 64 + 1504, times=1)
segments("G9", "two-lengths", headers={"content-length": "5"}, times=1)
segments("G9", "length-and-chunks", chunked=True, cut=1000,
         headers={"Content-Length": "1504"}, times=1)


def fragments(row, name, path=None, **fault):
    """the same with fragmented MP4; path: of what else than a segment"""
    @kind(row, name)
    def _(c):
        c.channel(kind="fmp4", map_every=2 if path else 4)
        yield
        if path:
            c.fault(path, 0.2, 3.0, **dict({"times": 2}, **fault))
        else:
            c.segment(times=2, **fault)


fragments("G1", "fragment-404", status=404)
fragments("G4", "fragment-cut", cut=300)
fragments("G5", "fragment-empty", empty=True)
fragments("G6", "fragment-html", fill="html")
fragments("G6", "fragment-noise", fill="noise")
fragments("G4", "map-cut", "init/", cut=300)
fragments("G5", "map-empty", "init/", empty=True)
fragments("G6", "map-html", "init/", fill="html")


@kind("G8", "bomb-as-playlist")
def _(c):
    yield
    c.media(seconds=2.5, gzip=20 << 20)


@kind("G10", "ranges")
def _(c):
    c.channel(ranges=True, keep=None)
    yield


@kind("G10", "range-not-honoured")
def _(c):
    c.channel(ranges=True)
    yield
    c.fault(r"whole/\w+-0-%d\b" % c.number(), norange=True, times=2)


@kind("G10", "range-of-another-place")
def _(c):
    c.channel(ranges=True)
    yield
    c.fault(r"whole/\w+-0-%d\b" % c.number(), shift=7, times=2)


def redirects(name, location, quick=True, **expect):
    @kind("G11", name, quick, **expect)
    def _(c):
        c.check(lambda s: "%d requests for one segment" % s.most
                if s.most > 16 else None)
        yield
        n = c.number()
        c.fault(r"seg/\w+-0-%d\.ts$" % n, location=location)


redirects("redirect-to-metadata", "http://169.254.169.254/latest", False,
          **LOST)
redirects("redirect-to-file", "file:///etc/passwd", False, **LOST)
redirects("redirect-to-ftp", "ftp://127.0.0.1/x", False, **LOST)
redirects("redirect-to-nonsense", "http://[::::1", False, **LOST)


@kind("G11", "redirect-followed")
def _(c):
    yield
    n = c.number()
    at = "/hls/%s/seg/1080p60-0-%d.ts" % (c.name, n)
    c.fault(r"seg/\w+-0-%d\.ts$" % n, location=at + "?r=1")
    c.fault(r"seg/\w+-0-%d\.ts\?r=1$" % n, location=c.origin.base + at + "?r=2")


@kind("G11", "redirect-loop", False, **LOST)
def _(c):
    c.check(lambda s: "%d requests for one segment" % s.most
            if s.most > 16 else None)
    yield
    n = c.number()
    c.fault(r"seg/\w+-0-%d\b" % n,
            location="/hls/%s/seg/1080p60-0-%d.ts" % (c.name, n))


# 3.3 the network

@kind("N1", "name-found")
def _(c):
    c.channel(media_host="http://name-found.test:%d" % c.origin.port)
    c.ground.name("name-found.test", "127.0.0.1")
    yield


def lookups(name, answer, quick=True, **expect):
    """new connections need a look-up that fails for 3 s"""
    @kind("N1", name, quick, **expect)
    def _(c):
        host = name + ".test"
        p = c.proxy()
        c.channel(media_host="http://%s:%d" % (host, p.port))
        c.ground.name(host, "127.0.0.1")
        yield
        at = c.when()

        def harm():
            c.ground.name(host, answer)
            p.set(drop=True)

        c.do(at, harm)
        c.do(at + 2.5, lambda: c.ground.name(host, "127.0.0.1"))


lookups("name-unknown", "nx", lossy=True)
lookups("name-server-failing", "again", lossy=True)
lookups("name-server-silent", "slow", False, lossy=True)


def certificates(name, good):
    @kind("N2", "tls-" + name, none=not good)
    def _(c):
        port = c.ground.tls(name)
        c.channel(media_host="https://127.0.0.1:%d" % port)
        if not good:
            c.check(lambda s: "a request went through" if port in s.ports
                    else None)
        yield


for _name in ("expired", "wrong-host", "self-signed", "not-yet"):
    certificates(_name, False)
certificates("good", True)


@kind("N2", "tls-handshake-stalls", none=True)
def _(c):
    p = c.proxy("https", c.ground.tls("good"))
    p.set(mode="blackhole")
    yield


@kind("N2", "tls-handshake-reset", none=True)
def _(c):
    p = c.proxy("https", c.ground.tls("good"))
    p.set(rst_after=100)
    yield


@kind("N2", "tls-is-none", none=True)
def _(c):
    c.channel(media_host="https://127.0.0.1:%d" % c.origin.port)
    yield


@kind("N2", "tls-broken-later", lossy=True)
def _(c):
    p = c.proxy("https", c.ground.tls("good"))
    yield
    at = c.when()
    c.do(at, lambda: p.set(rst_after=2000, drop=True))
    c.do(at + 2.5, p.heal)


def wires(name, seconds, quick=True, expect=None, **settings):
    @kind("N3", name, quick, **(expect or {"lossy": True}))
    def _(c):
        p = c.proxy()
        yield
        at = c.when()
        c.do(at, lambda: p.set(**settings))
        c.do(at + seconds, p.heal)


wires("refused", 2.5, expect={}, mode="refuse", drop=True)
wires("refused-12-s", 12, False, {"lost": True, "breaks": 1}, mode="refuse",
      drop=True)
wires("reset-at-once", 2.5, expect={}, mode="rst", drop=True)
wires("reset-behind-900", 2.5, expect={}, rst_after=900, drop=True)
wires("closed-behind-900", 2.5, expect={}, cut_after=900, drop=True)
wires("black-hole-8-s", 8, False, mode="blackhole")
wires("nothing-read-8-s", 8, False, mode="stall")
wires("half-open", 2.5, mode="halfopen")
wires("latency-300-ms", 4, expect={}, latency=0.15)
wires("20-kb-a-second", 4, rate=20000)
wires("dribble", 4, False, dribble=0.002)
wires("byte-by-byte", 4, expect={}, one=1)
wires("dropped", 1, expect={}, drop=True)


@kind("N3", "dropped-often", lossy=True)
def _(c):
    p = c.proxy()
    yield
    for i in range(8):
        c.do(0.5 + i * 0.5, lambda: p.set(drop=True))


# 3.4 the platform's API: what is recorded goes on

def answers(row, name, seconds=5.0, **fault):
    @kind(row, name)
    def _(c):
        yield
        c.api(0.3, seconds, **fault)


answers("A2", "api-500", status=500)
answers("A2", "api-502-html", status=502, body="<html>bad gateway</html>")
answers("A2", "api-html", body="<html><body>just a moment</body></html>")
answers("A2", "api-code", body='{"code":50001,"message":"x","content":null}',
        type="application/json")
answers("A2", "api-silent", delay=6)
answers("A2", "api-closes", close=True)
answers("A2", "api-empty", empty=True)
answers("A2", "api-404", status=404, body='{"code":404,"message":"x"}')
answers("A2", "api-403", status=403, body='{"code":403,"message":"x"}')
answers("A8", "api-deep", body="[" * 100000)
answers("A8", "api-bomb", gzip=20 << 20)
answers("A8", "api-surrogates", edit=[['"liveTitle": "', '"liveTitle": "\\\\ud800']])
answers("A8", "api-duplicate-keys", edit=[['"status": "OPEN"',
                                           '"status": "OPEN", "status": "CLOSE"']])
answers("A8", "api-1e400", edit=[['"concurrentUserCount": 12',
                                  '"concurrentUserCount": 1e400']])

MUTATIONS = {
    "status-renamed": ['"status": "OPEN"', '"state": "OPEN"'],
    "status-a-number": ['"status": "OPEN"', '"status": 1'],
    "status-unknown": ['"status": "OPEN"', '"status": "PAUSED"'],
    "viewers-a-text": ['"concurrentUserCount": 12',
                       '"concurrentUserCount": "12"'],
    "title-null": ['"liveTitle": "[^"]*"', '"liveTitle": null'],
    "id-null": [r'"liveId": \d+', '"liveId": null'],
    "content-a-list": ['"content": {', '"content": [{'],
    "playback-null": [r'"livePlaybackJson": "(?:[^"\\]|\\.)*"',
                      '"livePlaybackJson": null'],
    "playback-no-json": [r'"livePlaybackJson": "(?:[^"\\]|\\.)*"',
                         '"livePlaybackJson": "{"'],
    "no-media": [r'"livePlaybackJson": "(?:[^"\\]|\\.)*"',
                 r'"livePlaybackJson": "{\\"media\\": []}"'],
    "new-protocol": [r'\\"protocol\\": \\"HLS\\"',
                     r'\\"protocol\\": \\"MOQ\\"'],
}

for _name, _edit in MUTATIONS.items():
    answers("A5", "schema-" + _name, edit=[_edit])


@kind("A5", "schema-by-chance")
def _(c):
    yield
    for edit in c.rng.sample(sorted(MUTATIONS.values()), 5):
        c.api(0.3, 5, edit=[edit], chance=0.3, seed=c.rng.random())


@kind("A3", "flaps")
def _(c):
    """off and on again within seconds while segments come"""
    yield
    t = 0.3
    while t < 5:
        c.change(t, state="CLOSE")
        t += c.when(0.1, 0.8)
        c.change(t, state=None)
        t += c.when(0.1, 0.8)


@kind("A3", "off-while-segments-come", False)
def _(c):
    yield
    at = c.when()
    c.change(at, state="CLOSE")
    c.change(at + 10, state=None)


@kind("A3", "paused", False, lossy=True)
def _(c):
    """off air and silent, then the same broadcast again"""
    yield
    at = c.when()
    c.change(at, state="CLOSE", stall=True)
    c.change(at + 4, state=None, stall=False)


@kind("A3", "off-and-on-again", False, lossy=True, breaks=None)
def _(c):
    yield
    at = c.when()
    c.change(at, state="CLOSE", stall=True)
    c.change(at + 12, state=None, stall=False)


@kind("A4", "no-stream-yet", False)
def _(c):
    c.channel(gone=True)
    yield
    c.change(c.when(), gone=False)


@kind("A4", "live-for-hours", False, end=False)
def _(c):
    c.check(lambda s: "%d recordings" % s.rows if s.rows != 1 else None)
    yield
    c.change(c.when(), endlist=True, stall=True)


def refused(name, **options):
    @kind("A6", name, none=True)
    def _(c):
        c.channel(**options)
        c.check(lambda s: "it is %s" % s.outcome
                if s.outcome != "live-not-playable" else None)
        yield


refused("adult", adult=True)
refused("region", kr=True)
refused("members", membership=True)
refused("no-playback", playback=False)
