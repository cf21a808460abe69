#!/usr/bin/env python3
"""Makes the seeds of the fuzzers that are many: playlists, answers of
platforms, URLs, directories of tracks, beginnings of segments, JSON.  From a
fixed seed, so that running it again changes nothing.

    t/fuzz/corpus.py           writes t/fuzz/corpus/NAME/gen-*
"""

import json
import os
import random

HERE = os.path.dirname(os.path.realpath(__file__))
rng = random.Random("corpus/1")
pick = rng.choice


def chance(p):
    return rng.random() < p


NUMBERS = ["0", "1", "2", "6", "10", "65535", "4294967296", "99999999999",
           "9223372036854775807", "9223372036854775808",
           "18446744073709551616", "-1", "+1", "", "x", "0x10", "1.5", " 7 "]
DURATIONS = ["2", "2.0", "2.002", "6.006", "0", "0.001", "-1", "1e3", "NaN",
             "inf", "3600", "86400.5", "1.123456789", "4294967295.9", ".5",
             "5.", "", "x", "99999999999999999999"]
URIS = ["seg-%d.ts", "a/b/%d.m4s?x=1", "//cdn.example/%d.ts",
        "https://cdn.example/%d.ts?hdntl=exp=1~hmac=2", "?n=%d", "../%d.aac",
        "/%d.mp4", "file:///etc/%d", "data:,%d", "x y/%d.ts", "%%41/%d",
        "javascript:%d", "#%d", "http://[::1]:81/%d", "http://u@h/%d"]
KEYS = ['METHOD=AES-128,URI="k.bin"', "METHOD=NONE",
        'METHOD=AES-128,URI="k",IV=0x' + "0f" * 16,
        'METHOD=AES-128,URI="k",IV=0X1', 'METHOD=AES-128,URI="k",IV=0x',
        'METHOD=AES-128,URI="k",IV=0x' + "f" * 40,
        'METHOD=AES-128,URI="k",IV=12', 'METHOD=AES-128',
        'METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"',
        'METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AA",KEYFORMAT="urn:uuid:0"',
        'METHOD=UNKNOWN,URI="k"', 'METHOD=NONE,URI="k"', 'URI="k"', "METHOD",
        'METHOD=AES-128,URI=k', 'METHOD="AES-128",URI="k"', "",
        'METHOD=AES-128,URI="k",URI="l"', 'METHOD=AES-128,URI=""',
        'METHOD=AES-128,URI="k",KEYFORMAT="identity"',
        'METHOD=AES-128,URI="k",KEYFORMAT="x",KEYFORMATVERSIONS="1/2/3"',
        'METHOD=AES-128,URI="k",IV=0xzz']
MAPS = ['URI="init.mp4"', 'URI="i.mp4",BYTERANGE="700@0"', 'URI="i"',
        'URI="i.mp4",BYTERANGE="700"', 'URI="i.mp4",BYTERANGE="x"',
        'BYTERANGE="1@2"', 'URI=', 'URI="a b"', '']
RANGES = ["100@0", "100", "0@0", "1@9223372036854775807", "-1@0", "100@", "@1",
          "18446744073709551615@1", "9223372036854775807@1", "x", "10@x", ""]
DATES = ["2026-09-27T11:28:45.007Z", "2026-09-27T11:28:45+09:00",
         "2026-02-30T00:00:00Z", "2026-09-27T24:00:00Z", "2026-09-27",
         "2026-09-27T11:28:45.1234567+0900", "9999-12-31T23:59:60Z", "x", "",
         "20260927T112845Z", "2026-09-27 11:28:45", "0000-00-00T00:00:00Z"]
