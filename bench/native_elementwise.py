"""Element-wise expressions and reductions under autojit against numpy, numexpr, numba and jax, and against the memory itself.

One policy for all: a call gives a new array, and the memory of one that was dropped is used again, in huge pages. Ours does so by
itself; the peers' allocator is told to."""
import os
import statistics
import tempfile

import numpy as np

from measure import HERE, ONE_THREAD, PEERS, Script, by_hand, by_line, program, run, timing

EXPRESSIONS = ("poly", "trig", "norm", "soft")
SIZES = (1_000, 1_000_000, 10_000_000)
ROUNDS = 3
# Arrays that are read or written, where memory is what limits. The triad has three, together as large as these, so that the
# same cache or memory holds them.
TRAFFIC = {"poly": 4, "norm": 3}
KEEP_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.arena_max=1:"
                                 "glibc.malloc.trim_threshold=17179869184"}

OURS = '''
import sys
from autoray import autojit

n, folder = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
a, b, c = [rng.standard_normal(n) for _ in range(3)]
for f in (poly, trig, norm, soft):
    name, f = f.__name__, autojit(f)
    if folder:
        np.save(folder + "/" + name + ".npy", f(a, b, c))
    else:
        print(name, seconds_of_call(f, a, b, c, 0.15), sep="\\t")
'''


def agree(ours, text, n):
    names = {}
    exec(text, names)
    rng = np.random.default_rng(0)
    operands = [rng.standard_normal(n) for _ in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        ours.autoray("--", str(n), folder)
        for name in EXPRESSIONS:
            if not np.allclose(np.load(f"{folder}/{name}.npy"), names[name](*operands), rtol=1e-9, atol=1e-9 * (n if name == "norm" else 1)):
                raise RuntimeError(f"{name} of {n} elements: autojit and numpy differ")


def expressions():
    text = program("expressions") + timing("a", "b", "c")
    ours, shared = Script(text + OURS), Script(text)
    environment = {**ONE_THREAD, **KEEP_MEMORY}
    for n in SIZES:
        agree(ours, text, n)
        peers = [PEERS, os.path.join(HERE, "peers/elementwise.py"), shared.file.name, str(n)]
        samples = []
        for _ in range(ROUNDS):
            triads = {arrays: float(run([by_hand("triad"), str(n * arrays // 3)], environment=environment)) for arrays in set(TRAFFIC.values())}
            samples.append((by_line(ours.autoray("--", str(n), "")), by_line(run(peers, environment=environment)), triads))
        for name in EXPRESSIONS:
            seconds = statistics.median(s[0][name] for s in samples)
            theirs = {key.split()[1]: statistics.median(s[1][key] for s in samples) for key in samples[0][1] if key.startswith(name)}

            def ratio(peer):
                return statistics.median(s[0][name] / s[1][f"{name} {peer}"] for s in samples)

            best = min(theirs, key=theirs.get)
            yield (f"native element-wise: {name}, {n:,}, of the best peer", ratio(best), seconds, theirs[best],
                   best + "; of " + ", ".join(f"{peer}'s {ratio(peer):.2f}" for peer in theirs if peer != best))
            if name == "trig" and n <= 1_000_000:
                yield f"native element-wise: trig, {n:,}, of jax", ratio("jax"), seconds, theirs["jax"], ""
            if n >= 1_000_000 and name in TRAFFIC:
                arrays = TRAFFIC[name]
                triad = statistics.median(s[2][arrays] for s in samples)
                share = statistics.median(s[2][arrays] / s[0][name] for s in samples)
                yield (f"native element-wise: {name}, {n:,}, bandwidth, of a triad's", share, seconds, triad,
                       f"{arrays * 8 * n / seconds / 1e9:.1f} GB/s of {arrays * 8 * n / triad / 1e9:.1f}")
