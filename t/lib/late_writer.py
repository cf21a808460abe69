"""A holder whose lease has lapsed and who does not know it goes on while
another node takes its recording over: what it stores until the new journal has
its name is listed, once.  Prints TAP."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import checker
from lab import Lab, until
from shim import Shim

GRACE = 10.5      # a node that has just come up leaves expired leases alone


def main():
    with Lab(1, "late") as l:
        pg = l.postgres(shared=True)
        o = l.origin()
        o.channel("c", live=True, dur=0.25, window=60, size=3000, target=1)
        a = l.nginx(pg, o, workers=1, node="one", mntreamer="lease 30s;")
        a.up()
        a.watch("c")
        until(lambda: a.recordings() and a.recordings()[0]["segments"] > 4,
              "it is recorded")
        shim = Shim(l.dir)
        b = l.nginx(pg, o, workers=1, node="two", db=a.db, storage=a.storage,
                    env=shim.env(), mntreamer="lease 1s;")
        b.up()
        time.sleep(GRACE)

        shim.rule(0, "rename", "delay", below=a.storage, delay_ms=1500)
        journal = "%s/%s/.index.journal" % (
            a.storage, a.rows("SELECT path FROM media_record")[0]["path"])
        inode = os.stat(journal).st_ino
        pg.sql("UPDATE streamer_monitor SET epoch = epoch + 1,"
               " owner = 999999, lease_until = now() - interval '1 second'",
               a.db)
        until(lambda: shim.hit(0), "the other node is about to take it")
        lines = len(checker.read_text(journal).splitlines())
        until(lambda: os.stat(journal).st_ino != inode, "it has taken it",
              pause=0.001)
        until(lambda: "has another writer" in a.log(), "the former one knows")
        n = len(checker.read_text(journal).splitlines())
        print("# %d lines before, %d after" % (lines, n))

        time.sleep(1)
        o.channel("c", live=False, stall=True)
        last = {c: tuple(v["end"]) for c, v in o.state().items()}
        until(lambda: a.rows("SELECT FROM media_record WHERE status ="
                             " 'recorded'"), "the end", 60)
        r = checker.check_recordings(b, o, last=last)
        wrong = r.wrong + checker.check_log(a) + checker.check_log(b)
        if r.declared or r.silent:
            wrong.append("lost: " + r.line())
        for w in wrong:
            print("# wrong: " + w, file=sys.stderr)
        print("%sok 1 - what a writer stores that does not know it is none is"
              " listed once" % ("not " if wrong else ""))
        print("1..1")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
