"""Figure 1: the parsers under libFuzzer.

Two jobs at a time with ASan and UBSan; each driver fails by itself on an input
that takes more than 100 ms (mnt_fuzz_main.c) or breaks its promise.  First all
that is in the repository is run again; then new inputs are made of it, a fifth
of the time guided by comparisons and of any length, the rest quickly.  How long
depends on what building took before: all of it stays below ten minutes.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

NUMBER = 1
CLAIM = ("Parsers of playlists, JSON, URLs, attributes, dates, layouts, "
         "platforms' answers and, after a power cut, of the journal: 10^8 fuzz executions under ASan and UBSan, 0 "
         "crashes, 0 leaks, 0 inputs above 100 ms; branch coverage of the "
         "parsers at least 95 %.")

TOP = os.path.realpath(os.path.dirname(__file__) + "/../..")
FUZZ = TOP + "/t/fuzz"
BIN = TOP + "/build/fuzz"

# seconds of the whole, of what follows the search for new inputs, and how much
# longer than it was told a job takes

WHOLE = 565
BEHIND = 30
MORE = 4

# seconds of a job at a time, at most, by what an execution costs and what it may find
SHARE = {"playlist": 220, "platform_answer": 130, "url": 110, "json": 170,
         "date": 170, "attribute": 85, "layout": 50, "journal": 50,
         "form": 50}

# Short inputs reach what long ones do.  Of dates, which are short and soon all
# known, most of the time went into choosing what to change next.

GUIDED = ["-max_len=8192"]
QUICK = ["-max_len=1024"]
ALSO = {"date": ["-entropic=0", "-mutate_depth=20"]}

PARSERS = ("mnt_hls_parse.c", "mnt_hls_tags.c", "mnt_hls_attr.c",
           "mnt_hls_sniff.c", "mnt_json.c", "mnt_url.c", "mnt_date.c",
           "mnt_layout.c", "mnt_form.c", "mnt_journal.c", "mnt_recovery.c",
           "mnt_recovery_write.c",
           "mnt_platform_chzzk_answer.c")

# what was freed is watched as long as it fits into a megabyte, which the caches
# of a processor hold: that is longer than an execution

OPTIONS = {"ASAN_OPTIONS": "malloc_context_size=2:quarantine_size_mb=1:"
                           "thread_local_quarantine_size_kb=64:"
                           "detect_leaks=1:handle_abort=1",
           "UBSAN_OPTIONS": "print_stacktrace=1"}


def seeds(name):
    dirs = ["%s/corpus/%s" % (FUZZ, name)]
    if name == "playlist":
        dirs.append(TOP + "/t/data/hls")
    return dirs


def drive(binary, name, grown, crashes, more):
    """(executions, log, code)"""
    env = dict(os.environ, **OPTIONS)
    p = subprocess.run([binary, "-print_final_stats=1",
                        "-verbosity=0", "-timeout=1",
                        "-rss_limit_mb=2048", "-artifact_prefix=%s/%s-"
                        % (crashes, name), "-dict=%s/dict/%s.dict"
                        % (FUZZ, name)] + more + [grown] + seeds(name),
                       env=env, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
    text = p.stdout.decode(errors="replace")
    m = re.search(r"number_of_executed_units: (\d+)", text)
    return int(m.group(1)) if m else 0, text, p.returncode


def coverage(grown, work):
    """percent of branches, by file and over all parsers"""
    raw = []
    for name in SHARE:
        raw.append("%s/%s.profraw" % (work, name))
        subprocess.run(["%s/cover/fuzz_%s" % (BIN, name), "-runs=0",
                        "-verbosity=0", "%s/%s" % (grown, name)]
                       + seeds(name), check=True,
                       env=dict(os.environ, LLVM_PROFILE_FILE=raw[-1]),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    data = work + "/all.profdata"
    subprocess.run(["llvm-profdata", "merge", "-o", data] + raw, check=True)
    objects = ["%s/cover/fuzz_%s" % (BIN, n) for n in SHARE]
    out = subprocess.run(["llvm-cov", "export", "-summary-only",
                          "-instr-profile=" + data, objects[0]]
                         + ["-object=" + o for o in objects[1:]], check=True,
                         stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    count = covered = 0
    lines = []
    for f in json.loads(out)["data"][0]["files"]:
        name = os.path.basename(f["filename"])
        if name in PARSERS:
            b = f["summary"]["branches"]
            count += b["count"]
            covered += b["covered"]
            lines.append("%-30s %5.1f %% of %d branches"
                         % (name, 100.0 * b["covered"] / b["count"],
                            b["count"]))
    return 100.0 * covered / max(count, 1), sorted(lines)


def run(f):
    p = subprocess.run(["make", "-s", "-C", FUZZ, "-j2", "all", "cover"]
                       + ([] if f.short else ["guided"]),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if not f.require(p.returncode == 0, "the drivers could not be built: "
                     + p.stdout.decode()[-500:]):
        return

    work = tempfile.mkdtemp(prefix="mntreamer-fuzz-")
    grown = work + "/corpus" if f.short else BIN + "/corpus"
    crashes = work + "/crash"
    os.makedirs(crashes)
    for name in SHARE:
        os.makedirs("%s/%s" % (grown, name), exist_ok=True)
    try:
        repeat(f, grown, crashes)
        if not f.short:
            explore(f, grown, crashes)
        percent, lines = coverage(grown, work)
        for line in lines:
            f.line(line)
        f.value("branches of the parsers", round(percent, 1), "%")
        f.require(percent >= 95,
                  "%.1f %% of the branches" % percent)
        for c in sorted(os.listdir(crashes)):
            shutil.copy(crashes + "/" + c, BIN)
            f.fail("kept as build/fuzz/" + c)
    finally:
        shutil.rmtree(work)


def repeat(f, grown, crashes):
    """what is in the repository"""
    counts = {n: sum(len(os.listdir(d)) for d in seeds(n)) for n in SHARE}
    for n, least in (("playlist", 500), ("url", 200)):
        f.require(counts[n] >= least, "%d seeds of %s" % (counts[n], n))
    f.require(counts["json"] + counts["platform_answer"] >= 300,
              "too few of JSON")
    f.value("corpus", ", ".join("%s %d" % (n, counts[n]) for n in SHARE))
    with ThreadPoolExecutor(2) as pool:
        for name, (n, text, code) in zip(SHARE, pool.map(
                lambda n: drive("%s/fuzz_%s" % (BIN, n), n, grown + "/" + n,
                                crashes, GUIDED + ["-runs=0"]), SHARE)):
            f.require(code == 0, "%s, again: %s" % (name, text[-800:]))


def explore(f, grown, crashes):
    began = time.monotonic()
    cpu = os.times()
    jobs = []
    for n, s in SHARE.items():
        jobs.append((n, s // 5, "guided/", GUIDED))
        jobs += [(n, s * 2 // 5, "", QUICK + ALSO.get(n, []))] * 2
    jobs.sort(key=lambda j: -j[1])
    end = f.began + WHOLE - BEHIND
    share = (2 * (end - began) - len(jobs) * MORE) / sum(j[1] for j in jobs)
    share = max(0.1, min(1, share))
    total = 0
    sums = dict.fromkeys(SHARE, 0)
    guided = 0

    def one(job):
        i, (name, seconds, kind, options) = job
        seconds = max(2, min(seconds * share, end - time.monotonic()))
        return name, kind, drive(
            "%s/%sfuzz_%s" % (BIN, kind, name), name, grown + "/" + name,
            crashes, options + ["-max_total_time=%d" % seconds,
                                "-seed=%d" % (f.seed * 1000 + i + 1)])

    with ThreadPoolExecutor(2) as pool:
        for name, kind, (n, text, code) in pool.map(one, enumerate(jobs)):
            f.require(code == 0, "%s: %s" % (name, text[-1500:]))
            sums[name] += n
            total += n
            guided += n if kind else 0
            f.say("%s%s: %d executions, all %d" % (kind, name, n, total))

    took = time.monotonic() - began
    now = os.times()
    used = (now.children_user + now.children_system - cpu.children_user
            - cpu.children_system)
    f.value("share of the time", round(share, 2))
    f.value("executions", "%.3g" % total)
    f.value("of them", ", ".join("%s %.2g" % s for s in sums.items()))
    f.value("guided by comparisons", "%.2g" % guided)
    f.value("rate", "%d a second; %d a second of the processor, of which it "
            "got %d s in %d s" % (total / took, total / max(used, 1), used,
                                  took))
    f.require(total >= 10 ** 8, "%d executions are less than 10^8" % total)
    f.require(took + began - f.began < WHOLE, "it took too long")
