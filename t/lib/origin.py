#!/usr/bin/env python3
"""The platform and the media origin of the tests: an API like Chzzk's and live
HLS, both of which misbehave on request.

Everything is made from a seed, so that a test can say what every byte must be;
what was delivered is written to a log, one JSON object a line.  "sha256" is of
what a recorder must have stored in the end; "listed" is what a playlist that
was sent as it is told: [epoch, first number, last number, broadcast]; "passed"
what had left the window when the numbers began anew: [epoch, first, last].

  origin.py --port N [--log FILE] [--parent PID]

Control (all JSON, POST):
  /_/channel/NAME   {...}    makes or changes a channel, see Channel
  /_/fault          {...}    adds a fault, see Fault
  /_/faults/clear
  /_/advance/NAME   {"n":1}  publishes segments of a channel with "manual"
  /_/limit          {"rate"} API requests a second, above it 429
  /_/script         {...}    does things later, see Script
  /_/listen         {...}    listens on one more port, with TLS when "cert" and
                             "key" are there; {"port": n}
GET /_/faults (which were hit how often), GET /_/state, GET /_/log (the delivered
requests), GET /_/segment/NAME/N (bytes)
"""

import argparse
import asyncio
import ctypes
import ctypes.util
import hashlib
import json
import os
import random
import re
import socket
import ssl
import struct
import sys
import zlib
import time
from urllib.parse import parse_qs, quote, unquote, urlsplit

START = time.time()


def now():
    return time.time()


def iso(t):
    ms = int(round(t * 1000))
    base = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000))
    return "%s.%03dZ" % (base, ms % 1000)


def kst(t):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(t + 9 * 3600))


def noise(seed, size):
    """size bytes that depend on nothing but the seed"""
    out = bytearray()
    i = 0
    while len(out) < size:
        out += hashlib.sha256(("%s/%d" % (seed, i)).encode()).digest()
        i += 1
        if len(out) > 8192:                    # large bodies repeat a block
            out *= size // len(out) + 1
    return bytes(out[:size])


def box(kind, payload):
    return (len(payload) + 8).to_bytes(4, "big") + kind + payload


