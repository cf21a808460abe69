#!/usr/bin/env python3
"""The benches: what the module costs, as a ratio against a baseline that ran in
turn with it, in the same minutes on the same machine.

    bench.py record [--channels 1,50,200] [--rounds 3] [--seconds 10]
    bench.py poll   [--streamers 100000] [--rounds 5] [--seconds 6]
    bench.py serve  [--rounds 15] [--seconds 1]
    bench.py live   [--rounds 5] [--seconds 3]
    bench.py rtmp   [--publishers 20] [--part cost|delay] [--rounds 3]
                    [--seconds 10] [--watch 15]
    bench.py jobs   [--rounds 5] [--seconds 5]

Each prints what it did, every figure as a median with its extremes, the ratio
and the target.  Figures of one machine say little about another; the ratios do.
"""

import argparse
import atexit
import json
import mmap
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.join(TOP, "build/bench")
MODULE = os.environ.get("MNT_MODULE",
                        os.path.join(TOP, "build/ngx_mntreamer_module.so"))
NGINX = os.environ.get("TEST_NGINX_BINARY", "/usr/sbin/nginx")
TICK = os.sysconf("SC_CLK_TCK")
KIB = 1024


def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


def say(*a):
    print(*a, flush=True)


def fmt(values, unit=""):
    return "%.3g%s (%.3g .. %.3g)" % (statistics.median(values), unit,
                                      min(values), max(values))


def verdict(name, value, target, less=True):
    ok = value <= target if less else value >= target
    say("%-52s %8.3f   target %s %g   %s"
        % (name, value, "<=" if less else ">=", target,
           "met" if ok else "MISSED"))
    return ok


def touch_memory():
    """Page cache of a virtual machine that gives free pages back to its host is
    dear the first time; what is measured must not pay for it."""
    with open("/proc/meminfo") as f:
        free = int(re.search(r"MemFree:\s+(\d+)", f.read()).group(1)) * KIB
    with mmap.mmap(-1, min(free * 2 // 3, 3 << 30)) as m:
        for i in range(0, len(m), mmap.PAGESIZE):
            m[i] = 1


def scratch():
    """A directory for all others, removed at the end.  Whenever ext4 makes a
    file it looks over the inodes of the group that were freed in the last
    minutes, up to 0.35 ms a segment: so nothing is removed in between, and
    below a directory that is +T each gets a group of its own."""
    d = tempfile.mkdtemp(prefix="mntbench-")
    os.chmod(d, 0o755)
    subprocess.run(["chattr", "+T", d], stderr=subprocess.DEVNULL)
    atexit.register(shutil.rmtree, d, ignore_errors=True)
    tempfile.tempdir = d


def empty(path):
    """gives the bytes back"""
    for where, _, names in os.walk(path):
        for name in names:
            os.truncate(os.path.join(where, name), 0)


def create_us():
    """CPU microseconds for making a file where recordings are made"""
    d = tempfile.mkdtemp(prefix="mntnew-")
    t = time.thread_time()
    for i in range(200):
        os.close(os.open("%s/%d" % (d, i), os.O_CREAT | os.O_WRONLY))
    return (time.thread_time() - t) * 1e6 / 200


def as_postgres(cmd):
    if os.geteuid():
        return cmd
    return ["setpriv", "--reuid=postgres", "--regid=postgres",
            "--clear-groups"] + cmd


class Postgres:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="mntpg-")
        os.chmod(self.dir, 0o755)
        if not os.geteuid():
            shutil.chown(self.dir, "postgres", "postgres")
        versions = sorted(os.listdir("/usr/lib/postgresql"), key=int)
        self.bin = "/usr/lib/postgresql/%s/bin" % versions[-1]
        self.run("initdb", "-D", self.dir + "/data", "-U", "postgres", "-A",
                 "trust", "-E", "UTF8", "--locale=C.UTF-8")
        with open(self.dir + "/data/postgresql.conf", "a") as f:
            f.write("listen_addresses=''\nunix_socket_directories='%s'\n"
                    "shared_buffers=256MB\nmax_connections=100\n" % self.dir)
        self.run("pg_ctl", "-D", self.dir + "/data", "-w", "-l",
                 self.dir + "/log", "start")

    def run(self, tool, *args):
        subprocess.run(as_postgres(["%s/%s" % (self.bin, tool)] + list(args)),
                       check=True, stdout=subprocess.DEVNULL, cwd="/")

    def sql(self, text, db="postgres"):
        out = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-h", self.dir,
                              "-U", "postgres", "-d", db, "-c", text],
                             check=True, stdout=subprocess.PIPE)
        return out.stdout.decode().strip()

    def processes(self):
        with open(self.dir + "/data/postmaster.pid") as f:
            top = int(f.readline())
        with open("/proc/%d/task/%d/children" % (top, top)) as f:
            return [top] + [int(p) for p in f.read().split()]

    def stop(self):
        self.run("pg_ctl", "-D", self.dir + "/data", "-m", "immediate", "-w",
                 "stop")


