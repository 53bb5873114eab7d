"""Loops of small steps, traced by autojit and compiled to objects, against the same loops by hand in C++ (peers/), numpy, and
autojit through jax. A compiled function is called from a script, as numpy's is, an object's from C++, as the loops by hand are."""
import json
import os
import random
import tempfile

import numpy as np

from measure import AUTORAY, HERE, PEERS, ROUNDS, SEED, Script, by_hand, medians, program, run, timing

# Title, script, the peer's program and its variant.
LOOPS = (
    ("classical Gram-Schmidt", "classical_gram_schmidt", "gram_schmidt", "classical"),
    ("classical Gram-Schmidt by products", "block_gram_schmidt", "gram_schmidt", "classical"),
    ("Gram-Schmidt of columns", "column_gram_schmidt", "gram_schmidt", "columns"),
    ("Gram-Schmidt, complex128", "complex_gram_schmidt", "gram_schmidt", "complex"),
    ("Gram-Schmidt, float32", "float32_gram_schmidt", "gram_schmidt", "float32"),
    ("Cholesky", "cholesky", "triangular", "cholesky"),
    ("forward substitution", "forward_substitution", "triangular", "forward"),
    ("Jacobi sweeps", "jacobi_sweeps", "jacobi", "sweeps"),
)

OURS = '''
import sys
from autoray import autojit

n, seed, result, budget = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
operands = inputs(np.random.default_rng(seed), n)
f = autojit(compute)
np.save(result, f(*operands))
print(seconds_of_call(f, *operands, budget))
'''

# Also writes the operands, as the programs in C++ read them.
NUMPYS = '''
import sys

n, seed, result, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
operands = inputs(np.random.default_rng(seed), n)
with open(file, "wb") as f:
    for x in operands:
        x.tofile(f)
np.save(result, compute(*operands))
print(seconds_of_call(compute, *operands))
print(*(f"{x.dtype}{list(x.shape)}".replace(" ", "") for x in operands))
'''

# The host of an object: operands from a file, one behind the other; the result into one. Parameters are addresses to it.
HOST = '''
#include "peer.h"

#include <cstdint>

extern "C" std::int32_t compute({addresses});

int main(int argc, char** argv) {{
  std::vector<char> operands = read_file<char>(argv[1]), result({result_bytes}), workspace({workspace_bytes});
  std::printf("%.9g\\n", seconds_of_call([&] {{ compute({arguments}); }}));
  write_file(argv[2], result);
}}
'''

QR = '''
import sys
import numpy as np

X = np.random.default_rng(int(sys.argv[2])).standard_normal((int(sys.argv[1]), int(sys.argv[1])))
print(seconds_of_call(np.linalg.qr, X))
'''

JAX = '''
import sys
from autoray import autojit

X = np.random.default_rng(int(sys.argv[2])).standard_normal((int(sys.argv[1]), int(sys.argv[1])))
f = autojit(compute, backend="jax")
print(seconds_of_call(f, X, float(sys.argv[3])))
'''


