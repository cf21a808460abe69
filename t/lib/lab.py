"""A running system for figures and benches: PostgreSQL, the stand-in platform
(origin.py) and one or more nginx, each started and ended by its own pid.

    with Lab(seed=1) as lab:
        pg = lab.postgres()
        origin = lab.origin()
        origin.channel("a", live=True, dur=0.5)
        x = lab.nginx(pg, origin)
        x.watch("a")
        lab.until(lambda: x.recordings(), "a recording")

Everything below one directory, listening on loopback and unix sockets only.
From the environment: MNT_MODULE (the .so), MNT_PG (socket directory of a
cluster that may be shared), MNT_KEEP (keep the directory), MNT_FAKETIME.
"""

import hashlib
import http.client
import itertools
import json
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from urllib.parse import quote

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
MODULE = os.environ.get("MNT_MODULE",
                        os.path.join(TOP, "build/ngx_mntreamer_module.so"))
INJECT = os.path.join(TOP, "build/inject/ngx_mntreamer_module.so")
NGINX = os.environ.get("TEST_NGINX_BINARY", "/usr/sbin/nginx")

# planted into each nginx, and never to be told; the last one is of the tokens
# that the origin puts into addresses
COOKIE = "NID_AUT=planted-cookie"
PASSWORD = "planted-password"
SECRETS = ("planted-cookie", PASSWORD, "hmac=")

# lines of an error log that must never be there
BAD_LOG = re.compile(r"\[(?:alert|emerg)\]|Sanitizer|runtime error|"
                     r"exited on signal|open socket|was locked by")


class Vain(Exception):
    """waited in vain"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def alive(pid):
    """runs, and is no zombie"""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def kill(pid, sig=signal.SIGKILL):
    """True when there was such a process"""
    try:
        os.kill(pid, sig)
        return True
    except ProcessLookupError:
        return False


def children(pid):
    out = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name) as f:
                v = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(v[1]) == pid and v[0] not in "ZX":
            out.append(int(name))
    return sorted(out)


def rss_kib(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def anon_kib(pid):
    """resident memory that is its own"""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read()).group(1))


def kept_kib(pid):
    """resident memory without zones: those have a size, whose pages come when
    they are first looked at"""
    with open("/proc/%d/status" % pid) as f:
        return sum(map(int, re.findall(r"Rss(?:Anon|File):\s+(\d+)", f.read())))


def fds(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def until(cond, what, seconds=15.0, pause=0.05):
    """the first true value of cond(); Vain when there is none in time"""
    end = time.monotonic() + seconds
    while True:
        try:
            v = cond()
        except (OSError, http.client.HTTPException):
            v = None
        if v:
            return v
        if time.monotonic() > end:
            raise Vain(what)
        time.sleep(pause)


def as_user(user, cmd):
    if os.geteuid():
        return cmd
    return ["setpriv", "--reuid=" + user, "--regid=" + user,
            "--clear-groups"] + cmd


def chown(path, user):
    if not os.geteuid():
        shutil.chown(path, user)


def family(pid):
    """its children, zombies too; quicker than children()"""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(v) for v in f.read().split()]
    except OSError:
        return []


class Inject:
    """The file that MNT_INJECT_FILE names: a place in the module (which was
    built for it, build/inject) where one process dies, once."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as f:
            f.write(bytes(64))
        os.chmod(path, 0o666)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 64)

    def arm(self, place, passes=1):
        """at the so manieth pass, counted over all processes"""
        name = place.encode()
        self.disarm()
        self.map[8:64] = name + bytes(56 - len(name))
        self.map[0:8] = struct.pack("=Q", passes)

    def disarm(self):
        self.map[0:8] = bytes(8)

    def left(self):
        """0: it happened, or nothing was armed"""
        return struct.unpack("=Q", self.map[0:8])[0]


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def request(port, method, path, body=None, headers=None, timeout=10.0):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        h = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            h.setdefault("Content-Type", "application/json")
        c.request(method, path, body, h)
        r = c.getresponse()
        return Answer(r.status, {k.lower(): v for k, v in r.getheaders()},
                      r.read())
    finally:
        c.close()


