"""Figure 14: the module on other releases.

Clean roots by debootstrap, from the mirror and with the settings of this
machine's own apt and the authorities that it trusts: Debian 12 and 13 build the
module and run its tests, testing (the newest nginx of Debian) builds it.  Needs
root, debootstrap and minutes.  Files of tests that fail beside others are run
once more with less beside them; which these were is told.

MNT_WHOLE=1     the whole suite in the roots, not a selection
MNT_ROOTS=DIR   keeps the roots there and takes them from there
MNT_RELEASES=trixie,testing   only these, which is no figure yet
"""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import time

NUMBER = 14
ONLY = "MNT_RELEASES"
NAMED = True
WHOLE = bool(os.environ.get("MNT_WHOLE"))
CLAIM = ("In clean roots of Debian 12 and 13 the module builds, the same in "
         "two places, and %s; it builds with the newest nginx of Debian's "
         "testing suite."
         % ("the whole suite passes" if WHOLE else "the unit tests and a "
            "selection of those through nginx pass (all of them with "
            "MNT_WHOLE=1)"))

TOP = os.path.realpath(os.path.dirname(__file__) + "/../..")
RELEASES = (("bookworm", True), ("trixie", True), ("testing", False))
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
AGAIN = 12                                     # files, at most
PARTS = ("unit", "nginx", "browser", "san") if WHOLE else ("unit", "nginx "
         "t/001-*.t t/200-*.t t/211-*.t t/220-*.t t/230-*.t t/301-*.t"
         " t/401-*.t t/501-*.t")


