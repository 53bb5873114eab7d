#!/usr/bin/env python3
"""The project's figures against their peers, measured side by side in this run: one line each,
`name, our time, the peer's time, value, limit, verdict`.

usage: bench.py [NAME...]     only lines whose name contains one of the words

A value is a ratio, our time over the peer's (smaller is better): the median over rounds in which both run one after the other on
one thread. Where no peer is concerned the name ends with the value's unit. Limits stand in limits.json. The exit status is 0 when
every limit holds, and 1 when one is missed, a figure that has a limit could not be measured, or a figure has no limit.
AUTORAY and AUTORAY_BENCH name the binary and the folder of the google-benchmark programs; build/release and build/bench by default.
AUTORAY_SEED repeats a run's sizes and operands. The native sections stand in native_*.py.
"""
import fnmatch
import io
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tokenize

import array_programs
import native_calls
import native_chain
import native_compile
import native_elementwise
import native_loops
from measure import (AUTORAY, HERE, ONE_THREAD, PROGRAMS, ROOT, ROUNDS, Script, by_line, called, compared, pairs, run, seconds,
                     time_text)

# ---- the figures: each yields (name, value, our seconds or None, the peer's seconds or None, note) ----

def start():
    hello = [AUTORAY, "run", os.path.join(HERE, "programs/hello.ar")]
    ours, theirs, ratio = pairs(lambda: seconds(hello), lambda: seconds([sys.executable, "-c", "import numpy"]), 15)
    yield "start: hello, of import numpy", ratio, ours, theirs, "the peer: python -c 'import numpy'"
    yield "start: hello, milliseconds", ours * 1e3, ours, None, ""


def gram_schmidt():
    script = called(os.path.join(HERE, "programs/gram_schmidt.ar"))
    ours, theirs, ratio = pairs(lambda: float(script.autoray()), lambda: float(script.python()))
    yield "eager: Gram-Schmidt 50x50", ratio, ours, theirs, f"{1 / ratio:.1f} times as fast as autoray + numpy"


def do_in_a_script():
    script = called(os.path.join(HERE, "programs/do_sqrt.ar"))
    ours, theirs, ratio = pairs(lambda: float(script.autoray()), lambda: float(script.python()))
    calls = 200_000
    yield ("eager: do('sqrt', x) in a script, 3 elements", ratio, ours / calls, theirs / calls,
           f"a call; {1 / ratio:.1f} times as fast as autoray's do")


def call_from_cpp():
    out = json.loads(run([os.path.join(PROGRAMS, "call_bench"), "--benchmark_format=json", "--benchmark_repetitions=7",
                          "--benchmark_report_aggregates_only=true", "--benchmark_filter=sqrt_of_three"]))
    median = next(b for b in out["benchmarks"] if b.get("aggregate_name") == "median")
    yield "eager: call('sqrt', x) from C++, 3 elements, nanoseconds", median["cpu_time"], median["cpu_time"] * 1e-9, None, ""


def scalars():
    for name in ("crc16", "collatz", "sieve"):
        path = os.path.join(HERE, f"programs/{name}.ar")
        if not os.path.exists(path):
            continue
        with open(path) as f:
            text = f.read()
        # The loop alone: what the first call prints stays out of the measured line.
        script = Script(text + "\n\nimport time as _time\n_begin = _time.perf_counter()\nmain()\n"
                               "print('seconds', _time.perf_counter() - _begin, sep='\\t')\n")
        last = lambda out: float(out.splitlines()[-1].split("\t")[1])
        ours, theirs, ratio = pairs(lambda: last(script.autoray()), lambda: last(script.python()))
        yield f"scalars: {name}", ratio, ours, theirs, "the peer: CPython"


def arrays():
    ops = json.loads(run([AUTORAY, "ops", "--format=json"]))
    ratios = []
    for program in array_programs.programs(ops):
        for line in compared("arrays", Script(program), ROUNDS):
            ratios.append(line[1])
            yield line
    yield "arrays: geometric mean", math.exp(statistics.fmean(map(math.log, ratios))), None, None, f"of {len(ratios)} lines"


def kernels(command):
    """The library that computes a product: OpenBLAS says for which processor family, when it is asked to."""
    told = subprocess.run(command, env=dict(ONE_THREAD, OPENBLAS_VERBOSE="2"), capture_output=True, text=True).stderr
    return next(("OpenBLAS " + line.split()[-1] for line in told.splitlines() if line.startswith("Core:")), "own kernels")


