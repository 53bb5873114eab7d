"""Sums of every length have the bits of the documented order (src/runtime/reduction/order.h), eagerly, compiled and in objects."""
import numpy as np
import pytest

from test_compile import Library, script_file
from test_native import run_text

LENGTHS = [*range(1, 70), 127, 128, 129, *range(250, 262), 400, 511, 512, 513, 777]


def by_the_rule(terms):
    """Along the last axis, one addition of the terms' dtype after the other."""
    n = terms.shape[-1]
    if n > 256:
        head = max(n // 2 // 256 * 256, 256)
        return by_the_rule(terms[..., :head]) + by_the_rule(terms[..., head:])
    lanes = np.zeros(terms.shape[:-1] + (16,), terms.dtype)
    at = n // 16 * 16
    for i in range(0, at, 16):
        lanes = lanes + terms[..., i:i + 16]
    for width in (8, 4, 2, 1):
        lanes = lanes[..., :width] + lanes[..., width:]
        if n & width:
            lanes = lanes + terms[..., at:at + width]
            at += width
    return lanes[..., 0]


SUMS = """
import sys
import numpy as np
from autoray import autojit


def sums(A, v):
    return (np.sum(v), np.dot(v, v), np.sum(A, axis=1), np.sum(A.T, axis=0), A @ v, np.sum(A[:, ::-1], axis=1),
            np.sum(A[0] * 2 - v), np.linalg.norm(v), np.sum(np.expm1(A), axis=1), np.mean(A, axis=1))


data = np.load(sys.argv[1])
results = {}
for name in data.files:
    if not name.startswith("A"):
        continue
    A, v = data[name], data["v" + name[1:]]
    f = autojit(sums)
    for kind, values in (("eager", sums(A, v)), ("native", f(A, v)), ("again", f(A, v))):
        for k, value in enumerate(values):
            results[f"{kind} {name} {k}"] = value
np.savez(sys.argv[2], **results)
"""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_length(dtype, tmp_path):
    rng = np.random.default_rng(5)
    data = {}
    for n in LENGTHS:
        data[f"A{n}"] = rng.standard_normal((6, n)).astype(dtype)  # four rows side by side, and two
        data[f"v{n}"] = rng.standard_normal(n).astype(dtype)
    np.savez(tmp_path / "in.npz", **data)
    done = run_text(tmp_path, SUMS, "--", tmp_path / "in.npz", tmp_path / "out.npz")
    assert done.returncode == 0, done.stderr
    got = np.load(tmp_path / "out.npz")
    for n in LENGTHS:
        A, v = data[f"A{n}"], data[f"v{n}"]
        rule = [by_the_rule(v), by_the_rule(v * v), by_the_rule(A), by_the_rule(A), by_the_rule(A * v), by_the_rule(A[:, ::-1].copy()),
                by_the_rule(A[0] * 2 - v), np.sqrt(by_the_rule(v * v)), None, by_the_rule(A) / A.dtype.type(n)]
        for k, want in enumerate(rule):
            eager = got[f"eager A{n} {k}"]
            if want is not None:
                assert np.array_equal(eager, want), (n, k)
            for kind in ("native", "again"):
                assert np.array_equal(eager, got[f"{kind} A{n} {k}"]), (n, k, kind)


OBJECT = """
import numpy as np


def sums(A, v):
    return (np.sum(v), np.dot(v, v), np.sum(A, axis=1), np.sum(A.T, axis=0), A @ v, np.sum(A[:, ::-1], axis=1), np.sum(A[0] * 2 - v))
"""


@pytest.mark.parametrize("cpu", ["x86-64-v2", "x86-64-v3", "native"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_vectors_of_every_width(dtype, cpu, tmp_path):
    rng = np.random.default_rng(6)
    script = script_file(tmp_path, OBJECT)
    for n in (1, 2, 3, 7, 12, 16, 21, 31, 47, 255, 300, 600):
        A, v = rng.standard_normal((6, n)).astype(dtype), rng.standard_normal(n).astype(dtype)
        folder = tmp_path / str(n)
        folder.mkdir()
        got = Library(folder, script, "sums", f"A={dtype}[6,{n}]", f"v={dtype}[{n}]", options=[f"--cpu={cpu}"])(A=A, v=v)
        want = (by_the_rule(v), by_the_rule(v * v), by_the_rule(A), by_the_rule(A), by_the_rule(A * v),
                by_the_rule(A[:, ::-1].copy()), by_the_rule(A[0] * 2 - v))
        for k, (a, b) in enumerate(zip(got, want)):
            assert np.array_equal(a, b), (n, k)


RECURRENCES = """
import numpy as np


def solve(L, b):
    x = np.zeros_like(b)
    for i in range(L.shape[0]):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


def factor(A):
    L = np.zeros_like(A)
    for j in range(A.shape[0]):
        L[j, j] = np.sqrt(A[j, j] - L[j, :j] @ L[j, :j])
        L[j + 1:, j] = (A[j + 1:, j] - L[j + 1:, :j] @ L[j, :j]) / L[j, j]
    return L
"""
COMPARED = RECURRENCES + """
import sys
from autoray import autojit

data = np.load(sys.argv[1])
results = {}
for n in data["sizes"].tolist():
    A, b = data[f"A{n}"], data[f"b{n}"]
    L = factor(A)
    results[f"L{n}"], results[f"x{n}"] = L, solve(L, b)
    assert np.array_equal(autojit(factor)(A), L), n
    assert np.array_equal(autojit(solve)(L, b), results[f"x{n}"]), n
np.savez(sys.argv[2], **results)
"""


@pytest.mark.parametrize("dtype, rough", [("float64", 1e-12), ("float32", 1e-4)])
def test_recurrences(dtype, rough, tmp_path):
    """Each sum reads what the one before it has written."""
    sizes = [*range(1, 41), 63, 64, 65, 100]
    rng = np.random.default_rng(8)
    data = {"sizes": np.array(sizes)}
    for n in sizes:
        X = rng.standard_normal((n, n))
        data[f"A{n}"], data[f"b{n}"] = (X @ X.T + n * np.eye(n)).astype(dtype), rng.standard_normal(n).astype(dtype)
    np.savez(tmp_path / "in.npz", **data)
    done = run_text(tmp_path, COMPARED, "--", tmp_path / "in.npz", tmp_path / "out.npz")
    assert done.returncode == 0, done.stderr
    got = np.load(tmp_path / "out.npz")
    for n in sizes:
        L, x = got[f"L{n}"], got[f"x{n}"]
        assert np.abs(L @ L.T - data[f"A{n}"]).max() <= rough * np.abs(data[f"A{n}"]).max()
        assert np.abs(L @ x - data[f"b{n}"]).max() <= rough * n
    script = script_file(tmp_path, RECURRENCES)
    for n in (1, 5, 24, 39, 64):
        folder = tmp_path / str(n)
        folder.mkdir()
        square, row = f"{dtype}[{n},{n}]", f"{dtype}[{n}]"
        assert np.array_equal(Library(folder, script, "factor", f"A={square}")(A=data[f"A{n}"]), got[f"L{n}"])
        assert np.array_equal(Library(folder, script, "solve", f"L={square}", f"b={row}")(L=got[f"L{n}"], b=data[f"b{n}"]), got[f"x{n}"])