def ts_body(seed, size):
    """null packets with a payload of our own: a TS by its sync bytes"""
    n = max(3, size // 188)
    block = noise(seed, 184)
    head = b"\x47\x1f\xff\x10"
    return b"".join(head + block[i % 97:] + block[:i % 97] for i in range(n))


def mp4_init(seed):
    return box(b"ftyp", b"iso6\0\0\0\0iso6mp41") + box(b"moov", noise(seed, 600))


def mp4_body(seed, size):
    body = max(64, size - 200)
    return (box(b"styp", b"msdh\0\0\0\0msdhmsix")
            + box(b"moof", noise(seed + "/moof", 120))
            + box(b"mdat", noise(seed, body)))


class Channel:
    """One broadcaster.

    live        on air                      live_id     number of the broadcast
    kind        "ts" | "fmp4" | "aac"       dur         seconds of a segment
    window      segments in the playlist    size        bytes of a segment
    first       first sequence number       manual      segments by /_/advance
    target      EXT-X-TARGETDURATION        dates       PROGRAM-DATE-TIME
    endlist     the playlist says so        state       "CLOSE", "OPEN", others
    variants    ["1080p60","720p30",...]    audio       separate audio rendition
    key         AES-128: "explicit" | "implicit"        ranges      byte ranges
    token       lifetime of URLs in seconds, 0: none    multi       False: media
    enforce     an expired token is answered with 403
    keep        segments that left the window are still had so long, None: ever
    edges       [0, 3]: each load comes from the next of several edge servers,
                which are so many segments behind, until they are told the last
    bodies      a directory with 0.ts, 1.ts, ...: the segments, in the order in
                which they are published, whatever their numbers; init.mp4
    rename      "query" | "path": each load names the segments anew
    map_every   a new init section each N segments      disc_every  discontinuity
    gap         list of sequences listed with EXT-X-GAP
    gone        its playlists are 404
    adult kr membership  "not playable" answers         playback    False: null
    title category viewers name id
    """

    def __init__(self, name):
        self.name = name
        self.id = hashlib.md5(name.encode()).hexdigest()
        self.title = "방송 %s" % name
        self.category = "just_chatting"
        self.viewers = 12
        self.live = False
        self.live_id = 1000
        self.state = None
        self.kind = "ts"
        self.dur = 0.5
        self.window = 6
        self.size = 20000
        self.first = 0
        self.manual = False
        self.target = None
        self.dates = True
        self.endlist = False
        self.variants = ["720p30", "1080p60", "480p30"]
        self.audio = False
        self.key = None
        self.ranges = False
        self.token = 0
        self.multi = True
        self.map_every = 0
        self.disc_every = 0
        self.gap = []
        self.gone = False
        self.adult = self.kr = self.membership = False
        self.playback = True
        self.extra = ""                        # lines behind the head
        self.media_host = None
        self.exists = True
        self.searchable = True
        self.published = 0                     # manual
        self.epoch = 0                         # part of the segments' names
        self.since = now()
        self.opened = self.closed = now()
        self.frozen = None                     # a stalled playlist
        self.frozen_at = 0
        self.enforce = False
        self.bodies = None
        self.bases = {}                        # first number, place, by epoch
        self.keep = None
        self.edges = []
        self.rename = None
        self.loads = 0
        self.before = None                     # the epoch before, for a while
        self.calm = True                       # on the air without a pause

    def change(self, d):
        if self.live and d.get("live") is False:
            self.closed = now()
        if d.get("live") and not self.live:
            self.since = self.opened = now()
            self.published = 0
        if {"state", "stall", "gone", "window", "endlist"} & set(d) \
                or d.get("live") is False:
            self.calm = False
        for k, v in d.items():
            if k == "reset":                   # new numbering from here on
                n = self.last() if self.frozen is None else self.frozen
                self.before = (self.epoch, self.first, n, now())
                self.bases.setdefault(self.epoch, (self.first, 0))
                place = self.place(self.epoch, self.first + n)
                self.frozen = None
                self.since = now()
                self.first = v
                self.epoch += 1
                self.bases[self.epoch] = (v, place)
            elif k == "stall":
                self.frozen = self.last() if v else None
                self.frozen_at = now()
            elif not hasattr(self, k):
                raise KeyError(k)
            else:
                setattr(self, k, v)

    def last(self):
        """how many segments were published"""
        if self.manual:
            return self.published
        return int((now() - self.since) / self.dur)

    def numbers(self, behind=0):
        n = self.last()
        if self.frozen is not None:
            n = self.frozen
            behind -= int((now() - self.frozen_at) / self.dur)
        n -= min(n, max(0, behind))
        lo = max(0, n - self.window)
        return [self.first + i for i in range(lo, n)]

    def end(self):
        """[epoch, number] of the newest listed segment, or None"""
        nums = self.numbers()
        return [self.epoch, nums[-1]] if nums else None

    def listed(self, numbers):
        """what a playlist told: [epoch, first, last, broadcast], or None"""
        if not numbers or self.gap:
            return None
        return [self.epoch, numbers[0], numbers[-1], self.live_id]

    def has(self, epoch, n):
        """whether a segment is still, or already, there"""
        if self.before and epoch == self.before[0] != self.epoch:
            _, first, last, since = self.before
            return now() - since < 10 and first <= n < first + last
        if epoch != self.epoch:
            return False
        if self.keep is None or self.manual:
            return True
        last = self.first + self.last()
        return last - self.window - self.keep / self.dur <= n < last + 1

    def map_of(self, n):
        return (n // self.map_every) if self.map_every else 0

    def seed(self, variant, n, epoch=None):
        return "%s/%d/%d/%s/%d" % (self.name, self.live_id, self.epoch
                                   if epoch is None else epoch, variant, n)

    def init(self, variant, m):
        if self.bodies:
            with open("%s/init.mp4" % self.bodies, "rb") as f:
                return f.read()
        return mp4_init("%s/%s/map/%d" % (self.name, variant, m))

    def place(self, epoch, n):
        """of a segment in the whole stream, from 0"""
        first, before = self.bases.get(epoch, (self.first, 0))
        return before + n - first

    def segment(self, variant, n, epoch=None):
        if self.bodies:
            place = self.place(self.epoch if epoch is None else epoch, n)
            with open("%s/%d.ts" % (self.bodies, place), "rb") as f:
                return f.read()
        seed = self.seed(variant, n, epoch)
        if self.kind == "ts":
            return ts_body(seed, self.size)
        if self.kind == "aac":
            return b"\xff\xf1\x50\x80" + noise(seed, self.size)
        return mp4_body(seed, self.size)

    def key_bytes(self):
        return hashlib.md5(("key/%s" % self.name).encode()).digest()

    def iv(self, n):
        if self.key == "implicit":
            return n.to_bytes(16, "big")
        return hashlib.md5(("iv/%s/%d" % (self.name, n)).encode()).digest()

    def ext(self):
        return {"ts": "ts", "aac": "aac"}.get(self.kind, "m4v")


def encrypt(body, key, iv):
    """AES-128-CBC; no process is started, of which others would notice"""
    lib = ctypes.CDLL(ctypes.util.find_library("crypto"))
    for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_cbc"):
        getattr(lib, name).restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.EVP_CIPHER_CTX_new())
    out = ctypes.create_string_buffer(len(body) + 16)
    n, rest = ctypes.c_int(), ctypes.c_int()
    ok = (lib.EVP_EncryptInit_ex(context, ctypes.c_void_p(lib.EVP_aes_128_cbc()),
                                 None, key, iv)
          and lib.EVP_EncryptUpdate(context, out, ctypes.byref(n), body,
                                    len(body))
          and lib.EVP_EncryptFinal_ex(context, ctypes.byref(out, n.value),
                                      ctypes.byref(rest)))
    lib.EVP_CIPHER_CTX_free(context)
    if not ok:
        raise RuntimeError("libcrypto does not encrypt")
    return out.raw[:n.value + rest.value]


class Fault:
    """What happens to requests whose path matches.

    match    regular expression on path and query      times  how often, -1 ever
    skip     let so many pass first
    status   answer with it (body, type, headers)      delay  seconds before
    cut      send only so many bytes of the body       close  no answer at all
    pace     bytes a second                             empty  200, no body
    body     text instead                              gzip   bytes of zeros, gzipped
    repeat   so often the body, behind "head"
    length   a Content-Length of this number           headers {...}
    location redirect                                  chunked  cut without end
    nolength no Content-Length, connection closed
    edit     [[pattern, text], ...] replaced in the true body
    fill     "zero" | "html" | "noise": a body of the true length
    rst      the connection is reset behind what was sent
    hang     seconds of silence behind what was sent, before the end
    dribble  seconds behind each single byte
    raw      instead of the status line and all headers, without the empty line
    after, until   seconds since the fault was added, between which it holds
    chance   so likely it hits, by "seed" of the fault
    """

    def __init__(self, d):
        self.match = re.compile(d["match"])
        m = re.match(r"[\w/-]*(?=[^\w/*?+{|-])", d["match"])
        self.begin = m.group() if m and "|" not in d["match"] else ""
        self.times = d.get("times", 1)
        self.skip = d.get("skip", 0)
        self.hit = 0
        self.d = d
        self.added = now()
        self.random = random.Random(d.get("seed", d["match"]))
        if "repeat" in d:
            d["body"] = d.get("head", "") + d["body"] * d["repeat"]
        self.bomb = None

    def zipped(self):
        """a piece at a time repeats itself: quick, and without much memory"""
        if self.bomb is None:
            z = zlib.compressobj(9, zlib.DEFLATED, 31)
            block = bytes(1 << 16)
            n, rest = divmod(self.d["gzip"], len(block))
            self.bomb = b"".join([z.compress(block) for _ in range(n)]
                                 + [z.compress(block[:rest]), z.flush()])
        return self.bomb

    def hits(self, path):
        if self.times == 0 or self.begin not in path \
                or not self.match.search(path):
            return False
        age = now() - self.added
        if age < self.d.get("after", 0) or age > self.d.get("until", age):
            return False
        if self.random.random() >= self.d.get("chance", 1):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times > 0:
            self.times -= 1
        self.hit += 1
        return True


class Script:
    """Things that happen later.

    seed     of the chances               steps    a list, each with
      at       seconds from now             spread   up to so many more, by chance
      channel  a name, with "set" {...}, what to change
      fault    {...}                        clear    true: no fault holds any more
      listen   {...}, see /_/listen
    """

    def __init__(self, origin, d):
        chance = random.Random(d.get("seed", 0))
        self.origin = origin
        for step in d["steps"]:
            at = step.get("at", 0) + chance.random() * step.get("spread", 0)
            asyncio.get_running_loop().call_later(at, self.do, step)

    def do(self, step):
        o = self.origin
        if step.get("clear"):
            o.faults.clear()
        if "channel" in step:
            o.change(step["channel"], step["set"])
        if "fault" in step:
            o.faults.append(Fault(step["fault"]))
        o.note({"t": now(), "event": step})


class Origin:
    def __init__(self, port, log):
        self.port = port
        self.base = "http://127.0.0.1:%d" % port
        self.channels = {}
        self.faults = []
        self.limit = 0                         # API requests a second
        self.asked = []                        # when, within the last second
        self.servers = []
        self.log = []
        self.told = None                       # by the last playlist
        self.file = open(log, "a", buffering=1) if log else None

    def note(self, entry):
        if self.file:
            self.file.write(json.dumps(entry) + "\n")

    def change(self, name, d):
        """of a channel; at a new numbering: what had left the window before"""
        c = self.channels.setdefault(name, Channel(name))
        epoch = c.epoch
        c.change(d)
        if c.epoch != epoch and c.calm:
            _, first, n, _ = c.before
            self.note({"t": now(), "channel": name,
                       "passed": [epoch, first, first + n - c.window - 1]})
        return c

    def over_limit(self):
        """a request to the API is one too many"""
        t = now()
        self.asked = [a for a in self.asked if a > t - 1]
        if self.limit and len(self.asked) >= self.limit:
            return True
        self.asked.append(t)
        return False

    def by_id(self, cid):
        for c in self.channels.values():
            if c.id == cid and c.exists:
                return c
        return None

    # the API

    def envelope(self, content, code=200, message=None):
        d = {"code": code, "message": message}
        if content is not None or code == 200:
            d["content"] = content
        return json.dumps(d, ensure_ascii=False).encode()

    def status_word(self, c):
        return c.state or ("OPEN" if c.live else "CLOSE")

    def live_status(self, c):
        return {
            "liveTitle": c.title, "status": self.status_word(c),
            "concurrentUserCount": c.viewers, "accumulateCount": 0,
            "paidPromotion": False, "adult": bool(c.adult),
            "krOnlyViewing": bool(c.kr), "openDate": kst(c.opened),
            "closeDate": None if c.live else kst(c.closed),
            "chatChannelId": "N00000", "categoryType": "ETC",
            "liveCategory": c.category, "liveCategoryValue": c.category,
            "channelId": c.id,
            "livePollingStatusJson": json.dumps({
                "status": "STARTED", "isPublishing": True,
                "playableStatus": "PLAYABLE", "trafficThrottling": -1,
                "callPeriodMilliSecond": 10000}),
        }

    def playlist_url(self, c):
        tail = "master.m3u8" if c.multi else "media/%s.m3u8" % c.variants[0]
        return "%s/hls/%s/%s%s" % (c.media_host or self.base, quote(c.name), tail,
                                   self.token(c))

    def token(self, c):
        if not c.token:
            return ""
        exp = int(now() + c.token)
        return "?hdnts=st=%d~exp=%d~acl=*/%s/*~hmac=%s" % (
            int(now()), exp, c.name, hashlib.md5(str(exp).encode()).hexdigest())

    def live_detail(self, c):
        on = self.status_word(c) == "OPEN"
        hidden = c.adult or c.kr or c.membership or not c.playback
        playback = None
        if on and not hidden:
            playback = json.dumps({
                "meta": {"videoId": "X", "streamSeq": 1,
                         "liveId": str(c.live_id), "paidLive": False,
                         "cdnInfo": {"cdnType": "GCDN"}},
                "live": {"start": kst(c.opened).replace(" ", "T"),
                         "open": kst(c.opened).replace(" ", "T"),
                         "timeMachine": False, "status": "STARTED"},
                "api": [],
                "media": [{"mediaId": "LLHLS", "protocol": "HLS",
                           "path": self.base + "/llhls-must-not-be-used",
                           "encodingTrack": []},
                          {"mediaId": "HLS", "protocol": "HLS",
                           "path": self.playlist_url(c),
                           "encodingTrack": []}],
                "thumbnail": {}, "multiview": []})
        d = self.live_status(c)
        d.update({
            "liveId": c.live_id,
            "liveImageUrl": self.base + "/image_{type}.jpg",
            "livePlaybackJson": playback,
            "userAdultStatus": "NOT_LOGIN_USER" if c.adult else None,
            "blindType": "ABROAD" if c.kr else None,
            "membershipBenefitType": "MEMBER_ONLY" if c.membership else "NONE",
            "channel": {"channelId": c.id, "channelName": c.name,
                        "channelImageUrl": None},
        })
        return d

    def api(self, path, query):
        m = re.match(r"/polling/v3\.1/channels/([^/]+)/live-status$", path)
        if m:
            c = self.by_id(m.group(1))
            if c is None:
                return 404, self.envelope(None, 404, "채널이 존재하지 않습니다.")
            return 200, self.envelope(self.live_status(c))

        m = re.match(r"/service/v3\.1/channels/([^/]+)/live-detail$", path)
        if m:
            c = self.by_id(m.group(1))
            if c is None:
                return 404, self.envelope(None, 404, "채널이 존재하지 않습니다.")
            return 200, self.envelope(self.live_detail(c))

        m = re.match(r"/service/v1/channels/([^/]+)$", path)
        if m:
            c = self.by_id(m.group(1))
            return 200, self.envelope({
                "channelId": c.id if c else None,
                "channelName": c.name if c else "(알 수 없음)",
                "channelImageUrl": None, "openLive": bool(c and c.live)})

        if path == "/service/v1/search/channels":
            word = query.get("keyword", [""])[0]
            hits = [{"channel": {"channelId": c.id, "channelName": c.name,
                                 "channelImageUrl": None}}
                    for c in self.channels.values()
                    if c.exists and c.searchable and word and word in c.name]
            return 200, self.envelope({"size": 13, "page": None, "data": hits})

        return None

    # the media

    def master(self, c):
        out = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS", ""]
        tail = self.token(c)
        if c.audio:
            out.append('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="한국어",'
                       'LANGUAGE="ko",DEFAULT=YES,AUTOSELECT=YES,'
                       'URI="media/audio.m3u8%s"' % tail)
        for v in c.variants:
            m = re.match(r"(\d+)p(\d*)", v)
            h = int(m.group(1))
            out.append("#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS=\"avc1.640028,"
                       "mp4a.40.2\",RESOLUTION=%dx%d,FRAME-RATE=%s.00%s"
                       % (h * 4000, h * 16 // 9, h, m.group(2) or "30",
                          ',AUDIO="aud"' if c.audio else ""))
            out.append("media/%s.m3u8%s" % (v, tail))
        return "\n".join(out) + "\n"

    def media(self, c, variant):
        c.loads += 1
        nums = c.numbers(c.edges[c.loads % len(c.edges)] if c.edges else 0)
        self.told = c.listed(nums)
        target = c.target or max(1, int(c.dur + 0.5))
        out = ["#EXTM3U", "#EXT-X-VERSION:7",
               "#EXT-X-TARGETDURATION:%d" % target,
               "#EXT-X-MEDIA-SEQUENCE:%d" % (nums[0] if nums else c.first)]
        if c.disc_every and nums:
            out.append("#EXT-X-DISCONTINUITY-SEQUENCE:%d"
                       % (nums[0] // c.disc_every))
        if c.extra:
            out.append(c.extra)
        if c.key:
            out.append('#EXT-X-KEY:METHOD=AES-128,URI="../key"'
                       if c.key == "implicit" else "#EXT-X-KEY:METHOD=NONE")
        fmp4 = c.kind == "fmp4"
        last_map = None
        tail = self.token(c).replace("?", "?q=1&") if c.token else ""
        offset = 0
        for n in nums:
            if c.disc_every and n % c.disc_every == 0 and n != nums[0]:
                out.append("#EXT-X-DISCONTINUITY")
            if fmp4 and c.map_of(n) != last_map:
                last_map = c.map_of(n)
                out.append('#EXT-X-MAP:URI="../init/%s-%d.m4s%s"'
                           % (variant, last_map, tail))
            if c.key == "explicit":
                out.append('#EXT-X-KEY:METHOD=AES-128,URI="../key",IV=0x%s'
                           % c.iv(n).hex())
            if n in c.gap:
                out.append("#EXT-X-GAP")
            if c.dates:
                out.append("#EXT-X-PROGRAM-DATE-TIME:"
                           + iso(c.since + (n - c.first) * c.dur))
            out.append("#EXTINF:%.6f," % c.dur)
            if c.ranges:
                size = len(c.segment(variant, n))
                out.append("#EXT-X-BYTERANGE:%d@%d" % (size, 100 + offset * 0))
                out.append("../whole/%s-%d-%d.%s" % (variant, c.epoch, n, c.ext()))
            else:
                name, more = "%s-%d-%d" % (variant, c.epoch, n), tail
                if c.rename == "path":
                    name += "-t%08x" % random.getrandbits(32)
                elif c.rename == "query":
                    more += "%stoken=%08x" % ("&" if "?" in tail else "?",
                                              random.getrandbits(32))
                out.append("../seg/%s.%s%s" % (name, c.ext(), more))
        if c.endlist:
            out.append("#EXT-X-ENDLIST")
        return "\n".join(out) + "\n"

    def stream(self, path):
        m = re.match(r"/hls/([^/]+)/(.*)$", path)
        if not m or m.group(1) not in self.channels:
            return None
        c, rest = self.channels[m.group(1)], m.group(2)
        m3u = "application/vnd.apple.mpegurl"

        if c.gone and rest.endswith(".m3u8"):
            return None
        if rest == "master.m3u8":
            return 200, self.master(c).encode(), m3u
        m = re.match(r"media/(\w+)\.m3u8$", rest)
        if m:
            return 200, self.media(c, m.group(1)).encode(), m3u
        m = re.match(r"init/(\w+)-(\d+)\.m4s$", rest)
        if m:
            body = c.init(m.group(1), int(m.group(2)))
            return 200, body, "video/mp4"
        m = re.match(r"(seg|whole)/(\w+)-(\d+)-(\d+)(?:-t\w+)?\.\w+$", rest)
        if m and c.has(int(m.group(3)), int(m.group(4))):
            n = int(m.group(4))
            body = c.segment(m.group(2), n, int(m.group(3)))
            if m.group(1) == "whole":
                body = b"\0" * 100 + body + b"\0" * 50
            if c.key:
                body = encrypt(body, c.key_bytes(), c.iv(n))
            return 200, body, "video/MP2T"
        if rest == "key":
            return 200, c.key_bytes(), "application/octet-stream"
        return None

    def control(self, method, path, body):
        d = json.loads(body) if body else {}
        m = re.match(r"/_/channel/([^/]+)$", path)
        if m:
            c = self.change(m.group(1), d)
            return 200, json.dumps({"id": c.id}).encode()
        if path == "/_/fault":
            self.faults.append(Fault(d))
            return 200, b"{}"
        if path == "/_/faults":
            return 200, json.dumps([{"match": f.d["match"], "hit": f.hit}
                                    for f in self.faults]).encode()
        if path == "/_/faults/clear":
            self.faults.clear()
            return 200, b"{}"
        if path == "/_/limit":
            self.limit = d["rate"]
            return 200, b"{}"
        if path == "/_/script":
            Script(self, d)
            return 200, b"{}"
        m = re.match(r"/_/advance/([^/]+)$", path)
        if m:
            c = self.channels[m.group(1)]
            c.published += d.get("n", 1)
            return 200, json.dumps({"published": c.published}).encode()
        if path == "/_/log":
            return 200, json.dumps(self.log).encode()
        if path == "/_/log/clear":
            self.log.clear()
            return 200, b"{}"
        if path == "/_/state":
            return 200, json.dumps({n: {"id": c.id, "live": c.live,
                                        "last": c.last(), "first": c.first,
                                        "end": c.end(), "epoch": c.epoch,
                                        "live_id": c.live_id,
                                        "map_every": c.map_every}
                                    for n, c in self.channels.items()}).encode()
        m = re.match(r"/_/segment/([^/]+)/(\w+)/(\d+)$", path)
        if m:
            c = self.channels[m.group(1)]
            return 200, c.segment(m.group(2), int(m.group(3)))
        return 404, b"{}"

    # HTTP

    def expired(self, path, target):
        """by its token, where channels care"""
        m = re.match(r"/hls/([^/]+)/", path)
        c = self.channels.get(m.group(1)) if m else None
        if c is None or not c.enforce or not c.token:
            return False
        m = re.search(r"~exp=(\d+)", target)
        return m is None or int(m.group(1)) < now()

    def answer(self, path, query):
        a = self.api(path, query)
        if a:
            if self.over_limit():
                return 429, b'{"code":429,"message":"slow"}', "application/json"
            return a[0], a[1], "application/json"
        a = self.stream(path)
        if a:
            return a
        return 404, b"not here\n", "text/plain"

    async def serve(self, reader, writer):
        try:
            while await self.one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError, TimeoutError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def one(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:]:
            if ":" in line:
                k, v = line.split(":", 1)
                headers[k.strip().lower()] = v.strip()
        body = b""
        if "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        u = urlsplit(target)
        path = unquote(u.path)

        if path == "/_/listen":
            out = json.dumps({"port": await self.listen(json.loads(body))})
            writer.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(out), out.encode()))
            await writer.drain()
            return True

        if path.startswith("/_/"):
            status, out = self.control(method, path, body)
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n"
                         % (status, len(out)) + out)
            await writer.drain()
            return True

        entry = {"t": now(), "path": target, "ua": headers.get("user-agent"),
                 "cookie": headers.get("cookie"), "range": headers.get("range"),
                 "accept_encoding": headers.get("accept-encoding"),
                 "via": headers.get("via"),
                 "port": writer.get_extra_info("sockname")[1]}
        self.log.append(entry)
        fault = next((f for f in self.faults if f.hits(target)), None)
        try:
            return await self.reply(writer, method, path, parse_qs(u.query),
                                    headers, fault, entry)
        finally:
            self.note(entry)

    def disguise(self, f, body):
        if "edit" not in f:
            return body
        text = body.decode("utf-8", "surrogateescape")
        for pattern, new in f["edit"]:
            text = re.sub(pattern, new, text, flags=re.M)
        return text.encode("utf-8", "surrogateescape")

    @staticmethod
    def filled(how, size):
        if how == "zero":
            return b"\0" * size
        if how == "html":
            page = b"<!DOCTYPE html><html><body>Service unavailable</body>"
            return (page * (size // len(page) + 1))[:size]
        return noise("filled", size)

    def clear(self, path, body):
        """a segment as it is to be stored: decrypted"""
        m = re.match(r"/hls/([^/]+)/seg/(\w+)-(\d+)-(\d+)", path)
        c = self.channels.get(m.group(1)) if m else None
        if c is None or not c.key:
            return body
        return c.segment(m.group(2), int(m.group(4)), int(m.group(3)))

    async def listen(self, d):
        context = None
        if "cert" in d:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(d["cert"], d["key"])
        s = await asyncio.start_server(self.serve, "127.0.0.1",
                                       d.get("port", 0), ssl=context,
                                       limit=1 << 20)
        self.servers.append(s)
        return s.sockets[0].getsockname()[1]

    async def reply(self, writer, method, path, query, headers, fault, entry):
        f = fault.d if fault else {}
        if f.get("delay"):
            await asyncio.sleep(f["delay"])
        if f.get("close"):
            entry["status"] = 0
            return False

        self.told = None
        status, body, kind = self.answer(path, query)
        told = self.told
        extra = dict(f.get("headers", {}))
        if status == 200 and self.expired(path, entry["path"]):
            status, body, kind = 403, b"expired\n", "text/plain"
        body, plain = self.disguise(f, body), body

        if headers.get("range") and status == 200 and not f.get("norange"):
            m = re.match(r"bytes=(\d+)-(\d*)$", headers["range"])
            if m:
                a = int(m.group(1))
                b = int(m.group(2)) if m.group(2) else len(body) - 1
                extra["Content-Range"] = "bytes %d-%d/%d" % (
                    a + f.get("shift", 0), b + f.get("shift", 0), len(body))
                body = body[a:b + 1]
                status = 206

        if "status" in f:
            status = f["status"]
            body = f.get("body", "status %d\n" % status).encode()
            kind = f.get("type", "text/html")
        elif "body" in f:
            body, kind = f["body"].encode(), f.get("type", "text/html")
        if f.get("fill"):
            body = self.filled(f["fill"], len(body))
        if f.get("empty"):
            body = b""
        if f.get("location"):
            status, body = f.get("status", 302), b""
            extra["Location"] = f["location"]
        if f.get("gzip"):
            body = fault.zipped()
            extra["Content-Encoding"] = "gzip"

        entry["status"] = status
        length = f.get("length", len(body))
        close = bool(f.get("nolength"))
        out = ["HTTP/1.1 %d X" % status, "Content-Type: %s" % kind]
        if f.get("chunked"):
            out.append("Transfer-Encoding: chunked")
        elif not close:
            out.append("Content-Length: %s" % length)
        if close:
            out.append("Connection: close")
        out += ["%s: %s" % kv for kv in extra.items()]
        if f.get("raw"):
            out = [f["raw"]]
        writer.write(("\r\n".join(out) + "\r\n\r\n").encode())

        cut = f.get("cut")
        sent = body if cut is None else body[:cut]
        if method == "HEAD":
            sent = b""
        if f.get("chunked"):
            writer.write(b"%x\r\n" % len(sent) + sent + b"\r\n")
        elif f.get("dribble"):
            for i in range(len(sent)):
                writer.write(sent[i:i + 1])
                await writer.drain()
                await asyncio.sleep(f["dribble"])
        elif f.get("pace"):
            for i in range(0, len(sent), max(1, f["pace"] // 10)):
                writer.write(sent[i:i + max(1, f["pace"] // 10)])
                await writer.drain()
                await asyncio.sleep(0.1)
        else:
            writer.write(sent)
        await writer.drain()
        if f.get("hang"):
            await asyncio.sleep(f["hang"])
        if f.get("rst"):
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        # what a recorder must have in the end: the segment, not a disguise

        whole = (cut is None and not f.get("chunked") and length == len(body)
                 and not f.get("raw") and not f.get("rst"))
        if whole and status in (200, 206) and "/hls/" in path:
            if status == 206 or (body is plain and "/whole/" not in path):
                entry["sha256"] = hashlib.sha256(
                    self.clear(path, sent)).hexdigest()
                if told and status == 200:
                    entry["listed"] = told
        entry["bytes"] = len(sent)
        entry["whole"] = whole
        return whole and not close


async def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--log")
    ap.add_argument("--parent", type=int, default=os.getppid())
    a = ap.parse_args()

    origin = Origin(a.port, a.log)
    server = await asyncio.start_server(origin.serve, "127.0.0.1", a.port,
                                        limit=1 << 20)
    print("ready", flush=True)

    async def watch():
        while True:
            await asyncio.sleep(1)
            try:
                os.kill(a.parent, 0)
            except OSError:
                os._exit(0)

    async with server:
        await watch()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
