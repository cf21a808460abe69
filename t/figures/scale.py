"""Figure 12: ten thousand channels, and addresses that must not be reached.

The platform of the first part is a second nginx, whose access log is what the
result is read from.  The second part has a platform of its own that names
hostile URLs in every place where the module takes one; listeners on the
forbidden addresses count, and every connect() of nginx is written down by a
library that is loaded before (connect_preload.c).
"""

import collections
import http.server
import json
import os
import re
import select
import socket
import threading
import time

import checker
from lab import TOP, Lab, Nginx, free_port, request, until

NUMBER = 12
CLAIM = ("10,000 channels on a 60 s interval: lateness p99 at most 1 s, no "
         "second above the cap or 1.5 times the mean, first minute included, "
         "429 obeyed by all workers. 400 hostile URLs: no listener on a "
         "forbidden address was reached, no connect() went to one.")

OFF = ('{"code":200,"message":null,"content":{"liveTitle":"t","status":"CLOSE",'
       '"concurrentUserCount":0,"openDate":null,"closeDate":null,"adult":false,'
       '"channelId":"$1","livePollingStatusJson":null}}')


class Mock:
    """the platform as a second nginx; "limit" makes it say 429"""

    def __init__(self, lab, seconds):
        self.dir = lab.dir + "/mock"
        os.makedirs(self.dir + "/logs")
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        self.base = "http://127.0.0.1:%d" % self.port
        with open(self.dir + "/nginx.conf", "w") as f:
            f.write("""daemon on; worker_processes 1; pid %(d)s/nginx.pid;
error_log %(d)s/logs/error.log warn;
events { worker_connections 4096; }
http {
    log_format t '$msec $status $uri';
    access_log %(d)s/logs/access.log t;
    keepalive_requests 1000000;
    default_type application/json;
    server {
        listen 127.0.0.1:%(p)d backlog=4096;
        location ~ ^/polling/v3.1/channels/([0-9a-f]+)/live-status$ {
            add_header Retry-After %(s)d always;
            if (-f %(d)s/limit) { return 429 '{"code":429}'; }
            return 200 '%(off)s';
        }
    }
}
""" % {"d": self.dir, "p": self.port, "off": OFF, "s": seconds})
        self.nginx = Nginx.__new__(Nginx)
        self.nginx.dir, self.nginx.env = self.dir, {}
        self.nginx.start()
        lab.later(self.nginx.stop)

    def limit(self, on):
        if on:
            open(self.dir + "/limit", "w").close()
        else:
            os.unlink(self.dir + "/limit")

    def log(self):
        """(time, status, channel)"""
        with open(self.dir + "/logs/access.log") as f:
            for line in f:
                if line.endswith("\n"):
                    t, status, uri = line.split()
                    yield float(t), int(status), uri.split("/")[4]


def histogram(x, name):
    out = collections.OrderedDict()
    for le, v in re.findall(r'^%s_bucket\{(?:[^}]*,)?le="([^"]+)"[^}]*\} (\S+)'
                            % name, x.get("/metrics").body.decode(), re.M):
        out[le] = out.get(le, 0) + float(v)
    return out


def percentile(before, after, share):
    """the upper end of the bucket"""
    total = after["+Inf"] - before.get("+Inf", 0)
    for le, v in after.items():
        if v - before.get(le, 0) >= share * total:
            return float(le)
    return float("inf")


def add(pg, x, first, last):
    """channels by their numbers, all due at once"""
    pg.sql("INSERT INTO streamer (platform, channel_id, source) SELECT (SELECT"
           " id FROM platform WHERE name = 'chzzk'), lpad(to_hex(i), 32, '0'),"
           " 'api' FROM generate_series(%d, %d) i; INSERT INTO"
           " streamer_monitor (streamer_id) SELECT id FROM streamer"
           " ON CONFLICT DO NOTHING; ANALYZE; NOTIFY mntreamer, 'due'"
           % (first, last), x.db)


