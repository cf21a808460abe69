"""bench.py rtmp: own broadcasts.

CPU of a broadcast against nginx-rtmp alone, how often its bytes are written,
how soon it can be played, and how far players are behind its camera: the
picture bears its own number as sixteen bright or dark bars, publishers send it
by the clock, and whoever plays it tells which number is seen when.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import bench

sys.path.insert(0, bench.TOP + "/t/lib")

RTMP = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
FPS = 25
MUX_DELAY = 0.7                 # hls_muxdelay of nginx-rtmp
say, fmt, verdict = bench.say, bench.fmt, bench.verdict


def picture(path, seconds, gop):
    """the number of each picture as bars, and a tone"""
    subprocess.run([
        "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
        "color=size=256x32:rate=%d,geq=lum='255*mod(floor(N/pow(2,"
        "floor(X/16))),2)':cb=128:cr=128,pad=256:144" % FPS, "-f", "lavfi",
        "-i", "sine=sample_rate=48000", "-t", str(seconds), "-c:v", "libx264",
        "-preset", "ultrafast", "-tune", "zerolatency", "-crf", "20", "-bf",
        "0", "-g", str(gop * FPS), "-keyint_min", str(gop * FPS),
        "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", path],
        check=True)


def heavy(path):
    """six seconds of 720p30, 3 Mbit/s"""
    subprocess.run([
        "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
        "testsrc2=size=1280x720:rate=30", "-f", "lavfi", "-i",
        "sine=sample_rate=48000", "-t", "6", "-c:v", "libx264", "-preset",
        "ultrafast", "-b:v", "2900k", "-minrate", "2900k", "-maxrate", "2900k",
        "-bufsize", "2900k", "-x264-params", "nal-hrd=cbr:keyint=60", "-bf",
        "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", path],
        check=True)


class Server(bench.Nginx):
    """One worker with nginx-rtmp.  How: "alone", HLS in one application;
    "relayed", alone with two of them; "threads", this with the threads that
    nginx starts for whoever wants some; "hooks", with ours but not recorded;
    "recorded"."""

    def __init__(self, pg, how, fragment=2):
        bench.Nginx.count += 1
        self.pg = pg
        self.how = how
        self.dir = tempfile.mkdtemp(prefix="mntbench-")
        os.chmod(self.dir, 0o755)
        for d in ("storage", "live"):
            os.mkdir("%s/%s" % (self.dir, d))
            if not os.geteuid():
                shutil.chown("%s/%s" % (self.dir, d), "nobody")
        self.port, self.rtmp, hooks = [bench.free_port() for _ in range(3)]
        self.db = "bench%d" % bench.Nginx.count
        ours = how in ("hooks", "recorded")
        url = "http://127.0.0.1:%d/rtmp" % hooks
        hls = """hls on; hls_path %s/live; hls_nested on; hls_fragment %dms;
            hls_playlist_length 30s;""" % (self.dir, fragment * 750)
        if ours:
            pg.sql("CREATE DATABASE " + self.db)
        conf = ["user nobody nogroup;" if not os.geteuid() else "",
                "load_module %s;" % bench.MODULE if ours else "",
                "load_module %s;" % RTMP,
                """daemon on; worker_processes 1; pid %s/nginx.pid;
                error_log %s/error.log warn; rtmp_auto_push off;
                events { worker_connections 4096; }""" % (self.dir, self.dir),
                "thread_pool default threads=32;" if how == "threads" else ""]
        if ours:
            conf.append("""mntreamer {
                database "host=%s user=postgres dbname=%s"; storage %s/storage;
                %s }""" % (pg.dir, self.db, self.dir,
                           "platform rtmp { hls_path %s/live; renditions none; "
                           "thumbnail off; }" % self.dir
                           if how == "recorded" else ""))
        if how == "alone":
            apps = "application ingest { live on; %s }" % hls
        elif how in ("relayed", "threads"):
            apps = """application ingest { live on;
                    push rtmp://127.0.0.1:%d/live; }
                application live { live on; %s }""" % (self.rtmp, hls)
        else:
            apps = """application ingest { live on; deny play all;
                    drop_idle_publisher 30s; notify_method post;
                    notify_relay_redirect on; notify_update_timeout 5s;
                    notify_update_strict on; on_publish %s;
                    on_publish_done %s; on_update %s; }
                application live { live on; allow publish 127.0.0.1;
                    deny publish all; notify_method post; on_publish %s;
                    on_play %s; %s }""" % (url, url, url, url, url, hls)
        conf.append("rtmp { access_log off; server { listen 127.0.0.1:%d; %s %s }"
                    " }" % (self.rtmp, "" if how == "alone" else
                            "chunk_size 16384;", apps))
        conf.append("""http { include /etc/nginx/mime.types; access_log off;
            sendfile on; tcp_nopush on;
            server { listen 127.0.0.1:%d;
                location / { root %s/www; }
                location /vendor/ {
                    alias %s/build/npm/node_modules/hls.js/dist/; } %s } %s }
            """ % (self.port, bench.TOP, bench.TOP, """
                location /recordings/ { mntreamer_recordings; }
                location /api/ { mntreamer_api; }
                location = /metrics { mntreamer_metrics; }""" if ours else "",
                """server { listen 127.0.0.1:%d; location = /rtmp {
                mntreamer_rtmp port=%d; } }""" % (hooks, self.rtmp)
                if ours else ""))
        with open(self.dir + "/nginx.conf", "w") as f:
            f.write("\n".join(conf))
        if subprocess.run([bench.NGINX, "-p", self.dir, "-e",
                           self.dir + "/error.log", "-c",
                           self.dir + "/nginx.conf"]).returncode:
            raise SystemExit("nginx did not start")
        with open(self.dir + "/nginx.pid") as f:
            self.master = int(f.read())
        self.worker = self.find_worker()
        if ours:
            self.wait(lambda: self.metric("mntreamer_db_up") == 1, 20, "up")

    def post(self, path, what=None):
        r = urllib.request.Request(
            "http://127.0.0.1:%d%s" % (self.port, path), method="POST",
            data=json.dumps(what).encode() if what else b"",
            headers={"Content-Type": "application/json"} if what else {})
        return json.load(urllib.request.urlopen(r))

    def keys(self, n):
        """stream keys, or just names"""
        if self.how in ("alone", "relayed", "threads"):
            return ["%s%d" % (self.how, i) for i in range(n)]
        out = []
        for i in range(n):
            s = self.post("/api/v1/streamers",
                          {"platform": "rtmp", "channel": "c%d" % i})
            out.append(self.post("/api/v1/streamers/%d/key" % s["id"])["key"])
        return out

    def recordings(self):
        return json.loads(self.get("/api/v1/recordings"))["items"]


class Publisher:
    def __init__(self, x, clip, keys):
        self.p = subprocess.Popen(
            ["python3", bench.TOP + "/t/lib/rtmp.py", "play", clip]
            + ["rtmp://127.0.0.1:%d/ingest/%s" % (x.rtmp, k) for k in keys],
            stdout=subprocess.PIPE, text=True)
        self.began = []
        for _ in keys:
            word = self.p.stdout.readline().split()
            if word[0] != "on":
                raise SystemExit("a publisher was refused")
            self.began.append(float(word[2]))

    def stop(self):
        self.p.terminate()
        self.p.wait()
        self.p.stdout.close()


def on_disk(top):
    """bytes of the blocks of all files below, each inode once; and of the
    media that are recorded"""
    seen, media = {}, 0
    for where, _, names in os.walk(top):
        for name in names:
            try:
                s = os.stat(os.path.join(where, name))
            except FileNotFoundError:
                continue
            if s.st_ino not in seen and name.endswith(".ts"):
                media += s.st_size
            seen[s.st_ino] = s.st_blocks * 512
    return sum(seen.values()), media


def written(pid):
    with open("/proc/%d/io" % pid) as f:
        return int(f.read().split("write_bytes: ")[1].split()[0])


def cost(pg, how, clip, n, seconds):
    """CPU of the worker for each broadcast and second, in milliseconds"""
    x = Server(pg, how)
    try:
        p = Publisher(x, clip, x.keys(n))
        x.wait(lambda: len(os.listdir(x.dir + "/live")) == n, 20, "HLS")
        if how == "recorded":
            x.wait(lambda: sum(r["segments"] > 0 for r in x.recordings()) == n,
                   20, "recordings")
        time.sleep(3)
        out = {"from": on_disk(x.dir)[1]}
        c, w, t = bench.proc_cpu(x.worker), written(x.worker), time.time()
        d = sum(map(bench.proc_cpu, pg.processes()))
        time.sleep(seconds)
        t = time.time() - t
        out["cpu"] = (bench.proc_cpu(x.worker) - c) * 1000 / t / n
        d = sum(map(bench.proc_cpu, pg.processes())) - d
        out["db"] = d * 1000 / t / n
        out["written"] = written(x.worker) - w
        blocks, media = on_disk(x.dir)
        out["blocks"] = blocks / media
        out["media"] = media - out["from"]
        p.stop()
        return out
    finally:
        x.stop()


def idle(pg, seconds):
    """of the worker that has nothing to do, in milliseconds a second"""
    x = Server(pg, "recorded")
    try:
        time.sleep(3)
        c, t = bench.proc_cpu(x.worker), time.time()
        time.sleep(seconds)
        return (bench.proc_cpu(x.worker) - c) * 1000 / (time.time() - t)
    finally:
        x.stop()


def bench_cost(pg, a):
    clip = a.dir + "/heavy.flv"
    heavy(clip)
    size = os.path.getsize(clip) * 8 / 6 / 1e6
    n = a.publishers
    say("rtmp: %d broadcasts of %.1f Mbit/s, 720p30, fragments of 2 s, one "
        "worker, %d rounds of %d s" % (n, size, a.rounds, a.seconds))
    hows = ["alone", "relayed", "threads", "hooks", "recorded"]
    runs = {h: [] for h in hows}
    for i in range(a.rounds):
        for how in (hows if i % 2 else hows[::-1]):
            bench.touch_memory()
            runs[how].append(cost(pg, how, clip, n, a.seconds))

    def cpu(how):
        return [r["cpu"] for r in runs[how]]

    def ratio(how, base):
        return statistics.median(x / y for x, y in zip(cpu(how), cpu(base)))

    what = {"alone": "nginx-rtmp alone, one application",
            "relayed": "nginx-rtmp alone, relayed to another one",
            "threads": "the same in a worker with idle threads",
            "hooks": "with our hooks, not recorded",
            "recorded": "with our hooks, recorded"}
    for how in hows:
        say("rtmp: CPU of a broadcast, %-41s %s"
            % (what[how] + ":", fmt(cpu(how), " ms/s")))
    say("rtmp: and of PostgreSQL, recorded: %s"
        % fmt([r["db"] for r in runs["recorded"]], " ms/s"))
    say("rtmp: and of a worker without any broadcast: %.3g ms/s"
        % idle(pg, a.seconds))
    ok = verdict("rtmp: CPU against nginx-rtmp alone",
                 ratio("recorded", "alone"), 1.1)
    ok &= verdict("rtmp: CPU against nginx-rtmp alone, relayed",
                  ratio("recorded", "relayed"), 1.1)
    say("rtmp: of it the relay %.3f, threads %.3f, hooks %.3f, recording %.3f"
        % (ratio("relayed", "alone"), ratio("threads", "relayed"),
           ratio("hooks", "threads"), ratio("recorded", "hooks")))
    ok &= verdict("rtmp: blocks on disk for a byte of media, live and stored",
                  statistics.median(r["blocks"] for r in runs["recorded"]),
                  1.05)
    say("rtmp: bytes that the worker wrote for a byte of media: recorded %s, "
        "nginx-rtmp alone %s"
        % tuple(fmt([r["written"] / max(1, r["media"]) for r in runs[how]])
                for how in ("recorded", "alone")))
    return ok


def listed(x, url):
    """seconds and number of what is listed"""
    n, total = 0, 0.0
    for line in x.get(url).splitlines():
        if line.startswith("#EXTINF:"):
            total += float(line[8:].rstrip(","))
            n += 1
    return total, n


def first_playable(pg, clip, fragment, rounds):
    """ms from "you may publish" to a playlist whose segment is there"""
    x = Server(pg, "recorded", fragment)
    try:
        out = []
        for key in x.keys(rounds):
            p = Publisher(x, clip, [key])
            while True:
                r = x.recordings()
                if len(r) == len(out) + 1 and r[0]["url"]:
                    try:
                        if listed(x, r[0]["url"])[1]:
                            x_url = r[0]["url"].rsplit("/", 1)[0]
                            urllib.request.urlopen(
                                "http://127.0.0.1:%d%s/000001.ts"
                                % (x.port, x_url)).read()
                            break
                    except OSError:
                        pass
                if time.time() - p.began[0] > 30:
                    raise SystemExit("nothing to play")
                time.sleep(0.02)
            out.append((time.time() - p.began[0]) * 1000)
            p.stop()
        return out
    finally:
        x.stop()


def numbers_of(row):
    return sum((v > 128) << i for i, v in enumerate(row))


def ffmpeg_sees(url, seconds):
    """(when, number) of each picture; it begins three segments before the
    end, as players do"""
    p = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-nostdin", "-fflags", "nobuffer",
         "-live_start_index", "-3", "-re", "-i", url, "-an", "-vf",
         "crop=256:32:0:0,scale=16:1:flags=area", "-threads", "1", "-f",
         "rawvideo", "-pix_fmt", "gray", "-"], stdout=subprocess.PIPE)
    out, end = [], time.time() + seconds
    while time.time() < end:
        row = p.stdout.read(16)
        if len(row) < 16:
            break
        out.append((time.time(), numbers_of(row)))
    p.kill()
    p.wait()
    p.stdout.close()
    return out


def browser_sees(base, recording, seconds):
    """the same of the page, from its button "live" on"""
    r = subprocess.run(
        ["node", bench.TOP + "/t/bench/player.mjs", base, str(recording),
         str(seconds)], stdout=subprocess.PIPE, check=True,
        env=dict(os.environ, MNT_NODE=bench.TOP + "/build/npm"))
    return [(v[0] / 1000, numbers_of(v[1:])) for v in
            json.loads(r.stdout.decode())]


def edge_ages(x, url, began, seconds):
    """how old the newest picture is when its segment is listed"""
    first = min(float(v) for v in subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of",
         "csv=p=0", "http://127.0.0.1:%d%s/000001.ts"
         % (x.port, url.rsplit("/", 1)[0])], stdout=subprocess.PIPE,
        check=True).stdout.decode().replace(",", " ").split()) - MUX_DELAY
    out, before = [], listed(x, url)[1]
    end = time.time() + seconds
    while time.time() < end:
        total, n = listed(x, url)
        if n > before:
            out.append(time.time() - began - first - total)
            before = n
        time.sleep(0.02)
    return out


def bench_delay(pg, a, fragment, target):
    clip = "%s/clock%d.flv" % (a.dir, fragment)
    picture(clip, 100, fragment)
    name = "rtmp, fragments of %d s" % fragment
    ms = first_playable(pg, clip, fragment, a.rounds)
    say("%s: from publish to what can be played %s" % (name, fmt(ms, " ms")))
    x = Server(pg, "recorded", fragment)
    ok = True
    try:
        p = Publisher(x, clip, x.keys(1))
        x.wait(lambda: x.recordings() and x.recordings()[0]["segments"] > 5,
               40, "six segments")
        r = x.recordings()[0]
        base = "http://127.0.0.1:%d" % x.port
        age = edge_ages(x, r["url"], p.began[0], 4 * fragment + 1)
        say("%s: from the camera to the list, at the end of a segment %s"
            % (name, fmt(age, " s")))
        for player, sees in (
                ("ffmpeg", lambda: ffmpeg_sees(base + r["url"], a.watch)),
                ("hls.js", lambda: browser_sees(base + "/", r["id"],
                                                a.watch))):
            seen = sees()
            late = [t - p.began[0] - n / FPS for t, n in seen
                    if t > seen[0][0] + 3]
            if not late:
                raise SystemExit("%s shows nothing" % player)
            say("%s: camera to %s %s" % (name, player, fmt(late, " s")))
            ok &= verdict("%s: %s, s, at most" % (name, player), max(late),
                          target)
        p.stop()
        return ok
    finally:
        x.stop()


def run(a):
    pg = bench.Postgres()
    a.dir = tempfile.mkdtemp(prefix="mntclips-")
    try:
        ok = True
        if a.part in ("all", "cost"):
            ok &= bench_cost(pg, a)
        if a.part in ("all", "delay"):
            ok &= bench_delay(pg, a, 2, 10)
            ok &= bench_delay(pg, a, 1, 4)
        return ok
    finally:
        pg.stop()
