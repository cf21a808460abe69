"""Quotas: no file may be made, or no byte written, though the file system says
that there is room.  It is a full disk, told once, and passes by itself.  Prints
TAP."""

import errno
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import checker
from lab import Lab, until
from planted import Tap
from shim import Shim


def main():
    tap = Tap()
    with Lab(1, "quota") as l:
        pg = l.postgres(shared=True)
        o = l.origin()
        o.channel("c", live=True, dur=0.3, window=8, size=20000, target=1)
        shim = Shim(l.dir)
        x = l.nginx(pg, o, workers=2, env=shim.env())
        x.up()
        x.watch("c")
        until(lambda: x.recordings() and x.recordings()[0]["segments"] > 4,
              "it is recorded")

        for what, calls in (("files", ("create", "mkdir", "link")),
                            ("bytes", ("write", "truncate"))):
            told = x.log().count("segments are lost")
            shim.rule(0, calls, "error", error=errno.EDQUOT, below=x.storage,
                      count=0)
            until(lambda: x.metric("mntreamer_disk_full"), what + ": full", 20)
            tap.ok(b'"disk_full"' in x.get("/health").body,
                   what + ": health says that the disk is full")
            lost = x.rows("SELECT coalesce(sum(segments), 0) AS n"
                          " FROM media_gap")[0]["n"]
            until(lambda: x.rows("SELECT coalesce(sum(segments), 0) AS n FROM"
                                 " media_gap WHERE reason = 'disk'")[0]["n"]
                  >= lost + 8, what + ": segments are gaps of the disk", 20)
            tap.ok(x.recordings()[0]["status"] == "recording",
                   what + ": it is not given up")
            tap.ok(x.log().count("segments are lost") == told + 1,
                   what + ": told once")
            n = x.recordings()[0]["segments"]
            shim.clear()
            until(lambda: x.recordings()[0]["segments"] > n + 3,
                  what + ": it goes on within 10 s", 10)
            tap.ok(True, what + ": it goes on within 10 s")
            until(lambda: not x.metric("mntreamer_disk_full"),
                  what + ": not full any more", 20)
        tap.ok(len(x.recordings()) == 1, "it is one recording")

        o.channel("c", live=False, stall=1, endlist=True)
        until(lambda: x.recordings()[0]["status"] == "recorded", "its end", 30)
        wrong = checker.check_recordings(x, o).wrong + checker.check_log(x)
        tap.ok(not wrong, "what is listed is whole, what is not is written "
               "down", [str(w) for w in wrong])
    print("1..%d" % tap.n)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