def channels(f, lab):
    n, interval, after, pause = (400, 4, 8, 3) if f.short \
        else (10000, 60, 300, 5)
    cap = int(n / interval * 1.25)
    mean = n / interval
    pg = lab.postgres(shared=f.short)
    mock = Mock(lab, pause)
    x = lab.nginx(pg, workers=2, backoff="%ds" % interval, jitter=10,
                  platform="api %s;" % mock.base,
                  mntreamer="poll_rate %dr/s;" % cap)
    x.up()
    x.stop()
    add(pg, x, 1, n)

    began = time.time()
    x.start().up()
    until(lambda: len(set(r[2] for r in mock.log())) == n, "all are asked",
          interval * 3, pause=1)
    f.value("channels", n)
    f.value("all asked after a cold start in",
            round(max(r[0] for r in mock.log()) - began, 1), "s")
    time.sleep(2)
    h = histogram(x, "mntreamer_probe_lateness_seconds")
    time.sleep(max(0, began + interval + after - time.time()))
    late = percentile(h, histogram(x, "mntreamer_probe_lateness_seconds"), .99)
    f.value("lateness p99", "at most %g s" % late)
    f.require(late <= 1 or f.short, "lateness p99 is %g s" % late)

    times = [r[0] for r in mock.log()]
    buckets = collections.Counter(int(t - times[0]) for t in times)
    f.value("requests a second", "mean %.0f, cap %d, most %d"
            % (mean, cap, max(buckets.values())))
    f.require(max(buckets.values()) <= min(1.5 * mean, cap * 1.02 + 1),
              "%d requests in a second" % max(buckets.values()))
    i = worst = 0
    for j, t in enumerate(times):
        while times[i] <= t - 1:
            i += 1
        worst = max(worst, j - i + 1)
    f.value("most in any second, sliding", worst)
    f.require(worst <= cap * 1.05 + 1, "%d requests in one second" % worst)

    told = limited(f, mock, pause)
    f.value("429", "%d answers, then %.2f s of silence for Retry-After %d"
            % (told[0], told[1], pause))
    f.fails(checker.check_log(x))
    f.fails(checker.check_loop(x))


def limited(f, mock, pause):
    began = time.time()
    mock.limit(True)
    until(lambda: any(r[1] == 429 for r in mock.log()), "a 429", 20)
    time.sleep(0.2)
    mock.limit(False)
    time.sleep(pause + 4)

    # its time may be that of the wake-up before; there was no 429 until then

    rows = [r for r in mock.log() if r[0] > began - 1]
    first = next(r[0] for r in rows if r[1] == 429)

    # those that were under way may still arrive
    later = [r[0] for r in rows if r[0] > first + 0.15]
    silence = later[0] - first if later else 99
    f.require(silence >= pause * 0.98, "asked again %.2f s after a 429 with "
              "Retry-After %d" % (silence, pause))
    f.require(later, "it does not ask any more")
    return sum(r[1] == 429 for r in rows), silence


# hostile URLs

HOSTS = ["127.0.0.2", "127.0.0.2.", "2130706434", "0x7f000002", "0177.0.0.2",
         "127.2", "127.0.2", "0x7f.1", "017700000002", "0x7f.0x0.0x0.0x2",
         "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.2]",
         "[::ffff:7f00:2]", "[::127.0.0.2]", "[64:ff9b::7f00:2]",
         "[64:ff9b::127.0.0.2]", "[64:ff9b:1::7f00:2]", "[2002:7f00:2::]",
         "[2001:0:7f00:2::]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]",
         "[fd00::1]", "[ff02::1]", "[::]", "[2001:db8::1]", "0.0.0.0", "0",
         "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254",
         "100.64.0.1", "198.18.0.1", "192.0.0.8", "224.0.0.1", "240.0.0.1",
         "255.255.255.255", "localhost", "localhost.", "LOCALHOST",
         "a.localhost", "ip6-localhost", "local.test", "local.test.",
         "local6.test", "mapped.test", "private.test", "both.test",
         "turn.test", "user:pw@127.0.0.2", "8.8.4.4@127.0.0.2",
         "127.0.0.2%23@8.8.4.4", "①②⑦.⓪.⓪.②", "127。0。0。2"]

