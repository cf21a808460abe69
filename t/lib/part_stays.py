"""Nothing can be removed while segments come short: what was received of them
stays as .part files, which are gone when their recording is over, and when it
is taken over by another worker.  Prints TAP."""

import errno
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import checker
from lab import Lab, kill, until
from planted import Tap
from shim import Shim


def parts(x, name=""):
    return [p for p in glob.glob(x.storage + "/**/*.part", recursive=True)
            + glob.glob(x.storage + "/**/.*.part", recursive=True)
            if name in p]


def segments(x, name):
    return sum(r["segments"] for r in x.recordings()
               if r["channel_name"] == name)


def main():
    tap = Tap()
    with Lab(1, "partstays") as l:
        pg = l.postgres(shared=True)
        o = l.origin()
        ids = {}
        for name in ("ended", "killed", "never"):
            ids[name] = o.channel(name, live=True, dur=0.5, window=20,
                                  size=2400000, target=1)
        shim = Shim(l.dir)
        x = l.nginx(pg, o, workers=1, env=shim.env(),
                    mntreamer="lease 30s; refresh 1s;")
        x.up()

        # one that gets nothing at all, and two that get some

        o.fault(match="/hls/never/seg/", times=-1, cut=2000000)
        x.watch("ended", "killed", "never")
        until(lambda: segments(x, "ended") > 3 and segments(x, "killed") > 3
              and parts(x, ids["never"]), "they are recorded")
        shim.rule(0, "unlink", "error", error=errno.EIO, below=x.storage,
                  count=0)
        o.fault(match="/hls/(ended|killed)/seg/", times=12, cut=2000000)
        until(lambda: shim.hit(0) >= 12
              and all(parts(x, ids[name]) for name in ids), "parts stay", 30)
        tap.ok(True, "parts that could not be removed stay")

        shim.clear()
        kill(x.workers()[0])
        until(lambda: not parts(x, ids["killed"]),
              "the next owner removes them", 20)
        tap.ok(True, "whoever takes a recording over removes them")

        n = segments(x, "ended")
        shim.rule(0, "unlink", "error", error=errno.EIO, below=x.storage,
                  count=0)
        o.fault(match="/hls/(ended|never)/seg/", times=12, cut=2000000)
        until(lambda: shim.hit(0) >= 6, "parts stay again", 20)
        until(lambda: segments(x, "ended") > n + 5, "it goes on")
        shim.clear()
        held = len(parts(x, ids["ended"]))
        for name in ids:
            o.channel(name, live=False, stall=1, endlist=True)
        until(lambda: all(r["status"] == "recorded" for r in x.recordings()),
              "they are over", 40)
        until(lambda: not parts(x), "all are gone", 10)
        tap.ok(held > 0, "%d are gone when it is over" % held)

        for r in x.recordings():
            d = os.path.dirname(x.storage + "/" + r["url"].split("/", 2)[2])
            with open(d + "/index.m3u8") as f:
                text = f.read()
            listed = re.findall(r"^[^#].*$", text, re.M)
            tap.ok(listed and text.endswith("#EXT-X-ENDLIST\n")
                   and all(os.path.getsize(d + "/" + u) == 2400000 // 188 * 188
                           for u in listed),
                   "%s: its segments are whole" % r["channel_name"])

        wrong = checker.check_log(x, allow="exited on signal 9")
        tap.ok(not wrong, "the log: %s" % wrong)
    print("1..%d" % tap.n)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