TYPES = ["VOD", "EVENT", "LIVE", "", "vod"]
OTHER = ["#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-START:TIME-OFFSET=-6.0",
         "#EXT-X-START:TIME-OFFSET=1,PRECISE=YES", "#EXT-X-START:",
         "#EXT-X-START:PRECISE=NO", "#EXT-X-I-FRAMES-ONLY",
         "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0",
         "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=24.0,HOLD-BACK=6",
         "#EXT-X-PART-INF:PART-TARGET=0.33334", "#EXT-X-PART-INF:",
         "#EXT-X-PART-INF:PART-TARGET=x",
         "#EXT-X-SKIP:SKIPPED-SEGMENTS=3", "#EXT-X-SKIP:SKIPPED-SEGMENTS=x",
         "#EXT-X-SKIP:SKIPPED-SEGMENTS=4294967296", "#EXT-X-SKIP:",
         '#EXT-X-SKIP:SKIPPED-SEGMENTS=2,RECENTLY-REMOVED-DATERANGES="a"',
         '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p.mp4"', "#EXT-X-PRELOAD-HINT:",
         '#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="m.mp4",BYTERANGE-START=0',
         '#EXT-X-RENDITION-REPORT:URI="../a.m3u8",LAST-MSN=3,LAST-PART=1',
         '#EXT-X-PART:DURATION=0.33334,URI="p1.mp4",INDEPENDENT=YES',
         '#EXT-X-PART:DURATION=0.3,URI="p2.mp4",BYTERANGE="1@2",GAP=YES',
         '#EXT-X-PART:URI="p"', "#EXT-X-PART:DURATION=x,URI=\"p\"",
         '#EXT-X-DATERANGE:ID="a",START-DATE="2026-09-27T11:28:45Z"',
         '#EXT-X-DATERANGE:ID="a",CLASS="com.x",DURATION=5,X-A="b",END-ON-NEXT=YES',
         "#EXT-X-DATERANGE:", "#EXT-X-UNKNOWN:A=1", "#EXT", "#EXTX", "# note",
         "#EXT-X-BITRATE:5000", "#EXT-X-VERSION:3", "#EXT-X-VERSION:100",
         "#EXT-X-ALLOW-CACHE:NO", "#EXT-X-ENDLIST", "",
         '#EXT-X-DEFINE:NAME="a",VALUE="b"', "#EXT-X-CONTENT-STEERING:"]
MULTI = ['#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="ko",LANGUAGE="ko",DEFAULT=YES,AUTOSELECT=YES,URI="a.m3u8",CHANNELS="2"',
         '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="b.m3u8"',
         '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="x",FORCED=YES,URI="s.m3u8"',
         '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="x",INSTREAM-ID="CC1"',
         '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="v",NAME="x",CHARACTERISTICS="public"',
         '#EXT-X-MEDIA:TYPE=OTHER,GROUP-ID="v",NAME="x"', "#EXT-X-MEDIA:",
         '#EXT-X-MEDIA:TYPE=AUDIO,NAME="x"', '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a"',
         '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"',
         '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1', "#EXT-X-I-FRAME-STREAM-INF:",
         '#EXT-X-SESSION-DATA:DATA-ID="a",VALUE="b",LANGUAGE="ko"',
         '#EXT-X-SESSION-DATA:DATA-ID="a",URI="b.json"', "#EXT-X-SESSION-DATA:",
         '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"',
         "#EXT-X-SESSION-KEY:METHOD=NONE", "#EXT-X-SESSION-KEY:"]
RESOLUTIONS = ["1920x1080", "1280x720", "0x0", "x", "1920", "1920x", "640X360",
               "99999999999x1", "852x480 "]


def stream():
    a = []
    if chance(.95):
        a.append("BANDWIDTH=" + pick(NUMBERS))
    if chance(.4):
        a.append("AVERAGE-BANDWIDTH=" + pick(NUMBERS))
    if chance(.7):
        a.append("RESOLUTION=" + pick(RESOLUTIONS))
    if chance(.5):
        a.append("FRAME-RATE=" + pick(DURATIONS + ["60.000", "29.97", "59.94"]))
    if chance(.5):
        a.append('CODECS="%s"' % pick(["avc1.640028,mp4a.40.2", "mp4a.40.2",
                                       "avc1", "hvc1.1", "", "av01,opus"]))
    for n in ("AUDIO", "VIDEO", "SUBTITLES", "NAME", "CLOSED-CAPTIONS",
              "HDCP-LEVEL", "X-Y", "PROGRAM-ID"):
        if chance(.15):
            a.append('%s=%s' % (n, pick(['"a"', "NONE", "1", '""', '"', ""])))
    if chance(.05):
        a.append(pick(["=", ",", "A", "A=", '"x"', "a=1", "A==1"]))
    return "#EXT-X-STREAM-INF:" + pick([",", ",", ",", ", "]).join(a)


def header(lines):
    lines.append(pick(["#EXTM3U"] * 30 + ["#EXTM3U8", "#EXTM3U ", "EXTM3U", ""]))
    if chance(.6):
        lines.append("#EXT-X-VERSION:" + pick(["3", "6", "7", "9", "1", "x"]
                                              if chance(.3) else ["6"]))


def multivariant():
    lines = []
    header(lines)
    for _ in range(rng.randrange(0, 6)):
        lines.append(pick(MULTI))
    for i in range(rng.randrange(0, 6)):
        lines.append(stream())
        if chance(.1):
            lines.append(pick(MULTI + OTHER))
        if chance(.95):
            lines.append(pick(URIS) % i)
    return lines