SCHEMES = ["file:///etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.2:%d/x",
           "gopher://127.0.0.2:%d/x", "dict://127.0.0.2:%d/x",
           "smb://127.0.0.2:%d/x", "ldap://127.0.0.2:%d/x",
           "scp://127.0.0.2:%d/x", "sftp://127.0.0.2:%d/x", "tftp://127.0.0.2",
           "telnet://127.0.0.2:%d", "data:text/plain,#EXTM3U",
           "javascript:alert(1)", "\\\\127.0.0.2\\x", " http://127.0.0.2:%d/",
           "http:\\\\127.0.0.2:%d\\", "ws://127.0.0.2:%d/", "//127.0.0.2:%d/x",
           "http://127.0.0.2:%d\\@8.8.4.4/", "http:127.0.0.2:%d/"]

PORTS = ["http://8.8.4.4:25/", "http://8.8.4.4:6379/", "http://8.8.4.4:22/",
         "https://8.8.4.4:11211/"]

PLACES = ("detail", "master", "media", "segment", "map", "key",
          "redirect-api", "redirect-master", "redirect-media",
          "redirect-segment")


def hostile(trap):
    out = ["http://%s:%d/x" % (h, trap) for h in HOSTS]
    out += [(s % trap if "%d" in s else s) for s in SCHEMES] + PORTS
    return out


class Platform(http.server.ThreadingHTTPServer):
    """channel i is on the air and has its hostile URL in its place"""
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, cases):
        self.cases = cases
        self.asked = collections.Counter()
        super().__init__(("127.0.0.3", 0), Handler)
        self.base = "http://127.0.0.3:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def say(self, body, status=200, location=None):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        if location is not None:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        m = re.match(r"/(?:polling|service)/v\d(?:\.\d)?/channels/([0-9a-f]+)"
                     r"/live-(status|detail)|/(master|media|segment)/(\d+)",
                     self.path)
        if not m:
            return self.say("", 404)
        i = int(m.group(1), 16) if m.group(1) else int(m.group(4))
        what = m.group(2) or m.group(3)
        place, url = self.server.cases[i]
        self.server.asked[place, what] += 1
        if place == "redirect-api" and what == "detail" \
                or place == "redirect-" + what:
            return self.say("", 302, url.encode().decode("latin-1"))
        if what in ("status", "detail"):
            return self.say(self.answer(i, what == "detail"))
        if what == "segment":
            return self.say((b"\x47" + bytes(187)) * 20)
        return self.say(getattr(self, what)(i, place, url))

    def answer(self, i, detail):
        place, url = self.server.cases[i]
        content = {"liveTitle": "t", "status": "OPEN", "adult": False,
                   "concurrentUserCount": 1, "openDate": None,
                   "closeDate": None, "channelId": "%032x" % i}
        if detail:
            content["liveId"] = 7
            content["livePlaybackJson"] = json.dumps({
                "meta": {"liveId": "7"}, "live": {"status": "STARTED"},
                "media": [{"mediaId": "HLS", "protocol": "HLS",
                           "path": url if place == "detail" else
                           "%s/master/%d" % (self.server.base, i),
                           "encodingTrack": []}]})
        return json.dumps({"code": 200, "content": content})

    def master(self, i, place, url):
        return ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n%s\n"
                % (url if place == "master" else "/media/%d" % i))

    def media(self, i, place, url):
        n = int(time.time() * 2)
        out = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:1",
               "#EXT-X-MEDIA-SEQUENCE:%d" % n]
        if place == "map":
            out.append('#EXT-X-MAP:URI="%s"' % url)
        if place == "key":
            out.append('#EXT-X-KEY:METHOD=AES-128,URI="%s"' % url)
        for k in range(4):
            out += ["#EXTINF:0.5,", url if place in ("segment", "media") and k
                    else "/segment/%d?%d" % (i, n + k)]
        return "\n".join(out) + "\n"


