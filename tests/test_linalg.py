"""Decompositions and solves by what defines them: residuals and invariants, at most 50 n eps ||A||.

Python makes the matrices and checks; one script, run once a backend, loads them, decomposes each in four memory layouts,
and saves what it got.
"""
import os
import re

import numpy as np
import pytest

from conftest import BACKENDS, autoray

# One process computes what all tests of this file compare.
pytestmark = pytest.mark.xdist_group("linalg")

SCRIPT = '''
import sys
import numpy as np

data = np.load(sys.argv[1])
out = {}

def layouts(x):
    m, n = x.shape[-2:]
    spread = np.zeros(x.shape[:-2] + (2 * m, 3 * n), dtype=x.dtype)
    spread[..., ::2, ::3] = x
    made = [("c", x)]
    if x.size < 2000:
        made.append(("f", np.swapaxes(np.swapaxes(x, -1, -2).copy(), -1, -2)))
        made.append(("s", spread[..., ::2, ::3]))
        made.append(("r", x[..., ::-1, ::-1].copy()[..., ::-1, ::-1]))
    return made

def keep(name, *items):
    for i, item in enumerate(items):
        out[name + "." + str(i)] = np.asarray(item)

for key in data.files:
    kind = key.split("_")[0]
    if kind == "b":
        continue
    for layout, a in layouts(data[key]):
        name = key + "." + layout
        m, n = a.shape[-2:]
        keep(name + ".svd", *np.linalg.svd(a))
        keep(name + ".thin", *np.linalg.svd(a, full_matrices=False))
        keep(name + ".values", np.linalg.svd(a, compute_uv=False))
        keep(name + ".qr", *np.linalg.qr(a))
        keep(name + ".complete", *np.linalg.qr(a, mode="complete"))
        keep(name + ".r", np.linalg.qr(a, mode="r"))
        keep(name + ".pinv", np.linalg.pinv(a, rcond=1e-12))
        keep(name + ".rank", np.linalg.matrix_rank(a, tol=1e-10))
        if a.ndim == 2 and m > 0:
            x, residuals, rank, s = np.linalg.lstsq(a, data["b_" + key], rcond=1e-12)
            keep(name + ".lstsq", x, residuals, rank, s)
        if kind in ("square", "hermitian", "definite"):
            keep(name + ".eig", *np.linalg.eig(a))
            keep(name + ".eigvals", np.linalg.eigvals(a))
            keep(name + ".det", np.linalg.det(a))
            keep(name + ".slogdet", *np.linalg.slogdet(a))
            keep(name + ".inv", np.linalg.inv(a))
            if a.ndim == 2:
                keep(name + ".solve", np.linalg.solve(a, data["b_" + key]))
                keep(name + ".solve1", np.linalg.solve(a, data["b_" + key][:, 0]))
        if kind in ("hermitian", "definite"):
            keep(name + ".eigh", *np.linalg.eigh(a))
            # The other triangle must not be read.
            keep(name + ".eighL", *np.linalg.eigh(np.tril(a)))
            keep(name + ".eighU", *np.linalg.eigh(np.triu(a), "U"))
            keep(name + ".eigvalsh", np.linalg.eigvalsh(a))
            keep(name + ".hsvd", *np.linalg.svd(a, hermitian=True))
        if kind == "definite":
            keep(name + ".cholesky", np.linalg.cholesky(a))
            keep(name + ".upper", np.linalg.cholesky(a, upper=True))
np.savez(sys.argv[2], **out)
'''


def transposed(a):
    return np.conj(np.swapaxes(a, -1, -2))