def media():
    lines = []
    header(lines)
    ok = chance(.5)                        # most of it as it should be
    if chance(.95):
        lines.append("#EXT-X-TARGETDURATION:"
                     + (pick(["2", "6", "10"]) if ok else pick(NUMBERS)))
    if chance(.8):
        lines.append("#EXT-X-MEDIA-SEQUENCE:" + (pick(["0", "7", "123456"])
                                                 if ok else pick(NUMBERS)))
    if chance(.3):
        lines.append("#EXT-X-DISCONTINUITY-SEQUENCE:"
                     + (pick(["0", "7"]) if ok else pick(NUMBERS)))
    if chance(.2):
        lines.append("#EXT-X-PLAYLIST-TYPE:" + pick(TYPES))
    for _ in range(rng.randrange(0, 3)):
        if chance(.4):
            lines.append(pick(OTHER))
    if chance(.3):
        lines.append("#EXT-X-MAP:" + (pick(MAPS[:2]) if ok else pick(MAPS)))
    for i in range(rng.randrange(0, 8)):
        for p, name, values, good in (
                (.1, "#EXT-X-KEY:", KEYS, 3), (.08, "#EXT-X-MAP:", MAPS, 2),
                (.2, "#EXT-X-BYTERANGE:", RANGES, 2),
                (.3, "#EXT-X-PROGRAM-DATE-TIME:", DATES, 2)):
            if chance(p):
                lines.append(name + pick(values[:good] if ok else values))
        if chance(.1):
            lines.append("#EXT-X-DISCONTINUITY")
        if chance(.06):
            lines.append("#EXT-X-GAP")
        if chance(.1):
            lines.append(pick(OTHER))
        if chance(.97):
            lines.append("#EXTINF:" + (pick(DURATIONS[:4]) if ok else
                                       pick(DURATIONS))
                         + pick([",", ",", ",title", "", ",제목", ",a,b"]))
        if chance(.97):
            lines.append((URIS[0] if ok else pick(URIS)) % i)
    if chance(.2):
        lines.append("#EXT-X-ENDLIST")
    return lines


def text(lines):
    end = pick(["\n"] * 12 + ["\r\n", "\r\n", "\r", "\n\n", " \n"])
    out = pick([""] * 20 + ["\ufeff"]) + end.join(lines)
    if chance(.9):
        out += end
    data = out.encode()
    if chance(.06):
        at = rng.randrange(len(data) + 1)
        data = data[:at] + pick([b"\0", b"\xff\xfe", b"\xc0\xaf", b"\x7f",
                                 b"\x1b", b"\xed\xa0\x80"]) + data[at:]
    return data


def corners():
    """what chance does not find"""
    head = ["#EXTM3U", "#EXT-X-TARGETDURATION:2"]
    seg = ["#EXTINF:2,", "a.ts"]
    key = '#EXT-X-KEY:METHOD=AES-128,URI="%s",KEYFORMAT="%s"'
    yield head + ["#EXT-X-VERSION:0"] + seg
    yield head + ["#EXT-X-VERSION:0x1"] + seg
    yield head + ["#EXT-X-START:TIME-OFFSET=1", "#EXT-X-START:TIME-OFFSET=2"] \
        + seg
    for iv in ("0x" + "aF09" * 8, "0x" + "0" * 40, "1x12", "0y12", "0x1g"):
        yield head + ['#EXT-X-KEY:METHOD=AES-128,URI="k",IV=' + iv] \
            + seg * 3
    yield head + [key % ("k%d" % i, "f%d" % i) for i in range(12)] + seg
    yield head + [key % ("k", "a")] + seg + [key % ("k", "b")] + seg
    yield head + ["#EXT-X-BYTERANGE:5@9223372036854775800"] + seg \
        + ["#EXT-X-BYTERANGE:9223372036854775807"] + seg
    yield head + ["#EXT-X-BYTERANGE:5@0"] + seg + ["#EXT-X-BYTERANGE:5"] + seg
    yield head + ["#EXT-X-BYTERANGE:5@0"] + seg + ["#EXT-X-BYTERANGE:5",
                                                    "#EXTINF:2,", "b.ts"]
    yield head + ['#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p%d"' % i
                  for i in range(9)] + seg
    yield head + ["#EXT-X-PART-INF:PART-TARGET=99999999",
                  "#EXT-X-PART-INF:PART-TARGET=1"] + seg
    for i in range(3):
        yield head + ['#EXT-X-PART:DURATION=%s,URI="p"%s' % v for v in
                      (("0.5", ""), ("1e9", ""), ("1", ',BYTERANGE="5"'),
                       ("1", ',BYTERANGE="5@x"'))[i:]] + seg
    yield head + ['#EXT-X-MAP:URI="m%d"' % i for i in range(3)] + seg
    yield head + [key % ("k", "identity"), '#EXT-X-MAP:URI="m"'] + seg \
        + [key % ("l", "identity"), '#EXT-X-MAP:URI="m",BYTERANGE="9@1"'] + seg
    yield head + ["#EXT-X-MEDIA-SEQUENCE:18446744073709551615"] + seg * 3
    yield head + ["#EXT-X-MEDIA-SEQUENCE:9223372036854775807"] + seg * 3
    for r in ("0x5", "5x0", "4294967296x1", "1x4294967296"):
        yield ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=" + r, "a"]
    yield ["#EXTM3U"] + MULTI[:1] * 40 + ["#EXT-X-STREAM-INF:BANDWIDTH=1", "a"]
    yield ["#EXTM3U", ""]
    yield ["#EXTM3U", "\x1f"] + seg
    yield ["#EXTM3U", "\t", "a\tb"] + seg