class Loop:
    """One script and its peers on operands of one size; made, and agreed upon, before anything is timed."""

    def __init__(self, script, peer, variant, n, text=None):
        self.n, self.variant, self.hand = n, variant, by_hand(peer)
        self.folder = tempfile.TemporaryDirectory()
        self.path = lambda name: os.path.join(self.folder.name, name)
        text = text or program(script)
        parameters = text[text.index("def compute(") + len("def compute("):].split(")")[0].split(", ")
        self.ours = Script(text + timing(*parameters) + OURS)
        seconds, types = Script(text + timing(*parameters) + NUMPYS).python(
            str(n), str(SEED), self.path("numpy.npy"), self.path("operands"), interpreter=PEERS).splitlines()
        self.numpy_seconds = float(seconds)
        self.host = self.object_host(text, [f"{name}={type}" for name, type in zip(parameters, types.split())])
        self.ours_seconds()
        self.object_seconds()
        self.hand_seconds()
        want, got = np.load(self.path("numpy.npy")), np.load(self.path("ours.npy"))
        by_hand_got, object_got = (np.fromfile(self.path(name), dtype=want.dtype).reshape(want.shape) for name in ("hand", "object"))
        # Half of the digits: sweeps of rotations carry the peer's other order of sums a long way.
        tolerance = np.sqrt(np.finfo(want.dtype).eps) * np.abs(want).max()
        for name, x in (("autojit", got), ("the object", object_got), ("the loops by hand", by_hand_got)):
            if got.dtype != want.dtype or got.shape != want.shape or not np.abs(x - want).max() <= tolerance:
                raise RuntimeError(f"{script}, n = {n}, seed {SEED}: {name} and numpy differ by {np.abs(x - want).max():.3g}")

    def ours_seconds(self, budget=0.3):
        return float(self.ours.autoray("--", str(self.n), str(SEED), self.path("ours.npy"), str(budget)))

    def object_host(self, text, arguments):
        script, function, source, binary = (self.path(name) for name in ("script.ar", "compute.o", "host.cpp", "host"))
        with open(script, "w") as f:
            f.write(text)
        run([AUTORAY, "compile", script, "--call", "compute", *(part for a in arguments for part in ("--arg", a)), "-o", function])
        with open(self.path("compute.json")) as f:
            manifest = json.load(f)
        addresses, at, result_bytes = [], 0, 0
        for parameter in manifest["parameters"]:
            if parameter["passing"] == "output":
                addresses.append(f"result.data() + {result_bytes}")
                result_bytes += parameter["bytes"]
            else:
                addresses.append(f"operands.data() + {at}")
                at += parameter["bytes"]
        with open(source, "w") as f:
            f.write(HOST.format(addresses=", ".join(["void*"] * (len(addresses) + 1)), arguments=", ".join([*addresses, "workspace.data()"]),
                                result_bytes=result_bytes, workspace_bytes=manifest["workspace_bytes"]))
        run(["g++", "-std=c++17", "-O2", f"-I{os.path.join(HERE, 'peers')}", source, function, "-lm", "-o", binary])
        return binary

    def object_seconds(self):
        return float(run([self.host, self.path("operands"), self.path("object")]))

    def hand_seconds(self):
        return float(run([self.hand, self.variant, str(self.n), self.path("operands"), self.path("hand")]))


def gram_schmidt():
    """The reference's own script."""
    text = program("modified_gram_schmidt")
    qr = Script(timing("X") + QR)
    jax = Script(text + timing("X") + JAX)
    for n in (50, 100):
        loop = Loop("modified_gram_schmidt", "gram_schmidt", "modified", n)
        samples = [(loop.ours_seconds(), loop.hand_seconds(), float(qr.python(str(n), str(SEED), interpreter=PEERS)))
                   for _ in range(ROUNDS)]
        ours, hand, ratio = medians([(a, b) for a, b, _ in samples])
        yield (f"native Gram-Schmidt: {n}x{n}, of loops by hand", ratio, ours, hand,
               f"g++ -O3 -march=native -ffast-math; {loop.numpy_seconds / ours:.0f} times as fast as numpy")
        ours, theirs, ratio = medians([(a, c) for a, _, c in samples])
        yield f"native Gram-Schmidt: {n}x{n}, of numpy's QR", ratio, ours, theirs, ""
    ours = Loop("modified_gram_schmidt", "gram_schmidt", "modified", 50)
    # jax takes seconds to compile a run's function. Both are looked at for as long: the machine's slow phases last for less.
    budget = 3.0
    ours, theirs, ratio = medians([(ours.ours_seconds(budget), float(jax.python("50", str(SEED), str(budget), interpreter=PEERS)))
                                   for _ in range(3)])
    yield "native Gram-Schmidt: 50x50, of autojit through jax", ratio, ours, theirs, f"{1 / ratio:.0f} times as fast"


def loops():
    sizes = random.Random(SEED)
    for title, script, peer, variant in LOOPS:
        n = sizes.randint(20, 130)
        loop = Loop(script, peer, variant, n)
        samples = [(loop.ours_seconds(), loop.object_seconds(), loop.hand_seconds()) for _ in range(ROUNDS)]
        for name, which in (("", 0), (" as an object", 1)):
            ours, hand, ratio = medians([(s[which], s[2]) for s in samples])
            yield (f"native loops: {title}{name}, of loops by hand", ratio, ours, hand,
                   f"n = {n}, seed {SEED}; {loop.numpy_seconds / ours:.0f} times as fast as numpy")