def matrices():
    rng = np.random.default_rng(2024)

    def normal(shape, dtype):
        x = rng.standard_normal(shape)
        return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)

    made = {}
    for dtype in ("float32", "float64", "complex64", "complex128"):
        for m, n in [(1, 1), (2, 2), (5, 3), (3, 5), (17, 17), (40, 12), (12, 40), (1, 6), (6, 1), (3, 0), (0, 3)]:
            made[f"general_{m}x{n}_{dtype}"] = normal((m, n), dtype)
        made[f"general_stack_{dtype}"] = normal((2, 3, 6, 4), dtype)
        made[f"general_emptystack_{dtype}"] = normal((0, 3, 2), dtype)
        for n in (1, 2, 7, 30, 0):
            made[f"square_{n}_{dtype}"] = normal((n, n), dtype) + 2 * np.eye(n, dtype=dtype)
            h = normal((n, n), dtype)
            made[f"hermitian_{n}_{dtype}"] = (h + transposed(h)).astype(dtype)
            made[f"definite_{n}_{dtype}"] = (h @ transposed(h) / max(n, 1) + np.eye(n)).astype(dtype)
        h = normal((3, 5, 5), dtype)
        made[f"definite_stack_{dtype}"] = (h @ transposed(h) + np.eye(5)).astype(dtype)
        made[f"square_stack_{dtype}"] = normal((2, 2, 4, 4), dtype) + 2 * np.eye(4, dtype=dtype)
    for dtype in ("float64", "complex128"):
        made[f"general_rank2_{dtype}"] = normal((20, 2), dtype) @ normal((2, 9), dtype)
        made[f"general_zero_{dtype}"] = np.zeros((4, 4), dtype)
        q, _ = np.linalg.qr(normal((12, 12), dtype))
        p, _ = np.linalg.qr(normal((12, 12), dtype))
        made[f"square_ill_{dtype}"] = (q * np.logspace(0, -9, 12)) @ p
        made[f"general_large_{dtype}"] = normal((130, 90), dtype)
        made[f"hermitian_large_{dtype}"] = (lambda h: h + transposed(h))(normal((100, 100), dtype))
    made["square_int"] = np.array([[2, 1, 0], [1, 3, 1], [0, 1, 4]])
    made["square_rotation_float64"] = np.array([[0.0, -1], [1, 0]])
    made["general_bool"] = np.array([[True, False], [True, True], [False, True]])
    for key, a in list(made.items()):
        if a.ndim == 2:
            made[f"b_{key}"] = normal((a.shape[0], 3), a.dtype if a.dtype.kind in "fc" else "float64")
    return made


@pytest.fixture(scope="module")
def inputs():
    return matrices()


@pytest.fixture(scope="module", params=BACKENDS)
def results(request, inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("linalg")
    np.savez(folder / "in.npz", **inputs)
    (folder / "decompose.ar").write_text(SCRIPT)
    done = autoray("run", folder / "decompose.ar", f"--backend={request.param}", "--", folder / "in.npz", folder / "out.npz")
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(folder / "out.npz"))


def groups(results, inputs, *suffixes):
    """(matrix in double, its scale, tolerance, name, the items of each suffix)"""
    for key, a in inputs.items():
        if key.startswith("b_"):
            continue
        for layout in "cfsr":
            name = f"{key}.{layout}"
            if f"{name}.{suffixes[0]}.0" not in results:
                continue
            items = []
            for suffix in suffixes:
                group = []
                while f"{name}.{suffix}.{len(group)}" in results:
                    group.append(results[f"{name}.{suffix}.{len(group)}"])
                items.append(group)
            wide = a.astype("complex128" if a.dtype.kind == "c" else "float64")
            scale = np.linalg.norm(wide) if wide.size else 1
            n = max(1, *a.shape[-2:])
            eps = np.finfo(a.dtype).eps if a.dtype.kind in "fc" else np.finfo(float).eps
            yield wide, scale, 50 * n * eps, name, items, a.dtype


def expect_close(a, b, tolerance, name):
    assert a.shape == b.shape, f"{name}: {a.shape} is not {b.shape}"
    error = np.max(np.abs(a - b), initial=0)
    assert error <= tolerance, f"{name}: {error} > {tolerance}"


def expect_unitary(q, tolerance, name):
    expect_close(transposed(q) @ q, np.broadcast_to(np.eye(q.shape[-1]), q.shape[:-2] + (q.shape[-1],) * 2), tolerance, name)


def result_dtype(dtype):
    return dtype if dtype.kind in "fc" else np.dtype(float)


def test_svd(results, inputs):
    seen = 0
    for a, scale, eps, name, ((u, s, vh), (tu, ts, tvh), (values,)), dtype in groups(results, inputs, "svd", "thin", "values"):
        m, n = a.shape[-2:]
        k = min(m, n)
        assert u.dtype == vh.dtype == result_dtype(dtype) and s.dtype == np.zeros(0, result_dtype(dtype)).real.dtype, name
        assert u.shape[-2:] == (m, m) and vh.shape[-2:] == (n, n) and tu.shape[-2:] == (m, k) and tvh.shape[-2:] == (k, n), name
        for q in (u, transposed(vh), tu, transposed(tvh)):
            expect_unitary(q, eps, name)
        expect_close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a, eps * scale, name)
        expect_close((tu * ts[..., None, :]) @ tvh, a, eps * scale, name)
        assert np.all(np.diff(s, axis=-1) <= 0) and np.all(s >= 0), name
        for other in (ts, values, np.linalg.svd(a, compute_uv=False)):
            expect_close(s, other, eps * scale, name)
        seen += 1
    assert seen > 200