class Origin:
    def __init__(self, live, segment="1000000", ms=2000):
        self.port = free_port()
        self.base = "http://127.0.0.1:%d" % self.port
        self.ms = ms
        self.size = (os.path.getsize(segment) if os.path.exists(segment)
                     else int(segment) // 188 * 188)
        self.p = subprocess.Popen([BUILD + "/origin", str(self.port), str(live),
                                   str(segment), str(ms)],
                                  stdout=subprocess.PIPE)
        self.p.stdout.readline()

    def ask(self, what="stat"):
        return json.load(urllib.request.urlopen("%s/%s" % (self.base, what)))

    def stop(self):
        self.p.terminate()
        self.p.wait()
        self.p.stdout.close()


def proc_cpu(pid):
    """of all threads, in nanoseconds where the kernel tells them"""
    try:
        total = 0
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
                total += int(f.read().split()[0])
        return total / 1e9
    except OSError:
        with open("/proc/%d/stat" % pid) as f:
            v = f.read().rsplit(")", 1)[1].split()
        return (int(v[11]) + int(v[12])) / TICK


def proc_rss(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def proc_rss_during(pid, seconds):
    """five times a second"""
    out = []
    end = time.time() + seconds
    while time.time() < end:
        out.append(proc_rss(pid))
        time.sleep(0.2)
    return out


class Nginx:
    """One worker with the module, and the same files by alias."""

    count = 0

    def __init__(self, pg, origin=None, streamers=(), extra=""):
        Nginx.count += 1
        self.dir = tempfile.mkdtemp(prefix="mntbench-")
        os.chmod(self.dir, 0o755)
        os.mkdir(self.dir + "/storage")
        if not os.geteuid():
            shutil.chown(self.dir + "/storage", "nobody")
        self.port = free_port()
        self.pg = pg
        self.db = "bench%d" % Nginx.count
        pg.sql("CREATE DATABASE " + self.db)
        load = "load_module %s;" % MODULE
        api = ("platform chzzk { api %s; }" % origin.base) if origin else ""
        with open(self.dir + "/streamers.conf", "w") as f:
            for i in streamers:
                f.write("streamer chzzk %032x;\n" % i)
        block = """mntreamer {
            database "host=%s user=postgres dbname=%s";
            storage %s/storage; fetch_allow 127.0.0.0/8; %s %s
            include %s/streamers.conf;
        }""" % (pg.dir, self.db, self.dir, api, extra, self.dir)
        locations = """location /plain/ { alias %s/storage/;
                types { video/mp2t ts; application/vnd.apple.mpegurl m3u8; }
            }
            location /recordings/ { mntreamer_recordings; }
            location /api/ { mntreamer_api; }
            location = /metrics { mntreamer_metrics; }""" % self.dir
        with open(self.dir + "/nginx.conf", "w") as f:
            f.write("""%s
            %s
            daemon on; worker_processes 1; pid %s/nginx.pid;
            error_log %s/error.log warn;
            events { worker_connections 8192; }
            %s
            http { include /etc/nginx/mime.types; access_log off; sendfile on;
                tcp_nopush on; keepalive_requests 1000000;
                server { listen 127.0.0.1:%d; %s } }
            """ % ("" if os.geteuid() else "user nobody nogroup;", load, self.dir,
                   self.dir, block, self.port, locations))
        if subprocess.run([NGINX, "-p", self.dir, "-e",
                           self.dir + "/error.log", "-c",
                           self.dir + "/nginx.conf"]).returncode:
            shutil.rmtree(self.dir)
            raise SystemExit("nginx did not start")
        with open(self.dir + "/nginx.pid") as f:
            self.master = int(f.read())
        self.worker = self.find_worker()

    def find_worker(self):
        end = time.time() + 5
        while time.time() < end:
            for pid in os.listdir("/proc"):
                if pid.isdigit():
                    try:
                        with open("/proc/%s/stat" % pid) as f:
                            v = f.read().rsplit(")", 1)[1].split()
                    except OSError:
                        continue
                    if int(v[1]) == self.master:
                        return int(pid)
            time.sleep(0.05)
        raise SystemExit("no worker")

    def get(self, path):
        return urllib.request.urlopen("http://127.0.0.1:%d%s"
                                      % (self.port, path)).read().decode()

    def metric(self, name):
        total = 0.0
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def wait(self, cond, seconds, what):
        end = time.time() + seconds
        while time.time() < end:
            try:
                if cond():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        say(open(self.dir + "/error.log").read()[-2000:])
        raise SystemExit("waited in vain: " + what)

    def stop(self):
        os.kill(self.master, signal.SIGTERM)
        end = time.time() + 10
        while os.path.exists("/proc/%d" % self.master) and time.time() < end:
            time.sleep(0.05)
        if os.path.exists("/proc/%d" % self.master):
            say("nginx did not end in 10 s and is killed")
            os.kill(self.worker, signal.SIGKILL)
            os.kill(self.master, signal.SIGKILL)
        empty(self.dir)


def real_segment(path):
    """2 s of 720p60 with stereo sound, about 1 MB, that ffmpeg can copy"""
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                    "testsrc2=size=1280x720:rate=60:duration=2", "-f", "lavfi",
                    "-i", "sine=sample_rate=48000:duration=2", "-c:v",
                    "libx264", "-preset", "ultrafast", "-b:v", "3250k",
                    "-minrate", "3250k", "-maxrate", "3250k", "-bufsize",
                    "3250k", "-x264-params", "nal-hrd=cbr:keyint=120", "-c:a",
                    "aac", "-ac", "2", "-b:a", "192k", "-f", "mpegts", path],
                   check=True)


