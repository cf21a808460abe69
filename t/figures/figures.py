#!/usr/bin/env python3
"""The figures: what is promised about failures, each as a procedure that can be
run again.

    figures.py [--short] [--seed N] [--tap] [--write] [--list] [NAME ...]

A figure is a file NAME.py beside this one with
    NUMBER   its place in the list        CLAIM   its wording once it passed
    run(f)   does it; f is a Figure
    NAMED    True: it runs only when it is named
    ONLY     the variable of the environment that narrows it: such a run is no
             result, and is not written
"""

import argparse
import importlib
import json
import os
import platform
import random
import re
import subprocess
import sys
import time
import traceback

HERE = os.path.realpath(os.path.dirname(__file__))
TOP = os.path.realpath(HERE + "/../..")
sys.path[:0] = [HERE, TOP + "/t/lib"]
RESULTS = TOP + "/build/figures"
DOCUMENT = TOP + "/docs/figures.md"


class Skipped(Exception):
    """nothing was tried, and so nothing was shown"""


class Figure:
    """One run.  "short" asks for the form that the test suite runs: seconds
    instead of minutes, the same checks."""

    def __init__(self, name, seed, short):
        self.name = name
        self.seed = seed
        self.short = short
        self.rng = random.Random("%s/%d" % (name, seed))
        self.wrong = []
        self.values = {}
        self.lines = []
        self.began = time.monotonic()

    def say(self, text):
        """progress, for people who wait"""
        print("# %5.0f s  %s" % (time.monotonic() - self.began, text),
              flush=True)

    def value(self, name, value, unit=""):
        """a number that belongs to the result"""
        self.values[name] = ("%g %s" % (value, unit)).strip() \
            if isinstance(value, (int, float)) else str(value)

    def line(self, text):
        """a line of the result, of a table for example"""
        self.lines.append(text)

    def fail(self, text):
        if len(self.wrong) < 50:
            print("# wrong: " + text, flush=True)
        self.wrong.append(text)

    def fails(self, texts):
        for t in texts:
            self.fail(t)

    def skip(self, reason):
        """ends the run: this machine, or this form, cannot show it"""
        raise Skipped(reason)

    def require(self, ok, text):
        if not ok:
            self.fail(text)
        return ok


def names():
    found = [n[:-3] for n in os.listdir(HERE) if n.endswith(".py")
             and n != "figures.py" and not n.startswith("_")]
    return sorted(found, key=lambda n: (importlib.import_module(n).NUMBER, n))


def usual():
    """those that run when none is named"""
    return [n for n in names()
            if not getattr(importlib.import_module(n), "NAMED", False)]


def narrowed(name):
    """the variable that makes it less than it claims to be, or None"""
    only = getattr(importlib.import_module(name), "ONLY", None)
    return only if os.environ.get(only or "") else None