def playlists():
    out = []
    for i in range(540):
        if i % 4 == 3:
            out.append(text(multivariant()))
        else:
            a = media()
            out.append(text(a))
            if i % 5 == 0:                 # and its next load
                out[-1] = text(a) + b"\n" + text(media() if chance(.5) else a)
    out += [text(a) for a in corners()]
    mixed = media() + multivariant()[1:]
    out.append(text(mixed))
    out.append(b"<!DOCTYPE html><html><body>404</body></html>")
    out.append(b'{"code":403}')
    out.append(b"#EXTM3U\n#EXTINF:2," + b"x" * 9000 + b"\na.ts\n")
    out.append(b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n" + b"#EXTINF:2,\na\n" * 900)
    return out


def retype(v):
    return pick([None, True, 0, -1, 1 << 62, 1.5, "", "x", [], {}, [v], {"a": v},
                 str(v), "\u0000", "\ud83c\udf8d", 10 ** 18])


def walk(v, path=()):
    yield path
    if isinstance(v, dict):
        for k in v:
            yield from walk(v[k], path + (k,))
    elif isinstance(v, list):
        for i in range(len(v)):
            yield from walk(v[i], path + (i,))


def changed(root, path):
    """removed, nulled or of another type"""
    if not path:
        return retype(root)
    root = json.loads(json.dumps(root))
    at = root
    for k in path[:-1]:
        at = at[k]
    what = rng.randrange(3)
    if what == 0 and isinstance(at, dict):
        del at[path[-1]]
    else:
        at[path[-1]] = None if what == 1 else retype(at[path[-1]])
    return root


def answers():
    """bodies of Chzzk's shapes with one place changed, and within the playback
    and the polling that are texts in them"""
    playback = {"meta": {"liveId": "7", "paidLive": False,
                         "cdnInfo": {"cdnType": "x", "zeroRating": False}},
                "live": {"start": "2026-09-27T17:52:04+09", "status": "STARTED"},
                "media": [{"mediaId": "LLHLS", "protocol": "HLS",
                           "path": "https://m.example/ll.m3u8",
                           "latency": "low", "encodingTrack": []},
                          {"mediaId": "HLS", "protocol": "HLS",
                           "path": "https://m.example/a.m3u8?x=1",
                           "encodingTrack": [{"encodingTrackId": "1080p",
                                              "videoWidth": 1920}]}]}
    polling = {"status": "STARTED", "isPublishing": True,
               "playableStatus": "PLAYABLE", "callPeriodMilliSecond": 10000}
    content = {"liveId": 7, "liveTitle": "제목 \U0001f38d", "status": "OPEN",
               "liveImageUrl": "https://i.example/a_{type}.jpg",
               "defaultThumbnailImageUrl": None, "concurrentUserCount": 12,
               "openDate": "2026-09-27 17:52:04", "closeDate": None,
               "adult": False, "krOnlyViewing": False, "cvExposure": True,
               "liveCategory": "talk", "liveCategoryValue": "이야기",
               "userAdultStatus": None, "blindType": None,
               "channel": {"channelId": "00112233445566778899aabbccddeeff",
                           "channelName": "이름", "channelImageUrl": None}}
    found = {"code": 200, "content": {"size": 2, "data": [
        {"channel": {"channelId": "%032x" % i, "channelName": n,
                     "channelImageUrl": "https://i.example/%d" % i,
                     "followerCount": i}} for i, n in
        enumerate(("이름", "other"), 1)]}}
    one = {"code": 200, "content": {"channelId": "0" * 32, "channelName": "n",
                                    "openLive": True, "channelImageUrl": None}}

    def body(c, p, q, code=200):
        c = dict(c) if isinstance(c, dict) else c
        if isinstance(c, dict):
            c["livePlaybackJson"] = p if p is None or isinstance(p, str) \
                else json.dumps(p)
            c["livePollingStatusJson"] = q if isinstance(q, str) \
                else json.dumps(q)
        return {"code": code, "message": None, "content": c}

    out = []

    def add(doc, first):
        raw = doc if isinstance(doc, bytes) else json.dumps(
            doc, ensure_ascii=chance(.5)).encode("utf-8", "replace")
        out.append(bytes([first]) + raw)

    for first in (0b000, 0b010):            # status, detail
        for status in ("OPEN", "CLOSE", "", "BLOCKED", 1):
            add(body(dict(content, status=status), playback, polling), first)
        for code in (200, 400, 401, 403, 404, 429, 500, 9004, 42601, 50001):
            add(body(None, None, polling, code), first)
            for http in (3, 5):             # 404, 500
                add(body(None, None, polling, code), first | http << 3)
        for path in walk(content):
            add(body(changed(content, path), playback, polling), first)
    for path in walk(playback):
        for _ in range(3):
            add(body(content, changed(playback, path), polling), 0b010)
    for path in walk(polling):
        add(body(content, playback, changed(polling, path)), 0b010)
    for why in ({"adult": True}, {"krOnlyViewing": True},
                {"userAdultStatus": "NOT_REALNAME"}, {"blindType": "A"},
                {"status": "CLOSE"}):
        for p in (None, "", "x", "{}", "[]", {"media": []}, playback):
            add(body(dict(content, **why), p, polling), 0b010)
    for k, values in (
            ("liveId", [0, -1, "aZ09_-", "a b", "x" * 33, "!", "~", "{", "`"]),
            ("cvExposure", [False]), ("userAdultStatus", ["ADULT", "", "x"]),
            ("liveImageUrl", ["x" * 9000, "", "https://i.example/x", "{type}"]),
            ("status", ["A_B", "a", "x" * 40, "A" * 40, "", "A b", "A@",
                        "[", "NEW_WORD"])):
        for v in values:
            for adult in (False, True):
                add(body(dict(content, adult=adult, **{k: v}), playback,
                         polling), pick([0, 0b010]))
    for ms in (0, -5, 900000, 900001, 1 << 60):
        add(body(content, playback, dict(polling, callPeriodMilliSecond=ms)), 0)
    many = dict(playback, media=[dict(playback["media"][i % 2],
                                      mediaId="M%d" % i) for i in range(20)])
    for p in (many, dict(playback, media=[1, {}]), dict(playback, media={}),
              dict(playback, media=playback["media"][:1])):
        add(body(content, p, polling), 0b010)
    for names in (["x"], ["x", "x"], ["y", "z"], ["이름"], [""], [],
                  ["00112233445566778899AABBCCDDEEFF",
                   "00112233445566778899aabbccddeeff"]):
        add({"code": 200, "content": {"size": len(names), "data": [
            {"channel": {"channelId": ("%032x" % i), "channelName": n}}
            for i, n in enumerate(names)]}}, 0b100)
    for code in ("x", 1.5, True, None, [], {}):
        add({"code": code, "content": {}}, 0)
    for c in ("x", 1, [], True):
        add({"code": 200, "content": c}, 0b010)
    for doc, first in ((found, 0b100), (one, 0b110)):
        for path in walk(doc):
            for _ in range(2):
                add(changed(doc, path), first)
    for raw in (b"", b"{", b"[]", b"1", b"{}", b"[" * 100, b'{"a":' * 40,
                b'{"code":200,"code":200}', b'{"code":1e400}', b"\xff{}",
                b'{"code":99999999999999999999}', b'"\\ud800"', b"{}x",
                b'{"a":"\\u0000"}'):
        add(raw, pick([0, 0b010, 0b100, 0b110]))
    return out


def urls():
    base = ["https://a.example/b/c/d.m3u8?q#f", "http://h", "http://h/", "",
            "http://h:81/a/b/", "https://[2001:db8::1]:8443/x", "x", "//h/a"]
    refs = ["g", "./g", "g/", "/g", "//g", "?y", "g?y", "#s", "g#s", "g?y#s",
            ";x", "", ".", "./", "..", "../", "../g", "../..", "../../g",
            "../../../g", "/./g", "/../g", "g.", ".g", "g..", "..g", "./../g",
            "./g/.", "g/./h", "g/../h", "g;x=1/./y", "http:g", "HTTP://H/A",
            "https://u:p@h/", "http://h:0/", "http://h:65536/", "http://h:x/",
            "http://[::ffff:127.0.0.1]/", "http://[::1", "http://[x]/",
            "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/",
            "http://h./", "http://h..h/", "http://-h/", "http://h_h/",
            "file:///etc/passwd", "ftp://h/", "javascript:1", "data:,x",
            "http://h/%2e%2e/x", "http://h/a b", "http://h/\x01", "http:///x",
            "http://h/a?hdntl=exp=1893456000~acl=*~hmac=ab",
            "http://h/hdnts=st=1~exp=2~acl=/*~hmac=0/a.ts", "http://한글.example/",
            "http://h/한글?이름=값", "http://h:80/", "https://h:443/",
            "http://" + "a" * 300 + "/", "http://h/" + "a/" * 200,
            "http://h/" + "../" * 60, "http://h\\@g/", "http://h?x", "http://h#x",
            "\thttp://h/", "http://h/\r\nX: y",
            "http://h/a/../../b/./c//d/..", "http://h/~user/", "http://h/a;b=c",
            "http://h/a?b=c&d=e#f?g", "http://H.Example:8080/A?B",
            "https://xn--bj0bj06e.example/"]
    out = []
    for i, r in enumerate(refs):
        for b in (base[i % len(base)], base[(i * 3 + 1) % len(base)],
                  pick(base)):
            out.append((b + "\n" + r).encode())
    for p in ("a%7eb", "a%7Eb", "?x=%7e", "?a%3fhdnts=1", "?a%26hdnts=1",
              "?hdnts=exp%3d1%7ehmac%3dab%26b=2", "?token%3dab%3fc=1", "%2f%3F"):
        out.append(("http://h/\nhttp://h/" + p).encode())
    return out


class Track:
    """the directory of a track, as fuzz_journal.c reads it"""

    def __init__(self, fmp4=False, prefix=""):
        self.ext = "m4s" if fmp4 else "ts"
        self.prefix = prefix
        self.box = 2 if fmp4 else 1
        self.journal, self.files = [], []
        self.playlist = ["#EXTM3U", "#EXT-X-VERSION:%d" % (6 if fmp4 else 3),
                         "#EXT-X-TARGETDURATION:2", "#EXT-X-MEDIA-SEQUENCE:0",
                         "#EXT-X-PLAYLIST-TYPE:EVENT"]
        self.map = 0

    def init(self, n):
        self.journal.append("I %d %d 0a1b2c3d 700 0000c0fe 900" % (n, n + 90))
        self.files.append("%sinit-%d.mp4 700" % (self.prefix, n))
        self.playlist.append('#EXT-X-MAP:URI="%sinit-%d.mp4"'
                             % (self.prefix, n))
        self.map = n

    def segment(self, n, upto=5, size=100, disc=0, epoch=0):
        """upto: 1 its .part, 2 complete, 3 in the journal, 4 named, 5 listed"""
        if upto >= 3:
            self.journal.append(
                "S %d %d 0a1b2c3d %d %d %d %016x - 2000000 0 %d %d 100 %d"
                % (n, n + 50, self.box, epoch, n + 1000, n, disc, self.map,
                   1000 + n))
        if upto >= 4:
            self.files.append("%s%06d.%s %d" % (self.prefix, n, self.ext, size))
        elif upto:
            self.files.append("%s%d.0a1b2c3d.part %d"
                              % (self.prefix, n + 50, 70 if upto == 1 else size))
        if upto >= 5:
            if disc:
                self.playlist.append("#EXT-X-DISCONTINUITY")
            self.playlist += ["#EXTINF:2.000000,",
                              "%s%06d.%s" % (self.prefix, n, self.ext)]

    def text(self, flags=0, cut=0):
        lines = self.journal + ["p " + x for x in self.playlist] \
            + ["f " + x for x in self.files]
        if cut:
            lines.append("c %d" % cut)
        return bytes([ord("0") + flags + (2 if self.prefix else 0)]) \
            + "\n".join(lines).encode() + b"\n"


def journals():
    out = [b"0", b"0\n", Track().text()]
    for fmp4 in (False, True):
        for prefix in ("", "video-"):
            for step in range(6):          # killed behind each step of a commit
                t = Track(fmp4, prefix)
                if fmp4:
                    t.init(1)
                for n in (1, 2):
                    t.segment(n)
                t.segment(3, upto=step)
                out += [t.text(step & 1, cut) for cut in (0, 5, 40)]
    for what in range(12):                 # and what else a power cut leaves
        t = Track()
        t.segment(1)
        t.segment(2, size=(0, 99, 100)[what % 3])
        if what == 3:
            t.files.pop()
        elif what == 4:
            t.journal.append("G 3 6000000 network 1100")
            t.segment(6, disc=1)
        elif what == 5:
            t.journal.append("L 2 1200")
            t.segment(3)
        elif what == 6:
            t.playlist.append("#EXT-X-ENDLIST")
            t.journal.append("R 1300")
        elif what == 7:
            t.journal.append("j " + t.journal[0][:40])
        elif what == 8:
            t.journal.append("j " + "\0" * 60)
        elif what == 9:
            t.segment(3, epoch=1, disc=1)
        elif what == 10:
            t.playlist[-1] = "old.ts"
        elif what == 11:
            t.files.append("000009.ts 5")
        out += [t.text(), t.text(1), t.text(0, 30)]
    return out + odd_tracks()


def odd_tracks():
    """files of one number that differ in one thing, lines that come again"""
    out = []
    t = Track()
    t.segment(1)
    t.segment(2, upto=3)
    t.files += ["52.0a1b2c3d.part 100", "52.0a1b2c3c.part 100",
                "52.0a1b2c3e.part 100", "51.0a1b2c3d.part 7"]
    out.append(t.text())
    t.journal.append(t.journal[-1])              # the same line again
    out.append(t.text())
    t.segment(2, upto=3)
    t.journal[-1] = t.journal[-1].replace("S 2 52 ", "S 2 53 ")
    t.files.append("53.0a1b2c3d.part 100")
    out.append(t.text())
    t.segment(1, upto=3)                         # a lower number
    out.append(t.text())

    t = Track()
    t.segment(1)
    t.files += ["000001.m4s 100", "000001.aac 100", "init-1.mp4 5",
                "init-3.mp4 0", "000001.aac 3"]
    t.segment(2)
    t.playlist += ["#EXTINF:2.000000,", "000003.m4s", "#EXTINF:x,", "000004.ts",
                   "#EXTINF:2.000000", "000002.m4s"]
    out += [t.text(), t.text(1)]

    for line in ("#EXT-X-TARGETDURATION:4294967296", "#EXT-X-TARGETDURATION:x",
                 "#EXT-X-TARGETDURATION:0", "#EXT-X-MAP:URI=\"init-1.mp4",
                 '#EXT-X-MAP:URI="other.mp4"', '#EXT-X-MAP:URI=""', "",
                 "#EXT-X-GAP", "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z",
                 "#EXT-X-DISCONTINUITY", "#other", "EXTM3U"):
        for fmp4 in (False, True):
            t = Track(fmp4)
            if fmp4:
                t.init(1)
            t.segment(1)
            t.playlist.append(line)
            t.segment(2)
            t.segment(3, upto=3)
            out.append(t.text())

    for sizes in ((0, 0), (0, 100), (100, 0), (5, 100), (100, 5)):
        t = Track(True)
        t.init(1)
        t.segment(1, size=sizes[0])
        t.init(2)
        t.segment(2, size=sizes[1])
        t.segment(3)
        out += [t.text(), t.text(1)]
        t.journal.append("L 1 1200")
        t.journal.append("G 1 2000000 disk 1200")
        t.playlist.append("#EXT-X-ENDLIST")
        out += [t.text(), t.text(1)]

    t = Track(True)                              # its init section is a .part
    t.init(1)
    t.files = ["91.0a1b2c3d.part 700"]
    t.segment(1)
    out.append(t.text())
    t.files[0] = "91.0a1b2c3d.part 70"
    out.append(t.text())

    t = Track()                                  # nothing but its journal
    t.segment(1, upto=4)
    t.segment(2, upto=4, disc=1)
    t.playlist = []
    out += [t.text(), t.text(1)]
    t.playlist = ["no playlist", "000001.ts"]
    out.append(t.text())
    t.journal, t.files = ["L 9 1", "G 1 1 x 1", "R 1"], []
    out.append(t.text())
    return out


def packet(payload, start=1, control=1, field=None, sync=0x47):
    """of a transport stream"""
    head = bytes([sync, start << 6, 0, control << 4])
    if field is not None:
        head += bytes([field]) + bytes(field)
    return (head + payload + b"\xff" * 188)[:188]


def bodies():
    """beginnings of segments, by what they hold"""
    video, sound = b"\0\0\1\xe0", b"\0\0\1\xc0"
    null = packet(b"", 0)
    out = [packet(video), packet(sound), packet(video, 0), packet(video, 1, 2),
           packet(video, 1, 3, 7), packet(video, 1, 3, 179),
           packet(video, 1, 3, 180), packet(video, 1, 3, 183),
           packet(video, 1, 3, 255), packet(b"\0\0\2\xe0"),
           packet(b"\0\1\1\xe0"), packet(b"\1\0\1\xe0"),
           packet(b"\0\0\1\xef"), null, null + packet(video),
           packet(sound) + packet(video, 1, 3, 20), null * 4 + packet(video),
           null * 2, null * 3, null * 2 + packet(video, sync=0x48),
           null + packet(video, sync=0x48) + null, packet(video)[:187],
           (null + packet(video))[:-1], null + b"G", packet(video, 1, 0),
           bytes([0x47, 0x80, 0, 0x10]) * 47, b"G" * 15, b"G" * 16]
    for size in (0, 1, 2, 7, 8, 1000):
        for kind in (b"ftyp", b"styp", b"moof", b"sidx", b"none"):
            out.append(size.to_bytes(4, "big") + kind + bytes(20))
    for head in (b"ID3\4", b"\x0b\x77", b"\x0b\x78", b"\xff\xf1\x50\x80",
                 b"\xff\xfb\x90\x64", b"\xff\xfb\xf0\x64",
                 b"\xff\xfb\x9c\x64", b"\xff\xe1\0\0", b"\xfe\xf1\0\0"):
        out += [head + bytes(20), head + bytes(200)]
    for text in (b"WEBVTT\n", b"WEBVT", b"<html>", b"{}", b"[", b"x", b"x" * 16,
                 b"x" * 200, b"\t\r\n text that is long\x7f", b"abc\x0edef" * 9,
                 b"", b"<" + b"x" * 64 + b"\0"):
        out += [text, b"\xef\xbb\xbf" + text]
    return out


def documents():
    """JSON behind a path: what is refused, each by its reason, and why not"""
    docs = [b'{"a":1,"a":2}', b'[1e999]', b'[99999999999999999999]',
            b'["\xff"]', b'["\\u0000"]', b'{"\\u0000":1}', b'["\\ud800"]',
            b'["\\udc00\\ud800"]', b'["\\ud83d\\ude00"]',
            b'["\\ud83d\\ud83d\\ude00"]', b'["\\ud83dx"]',
            b'["\\ud83d\\ue000"]', b'["\\uffff"]', b'["\\ud83d and more"]',
            b'["\\ud83d\\u00"]', b'["\\u 00a"]', b'["\\u00g0"]', b'["\\', b"",
            b" \n\t", b"[" * 80 + b"]" * 80, b'["[[[[{{{{"]', b'["\\"[\\\\"]',
            b"]]}}[1]", b"nul", b'"x', b"[1,]", b"{'a':1}", b'{"a":}',
            b'{"a":{"b":[1,"2",true,false,null,"x",{"c":"d"}]}}',
            b'[[["deep"]]]', b'{"a":"' + b"long" * 60 + b'"}',
            b'{"' + b"k" * 140 + b'":"v"}', b'{"a":"-9223372036854775808"}',
            b'{"a":"9223372036854775808"}', b'{"a":"1x"}', b'{"a":1.5}',
            b'{"a":9223372036854775807}', b"[" + b'"x",' * 200 + b'"y"]']
    paths = [b"", b"a", b"a.b.0", b"a.b.1", b"a.b.2", b"a.b.3", b"a.b.6.c",
             b"0", b"0.0.0", b"9", b"x", b"a.", b".", b"k" * 140, b"a.b.x"]
    return [paths[(i + k) % len(paths)] + b"\n" + d
            for i, d in enumerate(docs) for k in range(0, len(paths), 4)]


def forms():
    """fields of a form: escapes, names that come again, what is refused"""
    return [b"name=a+b&call=x", b"name=%4", b"name=%", b"name=%g0", b"name=%/0",
            b"name=%:0", b"name=%0`", b"name=%00", b"n%zz=1", b"n%00=1",
            b"name=%5A%5f%aF", b"pw=1&pw=2", b"pw=1&p%77=%zz", b"name=&name=",
            b"call=a&call=b", b"+=+", b"&&", b"=", b"name", b"name=a&name=%",
            b"clientid=%25%26%3d%2b&pw=%E2%82%ac", b"name=" + b"%41" * 300]


def write(name, items):
    d = "%s/corpus/%s" % (HERE, name)
    os.makedirs(d, exist_ok=True)
    for f in os.listdir(d):
        if f.startswith("gen-"):
            os.unlink(d + "/" + f)
    seen = sorted(set(items), key=items.index)
    for i, data in enumerate(seen):
        with open("%s/gen-%03d" % (d, i), "wb") as f:
            f.write(data)
    print("%s: %d" % (name, len(seen)))


write("playlist", playlists())
write("platform_answer", answers())
write("url", urls())
write("journal", journals())
write("attribute", bodies())
write("json", documents())
write("form", forms())