class Postgres:
    """A cluster of its own.  "durable" keeps fsync on."""

    def __init__(self, lab, durable=False, conf=""):
        self.lab = lab
        self.dir = tempfile.mkdtemp(prefix="pg-", dir=lab.dir)
        os.chmod(self.dir, 0o755)
        chown(self.dir, "postgres")
        versions = [v for v in os.listdir("/usr/lib/postgresql")
                    if os.path.exists("/usr/lib/postgresql/%s/bin/initdb" % v)]
        self.bin = "/usr/lib/postgresql/%s/bin" % max(versions, key=int)
        self.tool("initdb", "-D", self.dir + "/data", "-U", "postgres", "-A",
                  "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        with open(self.dir + "/data/postgresql.conf", "a") as f:
            f.write("listen_addresses=''\nunix_socket_directories='%s'\n"
                    "shared_buffers=64MB\nmax_connections=200\n"
                    "log_line_prefix='%%m [%%p] '\n%s\n" % (self.dir, conf))
            if not durable:
                f.write("fsync=off\n")       # commits survive kill -9
        self.start()

    def tool(self, name, *args, check=True):
        return subprocess.run(as_user("postgres", [self.bin + "/" + name]
                                      + list(args)), check=check, cwd="/",
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def start(self):
        self.tool("pg_ctl", "-D", self.dir + "/data", "-w", "-t", "60", "-l",
                  self.dir + "/log", "start")

    def stop(self, how="immediate"):
        self.tool("pg_ctl", "-D", self.dir + "/data", "-m", how, "-w", "stop",
                  check=False)

    def postmaster(self):
        try:
            with open(self.dir + "/data/postmaster.pid") as f:
                return int(f.readline())
        except (OSError, ValueError):
            return 0

    def processes(self):
        """the postmaster first"""
        pm = self.postmaster()
        return [pm] + children(pm) if pm else []

    def crash(self):
        """kill -9 of the postmaster, and the end of the others by that"""
        family = self.processes()
        for pid in family[:1]:
            kill(pid)
        until(lambda: not any(alive(p) for p in family), "the crash")

        # a zombie that nobody waited for counts as running
        for name in ("/data/postmaster.pid", "/.s.PGSQL.5432.lock"):
            if os.path.exists(self.dir + name):
                os.unlink(self.dir + name)

    def sql(self, text, db="postgres", timeout=30):
        out = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v",
                              "ON_ERROR_STOP=1", "-h", self.dir, "-U",
                              "postgres", "-d", db, "-c", text], check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=timeout)
        return out.stdout.decode().strip()

    def rows(self, select, db):
        """of a SELECT, as dictionaries"""
        text = self.sql("SELECT coalesce(json_agg(t), '[]') FROM (%s) t"
                        % select, db)
        return json.loads(text)


class SharedPostgres(Postgres):
    """the suite's; must not be stopped or changed"""

    def __init__(self, directory):
        self.dir = directory

    def start(self):
        raise RuntimeError("the shared cluster is not ours")

    stop = start


class Origin:
    """origin.py, see there for channels and faults"""

    def __init__(self, lab):
        self.port = free_port()
        self.base = "http://127.0.0.1:%d" % self.port
        self.truth_file = "%s/truth-%d.log" % (lab.dir, self.port)
        self.p = subprocess.Popen(
            ["python3", TOP + "/t/lib/origin.py", "--port", str(self.port),
             "--log", self.truth_file, "--parent", str(os.getpid())],
            stdout=subprocess.PIPE)
        self.p.stdout.readline()

    def tell(self, path, **d):
        r = request(self.port, "POST", quote(path), d)
        if r.status != 200:
            raise RuntimeError("origin: %s: %d" % (path, r.status))
        return r.json()

    def channel(self, name, **d):
        """makes or changes it; its id"""
        return self.tell("/_/channel/" + name, **d)["id"]

    def fault(self, **d):
        self.tell("/_/fault", **d)

    def heal(self):
        self.tell("/_/faults/clear")

    def faults(self):
        """[{"match", "hit"}] of those that are set"""
        return request(self.port, "GET", "/_/faults").json()

    def script(self, seed, steps):
        """what is to happen later; origin.py says what a step is"""
        self.tell("/_/script", seed=seed, steps=steps)

    def limit(self, rate):
        """API requests a second, above it 429"""
        self.tell("/_/limit", rate=rate)

    def listen(self, **d):
        """one more port, with TLS by "cert" and "key" """
        return self.tell("/_/listen", **d)["port"]

    def state(self):
        return request(self.port, "GET", "/_/state").json()

    def truth(self):
        """the requests answered so far, as dictionaries"""
        with open(self.truth_file) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def stop(self):
        if self.p.poll() is None:
            self.p.terminate()
            self.p.wait()
        self.p.stdout.close()