def record_ours(pg, origin, n, seconds, durability):
    """cpu seconds and gigabytes in steady state, memory, completeness"""
    before = origin.ask("go")
    x = Nginx(pg, origin, range(n), "durability %s; poll_rate 10000r/s;"
              % durability)
    try:
        x.wait(lambda: x.metric("mntreamer_recording") >= n, 60,
               "%d recordings" % n)
        time.sleep(2)
        c0, b0 = proc_cpu(x.worker), x.metric("mntreamer_stored_bytes_total")
        rss = proc_rss_during(x.worker, seconds)
        c1, b1 = proc_cpu(x.worker), x.metric("mntreamer_stored_bytes_total")
        after = quiet(x, origin)
        return {"cpu": c1 - c0, "gb": (b1 - b0) / 1e9, "most": max(rss),
                "rss": statistics.median(rss[len(rss) // 2:]),
                "bad": complete(x, n, origin,
                                after["delivered"] - before["delivered"],
                                after["clock"])}
    finally:
        x.stop()


def quiet(x, origin):
    """stops the playlists and waits until nothing is under way"""
    origin.ask("hold")
    seen = [None]

    def same():
        now = (origin.ask()["delivered"],
               x.metric("mntreamer_segments_total"))
        idle = now == seen[0] and not x.metric("mntreamer_commits_pending")
        seen[0] = now
        time.sleep(2.2)
        return idle

    x.wait(same, 30, "quiet")
    return origin.ask()


def complete(x, n, origin, delivered, clock):
    """What is wrong with what was stored: the journal must hold each number
    of the source once, from the first to the last one published, each a whole
    file that the playlist lists; and no more was fetched than is stored."""
    wrong = []
    stored = 0
    rows = x.pg.sql("SELECT channel_id || ' ' || path FROM media_record",
                    x.db).splitlines()
    if len(rows) != n:
        wrong.append("%d recordings of %d" % (len(rows), n))
    for row in rows:
        channel, path = row.split(" ", 1)
        i = int(channel, 16)
        d = "%s/storage/%s" % (x.dir, path)
        with open(d + "/.index.journal") as f:
            lines = [line.split() for line in f]
        segments = [v for v in lines if v[0] == "S"]
        numbers = [int(v[6]) for v in segments]
        with open(d + "/index.m3u8") as f:
            listed = [u for u in f.read().splitlines() if u and u[0] != "#"]
        last = (clock + i * 37 % origin.ms) // origin.ms + 99
        stored += len(segments)
        if numbers != list(range(numbers[0], last + 1)):
            wrong.append("channel %d: numbers %s, last published %d"
                         % (i, numbers, last))
        if listed != ["%06d.ts" % int(v[1]) for v in segments]:
            wrong.append("channel %d: the playlist lists %d of %d"
                         % (i, len(listed), len(segments)))
        wrong += ["channel %d: %s is not whole" % (i, u) for u in listed
                  if os.path.getsize("%s/%s" % (d, u)) != origin.size]
        wrong += ["channel %d: journal line %s" % (i, " ".join(v))
                  for v in lines if v[0] != "S"]
    if stored != delivered:
        wrong.append("%d segments delivered, %d stored" % (delivered, stored))
    for line in wrong[:5]:
        say("  " + line)
    return {"stored": stored, "wrong": len(wrong)}


def record_bare(origin, n, seconds):
    origin.ask("go")
    d = tempfile.mkdtemp(prefix="mntbare-")
    try:
        out = subprocess.run([BUILD + "/bare", "record", origin.base, str(n),
                              str(seconds), d], check=True,
                             stdout=subprocess.PIPE).stdout
        r = json.loads(out)
        return {"cpu": r["cpu"], "gb": r["bytes"] / 1e9, "rss": r["rss_kb"]}
    finally:
        empty(d)


def record_floor(origin, n, seconds):
    origin.ask("go")
    d = tempfile.mkdtemp(prefix="mntfloor-")
    try:
        out = subprocess.run([BUILD + "/floor", str(origin.port), str(n),
                              str(seconds), d], check=True,
                             stdout=subprocess.PIPE).stdout
        r = json.loads(out)
        return {"cpu": r["cpu"], "gb": r["bytes"] / 1e9}
    finally:
        empty(d)


def record_ffmpeg(origin, n, seconds):
    origin.ask("go")
    d = tempfile.mkdtemp(prefix="mntff-")
    ps = [subprocess.Popen(["ffmpeg", "-v", "quiet", "-nostdin", "-i",
                            "%s/h/%d/index.m3u8" % (origin.base, i), "-c",
                            "copy", "-f", "mpegts", "%s/%d.ts" % (d, i)],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
          for i in range(n)]

    def sample():
        return (sum(proc_cpu(p.pid) for p in ps),
                sum(os.path.getsize(os.path.join(d, f))
                    for f in os.listdir(d)))

    time.sleep(6)
    c0, b0 = sample()
    time.sleep(seconds)
    c1, b1 = sample()
    for p in ps:
        p.kill()
        p.wait()
    empty(d)
    return {"cpu": c1 - c0, "gb": (b1 - b0) / 1e9}


def bench_record(a):
    pg = Postgres()
    seg = os.path.join(pg.dir, "segment.ts")
    real_segment(seg)
    sizes = [int(n) for n in a.channels.split(",")]
    origin = Origin(max(sizes + [10]), seg)
    ok = True
    rss = {}
    say("segments of %.2f MB every 2 s, plain HTTP on loopback, %d rounds of "
        "%d s" % (origin.size / 1e6, a.rounds, a.seconds))
    say("to make a file costs %.0f us of CPU here" % create_us())
    try:
        ok &= record_ten(pg, origin, a)
        for n in sizes:
            met, rss[n] = record_size(pg, origin, n, a)
            ok &= met
        lo = min(sizes)
        for n in sorted(sizes)[1:]:
            ok &= verdict("memory per further recording, %d to %d, KiB"
                          % (lo, n), (rss[n] - rss[lo]) / (n - lo), 150)
    finally:
        origin.stop()
        pg.stop()
    return ok


def record_size(pg, origin, n, a):
    ours, bare, mem, most = [], [], [], []
    stored = wrong = 0
    for i in range(a.rounds if n > 1 else 1):
        touch_memory()
        if i % 2:
            r = record_bare(origin, n, a.seconds)
            bare.append(r["cpu"] / r["gb"])
        r = record_ours(pg, origin, n, a.seconds, "none")
        ours.append(r["cpu"] / r["gb"])
        mem.append(r["rss"])
        most.append(r["most"])
        stored += r["bad"]["stored"]
        wrong += r["bad"]["wrong"]
        if not i % 2:
            r = record_bare(origin, n, a.seconds)
            bare.append(r["cpu"] / r["gb"])
    ratio = statistics.median(o / b for o, b in zip(ours, bare))
    rss = statistics.median(mem)
    say("record %3d: CPU s per GB %s, bare libcurl %s, worker %d KiB, at most "
        "%d KiB" % (n, fmt(ours), fmt(bare), rss, statistics.median(most)))
    if n > 1:
        ok = verdict("record %d: CPU per GB against bare libcurl" % n, ratio,
                     1.3)
    else:
        ok = True
        say("record %d: ratio %.3f (too little work to judge by)" % (n, ratio))
    ok &= verdict("record %d: things wrong with %d segments" % (n, stored),
                  wrong, 0)
    return ok, rss


def record_ten(pg, origin, a):
    ours, ff, floor, durable = [], [], [], []
    wrong = 0
    for _ in range(a.rounds):
        touch_memory()
        r = record_floor(origin, 10, a.seconds)
        floor.append(r["cpu"] / r["gb"])
        r = record_ours(pg, origin, 10, a.seconds, "none")
        ours.append(r["cpu"] / r["gb"])
        wrong += r["bad"]["wrong"]
        r = record_ffmpeg(origin, 10, a.seconds)
        ff.append(r["cpu"] / r["gb"])
        r = record_ours(pg, origin, 10, a.seconds, "segment")
        durable.append(r["cpu"] / r["gb"])
        wrong += r["bad"]["wrong"]
    say("record  10: CPU s per GB %s, ffmpeg -c copy %s, durability segment %s"
        % (fmt(ours), fmt(ff), fmt(durable)))
    say("record  10: recv() and write() alone %s, against ffmpeg -c copy %.3f"
        % (fmt(floor), statistics.median(f / g for f, g in zip(floor, ff))))
    ok = verdict("record 10: CPU per GB against ffmpeg -c copy",
                 statistics.median(o / f for o, f in zip(ours, ff)), 0.2)
    ok &= verdict("record 10: things wrong", wrong, 0)
    say("record  10: durability segment costs %.2f times durability none"
        % statistics.median(s / o for s, o in zip(durable, ours)))
    return ok


def place(pids, cpus):
    for pid in pids:
        try:
            os.sched_setaffinity(pid, cpus)
        except ProcessLookupError:
            pass


def poll_bare(origin, seconds, cpus):
    p = subprocess.Popen([BUILD + "/bare", "poll", origin.base, "20000",
                          str(seconds), "64"], stdout=subprocess.PIPE)
    place([p.pid], cpus)
    r = json.loads(p.communicate()[0])
    return {"rate": r["requests"] / r["wall"],
            "cpu": r["cpu"] * 1e6 / r["requests"]}


def poll_ours(pg, origin, seconds, cpus):
    """40,000 streamers that are due twice a second: more than it can ask"""
    x = Nginx(pg, origin, [], "poll_rate 1000000r/s; backoff 500ms;"
              " backoff_jitter 0;")
    try:
        place([int(t) for t in os.listdir("/proc/%d/task" % x.worker)], cpus)
        fill(pg, x, 40000)
        x.wait(lambda: x.metric("mntreamer_probes_total") >= 80000, 60,
               "each was asked twice")
        db = int(pg.sql("SELECT pid FROM pg_stat_activity WHERE "
                        "application_name = 'mntreamer engine'", x.db))
        p0, d0, t0 = poll_sample(x)
        c0, e0 = proc_cpu(x.worker), proc_cpu(db)
        time.sleep(seconds)
        p1, d1, t1 = poll_sample(x)
        n = max(1, p1 - p0)
        return {"rate": n / (t1 - t0),
                "cpu": (proc_cpu(x.worker) - c0) * 1e6 / n,
                "db": (proc_cpu(db) - e0) * 1e6 / n,
                "ms": (d1 - d0) / n}
    finally:
        x.stop()


def poll_rounds(pg, origin, a, apart):
    """in turns, of which every other one begins with the bare loop; "apart":
    what is measured has one processor, all else the others"""
    every = os.sched_getaffinity(0)
    one = {min(every)} if apart else every
    rest = every - one if apart else every
    place(pg.processes() + [origin.p.pid], rest)
    ours, bare = [], []
    for i in range(a.rounds):
        if i % 2:
            bare.append(poll_bare(origin, a.seconds, one))
        ours.append(poll_ours(pg, origin, a.seconds, one))
        if not i % 2:
            bare.append(poll_bare(origin, a.seconds, one))
    place(pg.processes() + [origin.p.pid], every)
    where = ", each on a processor of its own" if apart else ""

    def of(what, runs=ours, unit=" us"):
        return fmt([r[what] for r in runs], unit)

    say("poll%s: probes a second of one worker %s, bare libcurl loop %s"
        % (where, of("rate", unit=""), of("rate", bare, "")))
    say("poll%s: CPU for each: worker %s, its database connection %s, "
        "bare libcurl loop %s" % (where, of("cpu"), of("db"),
                                  of("cpu", bare)))
    say("poll%s: database time per probe %s" % (where, of("ms", unit=" ms")))
    return [o["rate"] / b["rate"] for o, b in zip(ours, bare)]


def poll_ladder(pg, origin, a):
    x = Nginx(pg, origin, [], "poll_rate 1000000r/s; backoff 60s;")
    try:
        fill(pg, x, a.streamers, spread=60)
        time.sleep(5)
        h0 = histogram(x, "mntreamer_probe_lateness_seconds")
        p0, d0, t0 = poll_sample(x)
        time.sleep(max(60, a.seconds))
        h1 = histogram(x, "mntreamer_probe_lateness_seconds")
        p1, d1, t1 = poll_sample(x)
        say("poll: %d streamers, a 60 s ladder: %.0f probes a second, "
            "database time per probe %.3f ms"
            % (a.streamers, (p1 - p0) / (t1 - t0),
               (d1 - d0) / max(1, p1 - p0)))
        ok = verdict("poll: lateness p99, s", percentile(h0, h1, 0.99), 1)
        ok &= verdict("poll: probes of the due ones",
                      (p1 - p0) / (t1 - t0) / (a.streamers / 60.0), 0.9,
                      less=False)
        return ok
    finally:
        x.stop()


def bench_poll(a):
    pg = Postgres()
    origin = Origin(0)
    try:
        say("poll: PostgreSQL and the origin share the %d processors with "
            "the worker, the bare loop has no database" % os.cpu_count())
        ratios = poll_rounds(pg, origin, a, False)
        say("poll: of each round %s" % fmt(ratios))
        ok = verdict("poll: probes a second against bare libcurl",
                     statistics.median(ratios), 0.8, less=False)
        if len(os.sched_getaffinity(0)) > 1:
            say("poll, each on a processor of its own: ratio %s"
                % fmt(poll_rounds(pg, origin, a, True)))
        return ok & poll_ladder(pg, origin, a)
    finally:
        origin.stop()
        pg.stop()


def fill(pg, x, n, spread=0):
    x.wait(lambda: x.metric("mntreamer_db_up") == 1, 20, "the database")
    pg.sql("INSERT INTO streamer (platform, channel_id, source) SELECT "
           "(SELECT id FROM platform WHERE name = 'chzzk'), lpad(to_hex(i), 32, '0'), 'api' FROM generate_series(0, %d - 1) i;"
           "INSERT INTO streamer_monitor (streamer_id, check_at) SELECT id, "
           "now() + random() * %d * interval '1 second' FROM streamer "
           "ON CONFLICT DO NOTHING; ANALYZE; NOTIFY mntreamer, 'due'"
           % (n, spread), x.db)


def poll_sample(x):
    return (x.metric("mntreamer_probes_total"),
            1000 * x.metric("mntreamer_db_busy_seconds_total"), time.time())


def histogram(x, name):
    h = {}
    for line in x.get("/metrics").splitlines():
        m = re.match(re.escape(name) + r'_bucket\{le="([^"]+)"\} (\S+)', line)
        if m:
            h[float(m.group(1))] = float(m.group(2))
    return h


def percentile(h0, h1, q):
    d = sorted((le, h1[le] - h0.get(le, 0)) for le in h1)
    total = d[-1][1] if d else 0
    if not total:
        return float("inf")
    for le, n in d:
        if n >= q * total:
            return le
    return float("inf")


def wrk(x, path, seconds, connections=32):
    """requests a second, and CPU microseconds of the worker for each"""
    c0 = proc_cpu(x.worker)
    out = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds,
                          "http://127.0.0.1:%d%s" % (x.port, path)],
                         check=True, stdout=subprocess.PIPE).stdout.decode()
    c1 = proc_cpu(x.worker)
    if re.search(r"Non-2xx|Socket errors", out):
        raise SystemExit("wrk: errors from " + path)
    n = int(re.search(r"(\d+) requests in", out).group(1))
    return (float(re.search(r"Requests/sec:\s+(\S+)", out).group(1)),
            (c1 - c0) * 1e6 / n)


def bench_serve(a):
    pg = Postgres()
    ok = True
    files = {"segment of 1 MB": ("000001.ts", 1000000, 0.97),
             "segment of 50 KB": ("000002.ts", 50000, 0.97),
             "finished playlist of 1800 entries": ("index.m3u8", 0, 0.9)}
    x = None
    try:
        x = Nginx(pg)
        d = x.dir + "/storage/chzzk/c/2026/01/01/1"
        os.makedirs(d)
        for name, size, _ in files.values():
            with open(d + "/" + name, "wb") as f:
                if size:
                    f.write(os.urandom(size))
                else:
                    f.write(b"#EXTM3U\n#EXT-X-VERSION:6\n"
                            b"#EXT-X-TARGETDURATION:2\n"
                            b"#EXT-X-PLAYLIST-TYPE:EVENT\n")
                    for i in range(1800):
                        f.write(b"#EXT-X-PROGRAM-DATE-TIME:"
                                b"2026-09-27T08:52:05.007Z\n"
                                b"#EXTINF:2.000000,\n%06d.ts\n" % (i + 1))
                    f.write(b"#EXT-X-ENDLIST\n")
        subprocess.run(["chmod", "-R", "a+rX", x.dir + "/storage"], check=True)
        rel = "chzzk/c/2026/01/01/1/"
        x.wait(lambda: x.get("/recordings/" + rel + "index.m3u8"), 10, "files")
        for what, (name, _, target) in files.items():
            runs = {"recordings": [], "plain": []}
            for i in range(a.rounds):
                for where in sorted(runs, reverse=i % 2):
                    runs[where].append(wrk(x, "/%s/%s%s" % (where, rel, name),
                                           a.seconds))
            ours, plain = runs["recordings"], runs["plain"]
            say("serve %s: requests a second %s, nginx alias %s"
                % (what, fmt([o[0] for o in ours]),
                   fmt([p[0] for p in plain])))
            say("serve %s: CPU of the worker for each %s, nginx alias %s"
                % (what, fmt([o[1] for o in ours], " us"),
                   fmt([p[1] for p in plain], " us")))
            ok &= verdict("serve %s against alias" % what,
                          statistics.median(o[0] / p[0]
                                            for o, p in zip(ours, plain)),
                          target, less=False)
    finally:
        if x:
            x.stop()
        pg.stop()
    return ok


def bench_live(a):
    sys.modules.setdefault("bench", sys.modules[__name__])
    import live_bench
    return live_bench.run(a)


def bench_rtmp(a):
    sys.modules.setdefault("bench", sys.modules[__name__])
    import rtmp_bench
    return rtmp_bench.run(a)


def bench_jobs(a):
    sys.modules.setdefault("bench", sys.modules[__name__])
    import jobs_bench
    return jobs_bench.run(a)


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("what", choices=["record", "poll", "serve", "live",
                                     "rtmp", "jobs", "all"],
                    nargs="?", default="all")
    ap.add_argument("--channels", default="1,50,200")
    ap.add_argument("--streamers", type=int, default=100000)
    ap.add_argument("--publishers", type=int, default=20)
    ap.add_argument("--part", choices=["all", "cost", "delay"], default="all")
    ap.add_argument("--watch", type=int, default=15)
    ap.add_argument("--rounds", type=int, default=0)
    ap.add_argument("--seconds", type=int, default=0)
    a = ap.parse_args()
    given = a.seconds, a.rounds
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: sys.exit("bench: ended by a signal"))
    scratch()
    ok = True
    with open("/proc/cpuinfo") as f:
        cpu = re.search(r"model name\s*: (.*)", f.read())
    say("# %s, %d processors, Linux %s" % (cpu.group(1) if cpu else "?",
                                           os.cpu_count(), os.uname().release))
    for what, run, seconds, rounds in (("record", bench_record, 10, 3),
                                       ("poll", bench_poll, 6, 5),
                                       ("serve", bench_serve, 1, 15),
                                       ("live", bench_live, 3, 5),
                                       ("rtmp", bench_rtmp, 10, 3),
                                       ("jobs", bench_jobs, 5, 5)):
        if a.what in (what, "all"):
            a.seconds, a.rounds = given[0] or seconds, given[1] or rounds
            ok &= run(a)
    say("all targets met" if ok else "a target was missed")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
