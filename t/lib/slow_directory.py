"""A disk that is slow to open anything: recordings are taken over and
begun while the worker answers all the time.  Prints TAP."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import checker
from lab import Lab, kill, until
from shim import Shim

DELAY_MS = 700
STALL = 0.4       # a busy machine, far below the disk


def main():
    with Lab(1, "slowdir") as l:
        pg = l.postgres(shared=True)
        o = l.origin()
        for name in ("c", "d"):
            o.channel(name, live=name == "c", dur=0.5, window=60, size=3000,
                      target=1)
        shim = Shim(l.dir)
        x = l.nginx(pg, o, workers=1, env=shim.env(), mntreamer="lease 30s;")
        x.up()
        x.watch("c", "d")
        until(lambda: x.recordings() and x.recordings()[0]["segments"] > 4,
              "it is recorded")

        # a worker opens the storage itself before it answers anything

        shim.rule(0, "open", "delay", below=x.storage, count=0,
                  delay_ms=DELAY_MS)
        kill(x.workers()[0])
        x.get("/health")
        o.channel("d", live=True)

        worst = 0
        begun = 0
        end = time.time() + 40
        while begun < 2 and time.time() < end:
            at = time.time()
            x.get("/health")
            worst = max(worst, time.time() - at)
            log = x.log()
            begun = ("recording 1 resumed" in log) \
                + ("recording 2 started" in log)
            time.sleep(0.02)
        slow = shim.hit(0)
        shim.clear()
        print("# %d opens of %d ms, the slowest answer took %d ms"
              % (slow, DELAY_MS, worst * 1000))

        wrong = checker.check_log(x, allow="exited on signal 9")
        if begun < 2:
            wrong.append("not taken over and begun")
        if slow < 8:
            wrong.append("nothing was slow")
        if worst > STALL:
            wrong.append("the worker stood still")
        for w in wrong:
            print("# wrong: " + w, file=sys.stderr)
        print("%sok 1 - what a directory holds is found beside the event loop"
              % ("not " if wrong else ""))
        print("1..1")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