def versions():
    def first(*cmd):
        try:
            p = subprocess.run(cmd, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
            return p.stdout.decode().splitlines()[0]
        except (OSError, IndexError):
            return "none"

    nginx = os.environ.get("TEST_NGINX_BINARY", "/usr/sbin/nginx")
    return {
        "nginx": first(nginx, "-v").split("/")[-1],
        "libcurl": first("dpkg-query", "-W", "-f", "${Version}",
                         "libcurl4-openssl-dev"),
        "PostgreSQL": first("psql", "--version").split()[-1].strip(")"),
        "kernel": platform.release(),
        "processors": os.cpu_count(),
        "commit": first("git", "-C", TOP, "rev-parse", "--short", "HEAD"),
    }


def run(name, seed, short):
    module = importlib.import_module(name)
    f = Figure(name, seed, short)
    skipped = ""
    try:
        module.run(f)
    except Skipped as e:
        skipped = str(e)
    except Exception as e:                     # a figure that breaks has failed
        traceback.print_exc()
        f.fail("%s: %s" % (type(e).__name__, e))
    took = time.monotonic() - f.began
    verdict = "failed" if f.wrong else "skipped" if skipped else "passed"
    result = {"name": name, "number": module.NUMBER, "claim": module.CLAIM,
              "seed": seed, "short": short, "verdict": verdict,
              "skipped": skipped, "seconds": round(took),
              "values": f.values, "lines": f.lines, "wrong": f.wrong[:20],
              "at": time.strftime("%Y-%m-%d"), "versions": versions()}
    os.makedirs(RESULTS, exist_ok=True)
    form = "-short" if short else "-part" if narrowed(name) else ""
    with open("%s/%s%s.json" % (RESULTS, name, form), "w") as out:
        json.dump(result, out, indent=1)
    for line in f.lines:
        print(line)
    print("figure %-10s %s  seed %d, %d s: %s"
          % (name, verdict.upper(), seed, took,
             skipped or "; ".join("%s %s" % kv for kv in f.values.items())),
          flush=True)
    return result


def block(r):
    out = ["### %d %s: %s" % (r["number"], r["name"], r["verdict"]), "",
           r["claim"], "",
           "Seed %d, %d s, %s; %s." % (
               r["seed"], r["seconds"], r["at"],
               ", ".join("%s %s" % kv for kv in r["versions"].items())), ""]
    out += ["| | |", "| --- | --- |"]
    out += ["| %s | %s |" % kv for kv in r["values"].items()]
    if r.get("skipped"):
        out += ["| skipped | %s |" % r["skipped"]]
    if r["lines"]:
        out += ["", "```"] + r["lines"] + ["```"]
    if r["wrong"]:
        out += ["", "Wrong:", ""] + ["- " + w.replace(TOP, "") for w in
                                     r["wrong"]]
    return "\n".join(out) + "\n"


def unknown(name):
    module = importlib.import_module(name)
    return "### %d %s: not run in full yet\n\n%s\n" % (module.NUMBER, name,
                                                       module.CLAIM)


def write():
    """puts the last full results into docs/figures.md, between its marks, in
    the order of their numbers; what is there of another machine stays"""
    with open(DOCUMENT) as f:
        text = f.read()
    marked = re.compile("\n<!-- result of (\\w+) -->\n.*?<!-- end of \\1 -->\n",
                        re.S)
    old = {m.group(1): m.group(0) for m in marked.finditer(text)}
    text = marked.sub("", text).rstrip("\n") + "\n"
    for n in names():
        path = "%s/%s.json" % (RESULTS, n)
        if os.path.exists(path):
            with open(path) as f:
                new = block(json.load(f))
        elif n in old and ": not run in full yet\n" not in old[n]:
            text += old[n]
            continue
        else:
            new = unknown(n)
        text += "\n<!-- result of %s -->\n\n%s\n<!-- end of %s -->\n" % (n, new,
                                                                        n)
    with open(DOCUMENT, "w") as f:
        f.write(text)


def main():
    ap = argparse.ArgumentParser(description="the figures of reliability")
    ap.add_argument("names", nargs="*", metavar="NAME")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--short", action="store_true")
    ap.add_argument("--tap", action="store_true")
    ap.add_argument("--write", action="store_true")
    ap.add_argument("--list", action="store_true")
    a = ap.parse_args()

    for n in a.names:
        if n not in names():
            ap.error("there is no figure \"%s\": %s" % (n, ", ".join(names())))

    if a.list:
        for n in names():
            m = importlib.import_module(n)
            print("%2d %-10s %s" % (m.NUMBER, n, m.CLAIM))
        return 0

    results = [run(n, a.seed, a.short) for n in a.names or usual()]

    if a.tap:
        for i, r in enumerate(results, 1):
            ok = "not ok" if r["verdict"] == "failed" else "ok"
            if r["verdict"] == "skipped":
                print("ok %d # SKIP %s" % (i, " ".join(r["skipped"].split())))
            else:
                print("%s %d - figure %s, short, seed %d"
                      % (ok, i, r["name"], r["seed"]))
            for w in r["wrong"]:          # shown by prove, which hides stdout
                print("# wrong: " + w, file=sys.stderr)
        print("1..%d" % len(results))
    else:
        failed = [r["name"] for r in results if r["verdict"] == "failed"]
        skipped = [r["name"] for r in results if r["verdict"] == "skipped"]
        print("%d figures passed, %d failed%s%s"
              % (len(results) - len(failed) - len(skipped), len(failed),
                 ": " + ", ".join(failed) if failed else "",
                 "; skipped: " + ", ".join(skipped) if skipped else ""))

    part = ", ".join(filter(None, (narrowed(n) for n in a.names or usual())))
    if a.write and part:
        print("nothing is written: %s is set, so this was not all of it" % part)
    elif a.write:
        write()

    return 1 if any(r["verdict"] == "failed" for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