class Proxy:
    """proxy.py in front of anything that speaks TCP; settings: see there"""

    def __init__(self, to, listen=None):
        self.port = None if listen else free_port()
        self.at = listen or str(self.port)
        control = free_port()
        self.p = subprocess.Popen(
            ["python3", TOP + "/t/lib/proxy.py", "--listen", self.at, "--to",
             str(to), "--control", str(control), "--parent",
             str(os.getpid())], stdout=subprocess.PIPE)
        self.p.stdout.readline()
        self.s = socket.create_connection(("127.0.0.1", control))
        self.f = self.s.makefile("r")

    def set(self, **d):
        """what it counted"""
        self.s.sendall(json.dumps(d).encode() + b"\n")
        r = json.loads(self.f.readline())
        if "error" in r:
            raise ValueError(r["error"])
        return r

    counted = set

    def heal(self):
        return self.set(mode="pass", latency=0, rate=0, dribble=0,
                        rst_after=0, cut_after=0, one=0)

    def stop(self):
        self.f.close()
        self.s.close()
        if self.p.poll() is None:
            self.p.terminate()
            self.p.wait()
        self.p.stdout.close()


class Nginx:
    """nginx with the module.

    mntreamer, main, http, server   further directives of these contexts
    storage   a directory (made when it is not there)     node   its name
    db        of the cluster; made when None
    env       of the master; LD_PRELOAD goes here
    module    the .so, else MODULE
    """

    serial = itertools.count(1)                # of all labs of this process

    def __init__(self, lab, pg, origin=None, workers=2, mntreamer="", main="",
                 http="", server="", storage=None, node=None, db=None,
                 env=None, backoff="200ms", jitter=0, platform="", port=None,
                 module=None):
        self.lab = lab
        self.module = module or MODULE
        self.pg = pg
        self.origin = origin
        self.number = lab.count()
        self.dir = "%s/nginx-%d" % (lab.dir, self.number)
        os.makedirs(self.dir + "/logs")
        os.chmod(self.dir, 0o755)
        self.storage = storage or self.dir + "/storage"
        if not os.path.isdir(self.storage):
            os.mkdir(self.storage)
            chown(self.storage, "nobody")
        self.port = port or free_port()
        self.started = port is not None        # with this one
        self.env = env or {}
        self.own_db = db is None
        self.db = db or "lab_%d_%d" % (os.getpid(), next(Nginx.serial))
        if self.own_db:
            pg.sql("CREATE DATABASE " + self.db)
        self.node = node or "%s-%d" % (self.db, self.number)
        self.backoff = backoff
        self.jitter = jitter
        self.options = {"workers": workers, "mntreamer": mntreamer,
                        "main": main, "http": http, "server": server,
                        "platform": platform}
        self.write_config()

    @property
    def error_log(self):
        return self.dir + "/logs/error.log"

    def write_config(self, **changed):
        o = self.options
        o.update(changed)
        api = ("api %s;" % self.origin.base) if self.origin else ""
        cookies = self.dir + "/cookies"
        with open(cookies, "w") as f:
            f.write(COOKIE + "\n")
        with open(self.dir + "/nginx.conf", "w") as f:
            f.write("""load_module %s;
%s
%s
daemon on;
worker_processes %d;
error_log %s info;
pid %s/nginx.pid;
events { worker_connections 4096; }
mntreamer {
    database "host=%s user=postgres dbname=%s password=%s";
    storage %s;
    fetch_allow 127.0.0.0/8;
    backoff %s;
    backoff_jitter %d;
    node %s;
    platform chzzk { cookies %s; %s %s }
    %s
}
http {
    include /etc/nginx/mime.types;
    access_log off;
    %s
    server {
        listen 127.0.0.1:%d;
        %s
        location /recordings/ { mntreamer_recordings; }
        location /api/        { mntreamer_api; }
        location = /metrics   { mntreamer_metrics; }
        location = /health    { mntreamer_health; }
        location = /alive     { return 200; }
    }
}
""" % (self.module, "" if os.geteuid() else "user nobody nogroup;", o["main"],
       o["workers"], self.error_log, self.dir, self.pg.dir, self.db,
       PASSWORD, self.storage, self.backoff, self.jitter, self.node, cookies,
       api, o["platform"], o["mntreamer"], o["http"], self.port,
       o["server"]))

    def command(self, *args):
        out = open(self.dir + "/logs/nginx.out", "a")
        env = dict(os.environ, **self.env)
        try:
            return subprocess.run([NGINX, "-p", self.dir, "-e", self.error_log,
                                   "-c", self.dir + "/nginx.conf"]
                                  + list(args), env=env, stdout=out,
                                  stderr=out).returncode
        finally:
            out.close()

    def start(self):
        for _ in range(5):
            if self.command() == 0:
                until(self.master, "a pid file")
                self.started = True
                return self
            with open(self.dir + "/logs/nginx.out") as f:
                said = f.read()
            if "Address already in use" not in said or self.started:
                break
            for name in ("error.log", "nginx.out"):
                os.unlink(self.dir + "/logs/" + name)
            self.port = free_port()            # somebody was quicker
            self.write_config()
        raise RuntimeError("nginx does not start: " + said)

    def up(self, seconds=20):
        until(lambda: self.get("/health").status == 200, "nginx is up",
              seconds)
        return self

    def master(self):
        try:
            with open(self.dir + "/nginx.pid") as f:
                return int(f.read())
        except (OSError, ValueError):
            return 0

    def workers(self):
        """of the master whose pid is in the file"""
        return children(self.master())

    def reload(self):
        kill(self.master(), signal.SIGHUP)

    def stop(self, sig=signal.SIGQUIT, seconds=20):
        """False when it had to be killed"""
        m = self.master()
        if not m:
            return True
        family = children(m)
        kill(m, sig)
        try:
            until(lambda: not alive(m), "the end of nginx", seconds)
            return True
        except Vain:
            for pid in [m] + family + children(m):
                kill(pid)
            return False

    def crash(self):
        """kill -9 of all its processes"""
        m = self.master()
        kill(m, signal.SIGSTOP)
        family = children(m)
        for pid in [m] + family:
            kill(pid)
        until(lambda: not any(alive(p) for p in [m] + family), "the crash")
        if os.path.exists(self.dir + "/nginx.pid"):
            os.unlink(self.dir + "/nginx.pid")

    # HTTP

    def get(self, path, timeout=10.0, **headers):
        return request(self.port, "GET", path, headers=headers,
                       timeout=timeout)

    def call(self, method, path, body=None, timeout=10.0):
        return request(self.port, method, path, body, timeout=timeout)

    def metric(self, name):
        """the sum over labels; None when there is no such line"""
        total = None
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                total = (total or 0.0) + float(line.rsplit(" ", 1)[1])
        return total

    def recordings(self, query=""):
        return self.get("/api/v1/recordings?limit=200" + query).json()["items"]

    def watch(self, *names):
        """adds channels of the origin; a worker may hear of the database later
        than the one that says it is up"""
        for name in names:
            what = {"platform": "chzzk", "channel": self.origin.channel(name)}
            until(lambda: self.add(what) != 503, "a streamer is added", 10)

    def add(self, what):
        r = self.call("POST", "/api/v1/streamers", what)
        if r.status not in (200, 201, 503):
            raise RuntimeError("watch: %d %s" % (r.status, r.body))
        return r.status

    # what is in the files

    def rows(self, select):
        return self.pg.rows(select, self.db)

    def log(self):
        try:
            with open(self.error_log, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def bad_log(self, allow=None):
        """lines that must not be there but for those that match "allow" """
        return [line for line in self.log().splitlines()
                if BAD_LOG.search(line)
                and not (allow and re.search(allow, line))]


class Lab:
    def __init__(self, seed=1, name="lab"):
        self.seed = seed
        self.dir = tempfile.mkdtemp(prefix="mntreamer-%s-" % name)
        os.chmod(self.dir, 0o755)
        self.things = []
        self.counted = 0

    def count(self):
        self.counted += 1
        return self.counted

    def postgres(self, shared=False, **o):
        if shared and os.environ.get("MNT_PG") and not o:
            return SharedPostgres(os.environ["MNT_PG"])
        pg = Postgres(self, **o)
        self.things.append(pg.stop)
        return pg

    def origin(self):
        o = Origin(self)
        self.things.append(o.stop)
        return o

    def proxy(self, to, listen=None):
        p = Proxy(to, listen)
        self.things.append(p.stop)
        return p

    def nginx(self, pg, origin=None, start=True, **o):
        x = Nginx(self, pg, origin, **o)
        self.things.append(lambda: self.drop(x))
        if start:
            x.start()
        return x

    @staticmethod
    def drop(x):
        x.stop(signal.SIGTERM)
        if x.own_db and isinstance(x.pg, SharedPostgres):
            x.pg.sql("DROP DATABASE IF EXISTS %s WITH (FORCE)" % x.db)

    def later(self, call):
        """called at the end, the last first"""
        self.things.append(call)

    @staticmethod
    def until(cond, what, seconds=15.0, pause=0.05):
        return until(cond, what, seconds, pause)

    def close(self, keep=False):
        while self.things:
            try:
                self.things.pop()()
            except (OSError, subprocess.SubprocessError, Vain) as e:
                print("# at the end: %s" % e, flush=True)
        if keep or os.environ.get("MNT_KEEP"):
            print("# kept: " + self.dir, flush=True)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close(keep=kind is not None)


def sha256_file(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()