class Traps(threading.Thread):
    """listeners on loopback, IPv4 and IPv6, all addresses but the allowed"""

    def __init__(self):
        super().__init__(daemon=True)
        self.sockets = []
        self.accepted = []
        self.ended = False
        self.port = 0
        for family, addresses in ((socket.AF_INET, ("127.0.0.2",
                                                    "127.0.0.1")),
                                  (socket.AF_INET6, ("::1",))):
            for a in addresses:
                s = socket.socket(family)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind((a, self.port))
                except OSError:                # a machine without IPv6
                    continue
                self.port = s.getsockname()[1]
                s.listen(64)
                self.sockets.append(s)

    def run(self):
        while not self.ended:
            for s in select.select(self.sockets, [], [], 0.2)[0]:
                c, who = s.accept()
                self.accepted.append("%s from %s" % (s.getsockname(), who))
                c.close()


def addresses(f, lab, allow="127.0.0.3"):
    """"allow" lets a planted defect in"""
    traps = Traps()
    traps.start()
    cases = [(p, u) for p in PLACES for u in hostile(traps.port)]
    f.rng.shuffle(cases)
    cases = cases[:80] if f.short else cases
    cases += [("good", "")] * 2
    platform = Platform(cases)
    trace = lab.dir + "/connects"
    with open(trace, "w"):
        os.chmod(trace, 0o666)

    pg = lab.postgres(shared=f.short)
    x = lab.nginx(pg, workers=2, start=False, platform="api %s;" % platform.base,
                  mntreamer="poll_rate 1000r/s;", backoff="2s",
                  env={"LD_PRELOAD": TOP + "/build/figures/connect_preload.so",
                       "MNT_CONNECT_LOG": trace})

    # the platform is alone on the address that is allowed

    with open(x.dir + "/nginx.conf") as c:
        text = c.read().replace("fetch_allow 127.0.0.0/8;",
                                "fetch_allow %s;" % allow)

    with open(x.dir + "/nginx.conf", "w") as c:
        c.write(text)
    x.start().up()
    add(pg, x, 0, len(cases) - 1)

    until(lambda: len([r for r in x.recordings("&status=recording")
                       if r["segments"] > 4]) >= 2, "the good ones", 60)
    until(lambda: x.rows("SELECT FROM streamer_monitor WHERE last_at IS NULL")
          == [], "all are asked about", 60)
    time.sleep(4 if f.short else 20)

    f.value("hostile URLs", len(cases) - 2)
    seen = collections.Counter()
    with open(trace) as t:
        for line in t:
            seen[line.rstrip("\n")] += 1
    allowed = "127.0.0.3 %d" % platform.server_address[1]
    public = re.compile(r"8\.8\.4\.4 (80|443)$")
    wrong = [s for s in seen if s != allowed and not public.match(s)]
    f.fails("connect() to %s, %d times" % (s, seen[s]) for s in wrong)
    f.require(seen[allowed] > 10, "the trace saw nothing")
    f.fails("a forbidden listener was reached: " + a for a in traps.accepted)
    f.value("connects", "%d to the platform, %d to forbidden addresses"
            % (seen[allowed], sum(seen[s] for s in wrong)))
    f.value("accepts by honeypots", len(traps.accepted))
    for p in PLACES:
        what = {"detail": "detail", "master": "master", "redirect-api":
                "detail"}.get(p, p.replace("redirect-", ""))
        what = {"map": "media", "key": "media"}.get(what, what)
        f.require(platform.asked[p, what] > 0 or f.short,
                  "nobody got as far as \"%s\"" % p)
    traps.ended = True
    f.fails(checker.check_log(x))
    text = x.log()
    f.require("root:x:0:0" not in text, "a file was read")
    platform.shutdown()


def run(f):
    with Lab(f.seed, "scale") as lab:
        addresses(f, lab)
    with Lab(f.seed, "scale") as lab:
        channels(f, lab)


def control(f):
    """a module that does not look at addresses must be found"""
    with Lab(f.seed, "scale") as lab:
        addresses(f, lab, "127.0.0.0/8 ::1")