def products():
    script = Script(array_programs.products())
    product = Script("import numpy as np\na = np.ones((64, 64))\nb = a @ a\n")
    theirs = kernels([sys.executable, product.file.name])
    for backend in ("numpy", "eigen"):
        ours = kernels([AUTORAY, "run", product.file.name, f"--backend={backend}"])
        for _, *figures, _ in compared("products", script, 3, (f"--backend={backend}",)):
            yield f"products: matmul 1000x1000, {backend}", *figures, f"{ours} against numpy's {theirs}"


def sorting():
    yield from compared("sorting", Script(array_programs.sorting()), 3)


def lazy_gram_schmidt():
    """Tracing and computing 20,102 nodes against autoray's own lazy arrays, and what sharing adds to tracing."""
    script = called(os.path.join(HERE, "programs/lazy_gram_schmidt.ar"), "main()")
    samples = [(by_line(script.autoray()), by_line(script.python())) for _ in range(ROUNDS)]
    for name in ("trace", "trace and compute", "trace and compute, each graph for the first time"):
        ours, theirs = (statistics.median(s[side][name] for s in samples) for side in (0, 1))
        ratio = statistics.median(a[name] / b[name] for a, b in samples)
        yield f"lazy: Gram-Schmidt 100x100, {name}", ratio, ours, theirs, f"{1 / ratio:.0f} times as fast as autoray.lazy"
    shared = statistics.median(a["trace, shared"] / a["trace"] for a, _ in samples)
    yield "lazy: tracing with shared intermediates, of without", shared, None, None, ""


def lazy_nodes():
    """Memory and time of graphs of 1 and 10 million nodes."""
    program = os.path.join(HERE, "programs/lazy_nodes.ar")

    def resident(kind, nodes):
        child = subprocess.Popen([AUTORAY, "run", program, "--", kind, str(nodes), "trace"], env=ONE_THREAD, stdout=subprocess.PIPE, text=True)
        for line in child.stdout:
            if line.startswith("traced"):
                break
        with open(f"/proc/{child.pid}/status") as f:
            kilobytes = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
        child.communicate()
        return kilobytes * 1024

    def have_memory(size):
        """The host of a virtual machine takes freed memory back within seconds, and giving it anew takes up to two seconds a
        gigabyte. That is no time of the program's: so much memory is touched just before it runs."""
        touch = ("import mmap, sys; size = int(sys.argv[1]); memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS);"
                 "memory.madvise(mmap.MADV_HUGEPAGE); memory[::4096] = bytes(size // 4096)")
        # In a process of its own: a child starts with its parent's peak.
        subprocess.run([sys.executable, "-c", touch, str(size)], check=True)

    def computed(kind, nodes):
        """Seconds of tracing, statistics and computing; the largest memory."""
        have_memory(400 * nodes // 4096 * 4096)
        reader, writer = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, reader)]
        child = os.posix_spawn(AUTORAY, [AUTORAY, "run", program, "--", kind, str(nodes), "compute"], ONE_THREAD, file_actions=actions)
        os.close(writer)
        with os.fdopen(reader) as out:
            lines = out.read().splitlines()
        _, status, usage = os.wait4(child, 0)
        if status:
            raise RuntimeError(f"lazy_nodes {kind} {nodes}: status {status}")
        times = by_line("\n".join(line for line in lines if "\t" in line))
        return {name: times[name] for name in ("trace", "statistics", "compute")} | {"memory": usage.ru_maxrss * 1024}

    small, large = 1_000_000, 10_000_000
    for kind in ("chain", "wide"):
        none = resident(kind, 1000)
        yield (f"lazy: bytes a node, {kind} of 10 million", (resident(kind, large) - none) / large, None, None, "resident after tracing")
        few, many = ([computed(kind, n) for _ in range(3)] for n in (small, large))
        for figure in few[0]:
            # The least of them: what else goes on, the host's memory above all, only adds.
            a, b = (min(c[figure] for c in group) for group in (few, many))
            seconds_of = None if figure == "memory" else b
            yield (f"lazy: {kind}, {figure} a node, from 1 to 10 million", b / a * small / large, seconds_of, None,
                   f"{b / large:.0f} bytes a node" if figure == "memory" else f"{b / large * 1e9:.0f} ns a node")