def test_qr(results, inputs):
    for a, scale, eps, name, ((q, r), (cq, cr), (alone,)), dtype in groups(results, inputs, "qr", "complete", "r"):
        assert q.dtype == r.dtype == result_dtype(dtype), name
        for x, y in ((q, r), (cq, cr)):
            expect_unitary(x, eps, name)
            expect_close(x @ y, a, eps * scale, name)
            assert np.all(np.tril(y, -1) == 0), name
        expect_close(alone, r, eps * scale, name)


def test_eig(results, inputs):
    for a, scale, eps, name, ((w, v), (values,)), dtype in groups(results, inputs, "eig", "eigvals"):
        expect_close(a @ v, v * w[..., None, :], eps * scale, name)
        expect_close(np.linalg.norm(v, axis=-2), np.ones(w.shape), eps, name)
        expect_close(w.sum(-1), np.trace(a, axis1=-2, axis2=-1), eps * scale, name)
        assert w.dtype == v.dtype == np.linalg.eig(a.astype(dtype)).eigenvalues.dtype, name
        assert values.dtype == w.dtype, name


def test_eigh(results, inputs):
    for a, scale, eps, name, (*each, (values,), (u, s, vh)), dtype in groups(results, inputs, "eigh", "eighL", "eighU", "eigvalsh",
                                                                             "hsvd"):
        for w, v in each:
            assert w.dtype.kind == "f" and v.dtype == result_dtype(dtype), name
            expect_unitary(v, eps, name)
            expect_close(a @ v, v * w[..., None, :], eps * scale, name)
            assert np.all(np.diff(w, axis=-1) >= 0), name
            expect_close(w, values, eps * scale, name)
        expect_close((u * s[..., None, :]) @ vh, a, eps * scale, name)
        assert np.all(np.diff(s, axis=-1) <= 0), name


def test_cholesky(results, inputs):
    for a, scale, eps, name, ((lower,), (upper,)), dtype in groups(results, inputs, "cholesky", "upper"):
        expect_close(lower @ transposed(lower), a, eps * scale, name)
        expect_close(transposed(upper) @ upper, a, eps * scale, name)
        assert np.all(np.triu(lower, 1) == 0) and np.all(np.tril(upper, -1) == 0) and lower.dtype == result_dtype(dtype), name


def test_inverse_and_determinant(results, inputs):
    for a, scale, eps, name, ((inverse,), (det,), (sign, log)), dtype in groups(results, inputs, "inv", "det", "slogdet"):
        condition = np.max(np.linalg.cond(a), initial=1) if a.size else 1
        identity = np.broadcast_to(np.eye(a.shape[-1]), a.shape)
        if dtype.itemsize // (2 if dtype.kind == "c" else 1) == 8:
            # Computed in double; in single the rounding of the inverse itself dominates.
            expect_close(a @ inverse, identity, eps * condition, name)
        expected = np.linalg.slogdet(a)
        expect_close(sign, expected.sign, eps * condition, name)
        expect_close(log, expected.logabsdet, eps * condition * max(1, np.max(np.abs(expected.logabsdet), initial=1)), name)
        expect_close(det, np.linalg.det(a), eps * condition * max(1, np.max(np.abs(np.linalg.det(a)), initial=1)), name)
        assert det.dtype == sign.dtype == inverse.dtype == result_dtype(dtype), name


def test_solve(results, inputs):
    for a, scale, eps, name, ((x,), (x1,)), dtype in groups(results, inputs, "solve", "solve1"):
        b = inputs["b_" + name.rsplit(".", 1)[0]]
        size = np.max(np.abs(x), initial=1)
        expect_close(a @ x, b, eps * scale * size, name)
        expect_close(x1, x[:, 0], eps * scale * size, name)


