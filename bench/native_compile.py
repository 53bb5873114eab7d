"""What the first call of a compiled function costs, in milliseconds of the processor and by its number of nodes."""
import math
import os
import statistics
import tempfile

from measure import ROOT, ROUNDS, Script, by_line, program

# Seconds of tracing alone, of the first call, and of one that finds everything compiled.
FIRST_CALL = '''
import sys, time
from autoray import autojit, lazy

X = np.random.default_rng(1).standard_normal((int(sys.argv[1]), int(sys.argv[1])))
f = autojit(compute)
for name, call in (("first", f), ("next", f), ("trace", lambda x: compute(lazy.array(x)))):
    begin = time.process_time()
    call(X)
    print(name, time.process_time() - begin, sep="\\t")
'''

# Three nodes a step, and one kernel for all steps.
STEPS = '''
import sys, time
import numpy as np
from autoray import autojit


def compute(P, q, steps):
    for i in range(steps):
        p = P[i % 8]
        q = q - (p @ q) * p
    return q


P = [x / np.linalg.norm(x) for x in np.random.default_rng(1).standard_normal((8, 24))]
f = autojit(compute)
for name in ("first", "next"):
    begin = time.process_time()
    f(P, P[0] + P[1], int(sys.argv[1]) // 3)
    print(name, time.process_time() - begin, sep="\\t")
'''
NODES = (100, 1_000, 10_000, 100_000, 1_000_000)
LIMIT = 2e-6  # seconds a node: the plot's line


def first_calls(script, size, rounds, cache=None):
    """The medians of what the script prints, each time of a process of its own."""
    samples = [by_line(script.autoray("--", str(size), cache=cache)) for _ in range(rounds)]
    return {name: statistics.median(s[name] for s in samples) for name in samples[0]}


def cold():
    script = Script(program("modified_gram_schmidt") + FIRST_CALL)
    for n in (50, 100):
        t = first_calls(script, n, 2 * ROUNDS + 1)
        yield (f"native compile: Gram-Schmidt {n}x{n}, cold, milliseconds", t["first"] * 1e3, t["first"], None,
               f"of which {t['trace'] * 1e3:.1f} ms is tracing")
    with tempfile.TemporaryDirectory() as cache:
        first_calls(script, 50, 1, cache)
        t = first_calls(script, 50, 2 * ROUNDS + 1, cache)
    yield ("native compile: Gram-Schmidt 50x50 with a warm cache, milliseconds more than tracing", (t["first"] - t["trace"]) * 1e3,
           t["first"], None, f"tracing is {t['trace'] * 1e3:.1f} ms")


def plot(path, points):
    """Seconds over nodes, both logarithmic, as an SVG of two lines: what was measured, and the limit."""
    width, height, margin = 480, 320, 48
    left, right, bottom, top = 2, 6, -4, 1  # powers of ten

    def at(nodes, seconds):
        x = margin + (math.log10(nodes) - left) / (right - left) * (width - 2 * margin)
        y = height - margin - (math.log10(seconds) - bottom) / (top - bottom) * (height - 2 * margin)
        return f"{x:.1f},{y:.1f}"

    kernels = points[0][1]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for power in range(left, right + 1):
        x, y = at(10.0 ** power, 10.0 ** bottom).split(",")
        parts.append(f'<text x="{x}" y="{float(y) + 16}" text-anchor="middle">10^{power}</text>')
    for power in range(bottom, top + 1):
        x, y = at(10.0 ** left, 10.0 ** power).split(",")
        parts.append(f'<path d="M{x} {y}H{width - margin}" stroke="#ddd"/>'
                     f'<text x="{float(x) - 6}" y="{float(y) + 4}" text-anchor="end">10^{power} s</text>')
    lines = (("#c33", [(n, kernels + LIMIT * n) for n, _ in points], f"kernels + {LIMIT * 1e6:g} us a node"),
             ("#036", points, "first call"))
    for row, (colour, line, title) in enumerate(lines):
        parts.append(f'<polyline points="{" ".join(at(*p) for p in line)}" fill="none" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="{margin + 12}" y="{margin + 16 * row}" fill="{colour}">{title}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">nodes</text></svg>')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write("\n".join(parts) + "\n")


def scaling():
    script = Script(STEPS)
    points = []
    for nodes in NODES:
        t = first_calls(script, nodes, 3)
        points.append((nodes, t["first"] - t["next"]))
    seconds = dict(points)
    path = os.path.join(ROOT, "build/bench/native_compile.svg")
    plot(path, points)

    def slope(few, many):
        return (seconds[many] - seconds[few]) / (many - few)

    yield ("native compile: microseconds a node, from 1,000 to 1,000,000", slope(1_000, 1_000_000) * 1e6, seconds[1_000_000], None,
           "; ".join(f"{n:,}: {t * 1e3:.1f} ms" for n, t in points) + f"; plotted in {os.path.relpath(path, ROOT)}")
    yield ("native compile: a node from 100,000 to 1,000,000, of one from 1,000 to 100,000",
           slope(100_000, 1_000_000) / slope(1_000, 100_000), None, None, "")