def parser():
    with open(os.path.join(HERE, "programs/gram_schmidt.ar")) as f:
        unit = f.read() + "\n\n"
    tokens = sum(t.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING) for t in tokenize.generate_tokens(io.StringIO(unit).readline))

    def check(copies):
        """Seconds and bytes of one check of a file of so many tokens."""
        script = Script(unit * copies)
        begin = time.perf_counter()
        child = os.spawnve(os.P_NOWAIT, AUTORAY, [AUTORAY, "check", script.file.name], ONE_THREAD)
        _, status, usage = os.wait4(child, 0)
        if status:
            raise RuntimeError(f"check: status {status}")
        return time.perf_counter() - begin, usage.ru_maxrss * 1024

    small, large = 50_000 // tokens, 200_000 // tokens
    none = statistics.median(check(0)[0] for _ in range(3))
    few, some, many = ([check(copies) for _ in range(5)] for copies in (small, 2 * small, large))
    t = statistics.median(m[0] for m in many) - none
    yield "parser: tokens a second", large * tokens / t, t, None, f"{large * tokens} tokens"
    # What the first N tokens find free in a started process is no cost of theirs: growth against growth.
    peaks = [statistics.median(m[1] for m in group) for group in (few, some, many)]
    first, second = (peaks[1] - peaks[0]) / (small * tokens), (peaks[2] - peaks[1]) / ((large - 2 * small) * tokens)
    yield ("parser: memory per token, from 2N to 4N, of N to 2N", second / first, None, None,
           f"{second:.0f} bytes a token of {first:.0f}, N = {small * tokens}")


def pictures():
    # The whole command: trace, layouts of every grouping before and after the passes, and the file.
    with open(os.path.join(ROOT, "examples/gram_schmidt.ar")) as f:
        script = Script(f.read())
    with tempfile.NamedTemporaryFile(suffix=".html") as page:
        command = [AUTORAY, "graph", script.file.name, "--call", "modified_gram_schmidt", "--arg", "X=float64[100,100]", "-o", page.name]
        t = statistics.median(seconds(command) for _ in range(ROUNDS))
        yield "pictures: 20,102 nodes as a page, seconds", t, t, None, f"{os.path.getsize(page.name) / 1e6:.1f} MB"


FIGURES = (("start", start), ("eager", gram_schmidt), ("eager", do_in_a_script), ("eager", call_from_cpp), ("scalars", scalars),
           ("arrays", arrays), ("products", products), ("sorting", sorting), ("lazy", lazy_gram_schmidt),
           ("lazy", lazy_nodes), ("parser", parser), ("pictures", pictures), ("native Gram-Schmidt", native_loops.gram_schmidt),
           ("native loops", native_loops.loops), ("native element-wise", native_elementwise.expressions),
           ("native compile", native_compile.cold), ("native compile", native_compile.scaling), ("native chain", native_chain.chain),
           ("native calls", native_calls.calls))


def main(words):
    with open(os.path.join(HERE, "limits.json")) as f:
        limits = json.load(f)
    wanted = lambda name: not words or any(word in name for word in words)
    seen, missed = set(), []
    print(f"{'':58} {'ours':>9} {'peer':>9} {'value':>10}  limit")
    for group, figure in FIGURES:
        # A word that names none of a group's lines need not wait for the group.
        if words and not any(w in name or w.startswith(group) for w in words for name in limits if name.startswith(group + ":")):
            continue
        try:
            for name, value, ours, theirs, note in figure():
                if not wanted(name):
                    continue
                pattern = name if name in limits else next((p for p in limits if fnmatch.fnmatchcase(name, p)), None)
                if pattern is None:
                    missed.append(f"{name}: no limit stands in limits.json")
                    continue
                seen.add(pattern)
                limit = limits[pattern]
                ok = value <= limit["at_most"] if "at_most" in limit else value >= limit["at_least"]
                bound = f"<= {limit['at_most']:g}" if "at_most" in limit else f">= {limit['at_least']:g}"
                shown = f"{value:.0f}" if value >= 1000 else f"{value:.3f}"
                print(f"{name:58} {time_text(ours):>9} {time_text(theirs):>9} {shown:>10}  {bound:10} {'ok' if ok else 'MISSED':7} {note}",
                      flush=True)
                if not ok:
                    missed.append(name)
        except (RuntimeError, OSError, ValueError, KeyError, StopIteration) as error:
            print(f"{group}: {error}", file=sys.stderr, flush=True)
    for name in limits:
        if name not in seen and wanted(name):
            print(f"{name:58} {'-':>9} {'-':>9} {'-':>10}  {'':10} MISSING")
            missed.append(name)
    if missed:
        print(f"{len(missed)} missed or missing: " + "; ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main(sys.argv[1:]))