def test_least_squares(results, inputs):
    for a, scale, eps, name, ((x, residuals, rank, s),), dtype in groups(results, inputs, "lstsq"):
        b = inputs["b_" + name.rsplit(".", 1)[0]]
        ours, theirs = (x, residuals, rank, s), np.linalg.lstsq(a, b, rcond=1e-12)
        assert rank == theirs[2] and rank.dtype == np.int32, name
        condition = s[0] / s[rank - 1] if rank else 1
        # The normal equations hold, and the solution has the smallest norm.
        expect_close(transposed(a) @ (a @ x - b), np.zeros(x.shape), eps * scale * scale * max(1, np.abs(x).max(initial=1)), name)
        expect_close(x, theirs[0], eps * condition * max(1, np.abs(theirs[0]).max(initial=1)), name)
        expect_close(residuals, theirs[1], eps * condition * np.linalg.norm(b) ** 2, name)
        expect_close(s, theirs[3], eps * scale, name)
        assert x.dtype == np.result_type(result_dtype(dtype), b.dtype), name
        assert ours[1].dtype.kind == "f", name


def test_pseudo_inverse_and_rank(results, inputs):
    for a, scale, eps, name, ((p,), (rank,)), dtype in groups(results, inputs, "pinv", "rank"):
        if "ill" not in name:
            expect_close(a @ p @ a, a, eps * scale * max(1, np.max(np.abs(p), initial=1) * scale), name)
        assert np.array_equal(rank, np.linalg.matrix_rank(a, tol=1e-10)), name


def test_without_openblas_eigen_computes_and_says_so(tmp_path):
    for name in ("libopenblas.so.0", "libopenblas.so"):
        (tmp_path / name).write_text("not a library")
    script = tmp_path / "solve.ar"
    script.write_text("import numpy as np\nprint(np.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0]))\n")
    done = autoray("run", script, "--explain", env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)})
    assert done.returncode == 0 and done.stdout == "[0.5  0.25]\n", done.stderr
    assert "RuntimeWarning: OpenBLAS cannot be loaded" in done.stderr
    assert re.search(r"linalg\.solve .*Eigen", done.stderr), done.stderr


def test_the_table_tells_who_decomposes(tmp_path):
    script = tmp_path / "svd.ar"
    script.write_text("import numpy as np\nnp.linalg.svd(np.eye(2))\n")
    for backend, library in (("numpy", "LAPACK"), ("eigen", "Eigen")):
        done = autoray("run", script, "--explain", f"--backend={backend}")
        assert re.search(rf"linalg\.svd .*{library}", done.stderr), done.stderr


def test_exponentials_against_extended_precision(tmp_path):
    """exp(A) by a Taylor series in long double, scaled far down: errors of 1e-13 relative at most."""
    rng = np.random.default_rng(5)
    made = {}
    for n in (2, 5, 20):
        for scale in (1e-6, 0.1, 0.9, 3, 20):
            x = rng.standard_normal((n, n)) * scale / np.sqrt(n)
            z = x + 1j * rng.standard_normal((n, n)) * scale / np.sqrt(n)
            for kind, a in (("full", x), ("upper", np.triu(x)), ("lower", np.tril(x)), ("complex", z), ("skew", x - x.T)):
                made[f"{kind}_{n}_{scale}"] = a

    def exponential(a):
        dtype = np.clongdouble if a.dtype.kind == "c" else np.longdouble
        halvings = max(0, int(np.ceil(np.log2(np.linalg.norm(a, 1))))) + 4
        x = a.astype(dtype) / np.array(2, dtype) ** halvings
        total = term = np.eye(len(a), dtype=dtype)
        for k in range(1, 30):
            term = term @ x / k
            total = total + term
        for _ in range(halvings):
            total = total @ total
        return total.astype(a.dtype)

    np.savez(tmp_path / "in.npz", **made)
    (tmp_path / "expm.ar").write_text("import sys\nimport numpy as np\nfrom scipy.linalg import expm\n"
                                      "data = np.load(sys.argv[1])\n"
                                      "np.savez(sys.argv[2], **{key: expm(data[key]) for key in data.files})\n")
    for backend in BACKENDS:
        done = autoray("run", tmp_path / "expm.ar", f"--backend={backend}", "--", tmp_path / "in.npz", tmp_path / "out.npz")
        assert done.returncode == 0, done.stderr[-3000:]
        for key, value in np.load(tmp_path / "out.npz").items():
            expected = exponential(made[key])
            error = np.linalg.norm(value - expected) / np.linalg.norm(expected)
            assert error <= 1e-13, f"{key}: {error}"