def mirror():
    """of this machine's own release, and apt's settings for the way there"""
    out = subprocess.run(["apt-get", "indextargets", "--format",
                          "$(REPO_URI) $(RELEASE) $(ORIGIN)",
                          "Created-By: Packages"], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    for line in out.splitlines():
        uri, release, origin = (line.split(" ", 2) + ["", ""])[:3]
        if origin.strip() == "Debian" and "security" not in uri \
                and "/" not in release:
            break
    else:
        raise RuntimeError("apt knows no mirror of Debian")
    dump = subprocess.run(["apt-config", "dump"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    keep = [s for s in dump.splitlines()
            if re.match(r"Acquire::(https?|Retries|Check)\b", s)]
    return uri.rstrip("/"), keep


class Root:
    def __init__(self, suite, where):
        self.suite = suite
        self.dir = "%s/%s" % (where, suite)
        self.mounted = []
        self.uri, self.settings = mirror()

    def make(self):
        if not os.path.exists(self.dir + "/made"):
            self.run_out("debootstrap", "--variant=minbase",
                         "--include=ca-certificates,procps,iproute2",
                         self.suite, self.dir, self.uri)
            open(self.dir + "/made", "w").close()
        for f in ("/etc/resolv.conf", "/etc/hosts", AUTHORITIES):
            if os.path.exists(f):
                shutil.copy(f, self.dir + f)
        with open(self.dir + "/etc/apt/apt.conf.d/90host", "w") as f:
            f.write("\n".join(self.settings) + "\n")
        for kind, target in (("proc", "/proc"), ("sysfs", "/sys"),
                             ("tmpfs", "/dev/shm")):
            os.makedirs(self.dir + target, exist_ok=True)
            self.run_out("mount", "-t", kind, kind, self.dir + target)
            self.mounted.append(self.dir + target)
        for node in glob.glob("/dev/loop*"):     # of images of file systems
            if not os.path.exists(self.dir + node):
                s = os.stat(node)
                os.mknod(self.dir + node, s.st_mode, s.st_rdev)
        self.source()
        return self

    def source(self):
        """what is committed or changed here, nothing that was built"""
        shutil.rmtree(self.dir + "/src", ignore_errors=True)
        os.makedirs(self.dir + "/src")
        files = subprocess.run(["git", "-C", TOP, "ls-files", "-z"],
                               check=True, stdout=subprocess.PIPE).stdout
        pack = subprocess.Popen(["tar", "-C", TOP, "--null", "-T", "-",
                                 "--ignore-failed-read", "-c"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
        unpack = subprocess.Popen(["tar", "-C", self.dir + "/src", "-x",
                                   "--no-same-owner"], stdin=pack.stdout)
        pack.stdin.write(files)
        pack.stdin.close()
        unpack.wait()
        pack.wait()

    @staticmethod
    def run_out(*cmd):
        p = subprocess.run(cmd, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        if p.returncode:
            raise RuntimeError("%s: %s" % (cmd[0],
                                           p.stdout.decode()[-2000:]))

    def run(self, script, log):
        """in the root; its code"""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
               "LC_ALL": "C.UTF-8", "NODE_EXTRA_CA_CERTS": AUTHORITIES}
        env.update({k: v for k, v in os.environ.items()
                    if k.lower().endswith("_proxy")})
        with open(log, "ab") as out:
            return subprocess.run(["chroot", self.dir, "/bin/bash", "-c",
                                   "cd /src && " + script], env=env,
                                  stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT).returncode

    def again(self, log):
        """built from the same source in another directory"""
        return self.run("rm -rf /other && mkdir /other && tar c --exclude="
                        "./build . | tar x -C /other && (cd /other &&"
                        " ./mntreamer build) && cmp build/$0 /other/build/$0"
                        .replace("$0", "ngx_mntreamer_module.so"), log) == 0

    def version(self, package):
        p = subprocess.run(["chroot", self.dir, "dpkg-query", "-W", "-f",
                            "${Version}", package], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        return p.stdout.decode() or "none"

    def close(self):
        while self.mounted:
            subprocess.run(["umount", "-l", self.mounted.pop()])


def run(f):
    if f.short:
        f.skip("there is no short form")
    if os.geteuid():
        f.skip("it needs root")
    if shutil.which("debootstrap") is None:
        Root.run_out("apt-get", "-q", "install", "-y",
                     "--no-install-recommends", "debootstrap")

    logs = TOP + "/build/figures"
    os.makedirs(logs, exist_ok=True)
    keep = os.environ.get("MNT_ROOTS")
    where = keep or tempfile.mkdtemp(prefix="mntreamer-roots-")
    os.makedirs(where, exist_ok=True)
    try:
        only = os.environ.get(ONLY, "").split(",")
        for suite, tests in [r for r in RELEASES
                             if only == [""] or r[0] in only]:
            one(f, suite, tests, where,
                "%s/versions-%s.log" % (logs, suite))
        f.require(only == [""], "only " + ", ".join(only))
    finally:
        if not keep:
            shutil.rmtree(where, ignore_errors=True)


def told(log, at):
    """the last sum behind "at", and the files of tests that failed"""
    with open(log, "rb") as t:
        t.seek(at)
        text = t.read().decode(errors="replace")
    sums = re.findall(r"^\d+ passed, \d+ failed$", text, re.M)
    return (sums[-1] if sums else "no sum",
            sorted(set(re.findall(r"^(t/\S+\.t) +\(Wstat", text, re.M))))


def part(f, root, what, log):
    """one part of the suite; what it says"""
    at = os.path.getsize(log)
    ok = root.run("./mntreamer test " + what, log) == 0
    said, failed = told(log, at)
    said = "%s %s" % (what.split()[0], said)
    if not ok and 0 < len(failed) <= AGAIN:
        at = os.path.getsize(log)
        ok = root.run("./mntreamer test %s %s" % (what.split()[0],
                                                  " ".join(failed)), log) == 0
        said += " (%s again: %s)" % (", ".join(n[2:5] for n in failed),
                                     told(log, at)[0])
    f.require(ok and "no sum" not in said, "%s: %s, see %s"
              % (root.suite, said, log))
    return said


def one(f, suite, tests, where, log):
    began = time.monotonic()
    if os.path.exists(log):
        os.unlink(log)
    root = Root(suite, where)
    try:
        root.make()
        f.say(suite + ": a clean root")
        ok = root.run("./mntreamer build", log) == 0
        f.require(ok, "%s: the build failed, see %s" % (suite, log))
        f.say("%s: built with nginx %s" % (suite, root.version("nginx")))
        f.require(not ok or root.again(log), "%s: built in another place it "
                  "is another one" % suite)
        said = "built"
        if ok and tests:
            said = "; ".join([said] + [part(f, root, what, log)
                                       for what in PARTS])
        f.line("%-9s nginx %-22s libcurl %-18s PostgreSQL %-18s %s (%d s)"
               % (suite, root.version("nginx"),
                  root.version("libcurl4-openssl-dev"),
                  root.version("libpq-dev"), said,
                  time.monotonic() - began))
    finally:
        root.close()
        for d in glob.glob(where + "/" + suite) \
                if not os.environ.get("MNT_ROOTS") else []:
            shutil.rmtree(d, ignore_errors=True)
