"""Objects of `autoray compile`: what they compute against CPython with numpy, what they need, what cannot become one."""
import ctypes
import json
import os
import pty
import re
import subprocess
import textwrap

import numpy as np
import pytest

import native_programs
from conftest import ROOT, autoray

GRAM_SCHMIDT = ROOT / "examples/gram_schmidt.ar"
HEAT = ROOT / "examples/heat.ar"
NETWORK = """\
import numpy as np

def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)

def predict(x, layers):
    h = np.maximum(x @ layers[0] + layers[1], 0.0)
    h = np.tanh(h @ layers[2] + layers[3])
    return softmax(h @ layers[4] + layers[5])
"""
LAYERS = [(20, 64), (64,), (64, 32), (32,), (32, 10), (10,)]
TYPES = {"uint8_t": np.uint8, "double": np.float64, "float": np.float32}


def run(*command, **kwargs):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **kwargs)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def compiled(script, function, *arguments, output, status=0, options=()):
    flags = [flag for a in arguments for flag in ("--arg", a)]
    done = autoray("compile", script, "--call", function, *flags, "-o", output, *options)
    assert done.returncode == status, done.stderr
    return done


def script_file(folder, text, name="script.ar"):
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def python_function(path, name):
    space = {"__name__": "script"}
    exec(compile(path.read_text(), str(path), "exec"), space)
    return space[name]


class Library:
    """A compiled .so, called as its manifest says."""

    def __init__(self, folder, script, function, *arguments, options=()):
        path = folder / f"{function}.so"
        self.done = compiled(script, function, *arguments, output=path, options=options)
        self.manifest = json.loads(path.with_suffix(".json").read_text())
        self.library = ctypes.CDLL(str(path))
        self.entry = getattr(self.library, self.manifest["symbol"])
        self.entry.restype = ctypes.c_int32

    def __call__(self, **given):
        """Arrays by parameter name; what is written is written there. Returns the result in its containers."""
        arrays, passed = {}, []
        for p in self.manifest["parameters"]:
            if p["passing"] == "value":
                passed.append(ctypes.c_double(given[p["name"]]))
                continue
            if p["passing"] == "output":
                array = np.full(p["shape"], 0xaa).astype(p["dtype"])
            else:
                array = given[p["name"]]
                assert array.flags.c_contiguous and array.dtype == p["dtype"] and list(array.shape) == p["shape"]
            assert array.nbytes == p["bytes"] and (array.size == 0 or list(array.strides) == p["strides"])
            arrays[p["name"]] = array
            passed.append(ctypes.c_void_p(array.ctypes.data))
        size = self.manifest["workspace_bytes"]
        # What is behind the workspace stays as it is.
        workspace = np.full(size + 64, 0x5a, np.uint8)
        assert self.entry(*passed, ctypes.c_void_p(workspace.ctypes.data)) == 0
        assert (workspace[size:] == 0x5a).all()

        def result(tree):
            if isinstance(tree, str):
                return arrays[tree]
            if "tuple" in tree:
                return tuple(map(result, tree["tuple"]))
            if "list" in tree:
                return list(map(result, tree["list"]))
            if "dict" in tree:
                return {key: result(item) for key, item in tree["dict"].items()}
            return tree["constant"]

        return result(self.manifest["results"])


def same(got, want, tolerance=0):
    if isinstance(want, (tuple, list)):
        assert type(got) is type(want) and len(got) == len(want)
        for g, w in zip(got, want):
            same(g, w, tolerance)
    elif isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            same(got[key], want[key], tolerance)
    elif want is None or isinstance(want, str):
        assert got == want
    else:
        want = np.asarray(want)
        assert np.shape(got) == want.shape
        if not isinstance(got, (int, float)):
            assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


# ---- the formats ----

@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return script_file(tmp_path_factory.mktemp("network"), NETWORK, "network.ar")


def layers_argument(shapes=LAYERS):
    return "layers=[" + ",".join(f"float64[{','.join(map(str, s))}]" for s in shapes) + "]"


# script, function, arguments
def programs(network):
    return {
        "gram_schmidt": (GRAM_SCHMIDT, "modified_gram_schmidt", ["X=float64[50,50]"]),
        "heat": (HEAT, "simulate", ["u=float64[41,41]", "r=0.2", "steps=3"]),
        "network": (network, "predict", ["x=float64[16,20]", layers_argument()]),
    }


@pytest.mark.parametrize("name", ["gram_schmidt", "heat", "network"])
def test_objects_are_small_and_need_libc_and_libm_alone(name, network, tmp_path):
    script, function, arguments = programs(network)[name]
    path = tmp_path / "f.o"
    compiled(script, function, *arguments, output=path)
    assert path.stat().st_size < 200_000
    manifest = json.loads((tmp_path / "f.json").read_text())
    undefined = [line.split()[-1] for line in run("nm", "-u", path).splitlines()]
    assert sorted(undefined) == sorted(manifest["symbols"] + [s for s in undefined if s == "_GLOBAL_OFFSET_TABLE_"])
    allowed = re.compile(r"_ZGV[bde]N\d+vv?_\w+|(hypot|fmod)f?|mem(cpy|set|move)|_GLOBAL_OFFSET_TABLE_")
    assert all(allowed.fullmatch(symbol) for symbol in undefined), undefined
    defined = [line.split()[-1] for line in run("nm", "-g", "--defined-only", path).splitlines()]
    assert sorted(defined) == sorted([function, f"{function}_workspace_size"])
    assert manifest["runtime_calls"] == [] and manifest["flops"] > 0 and manifest["steps"] >= manifest["kernels"] > 0


def main_program(name):
    """C programs that print their results; the header is theirs."""
    if name == "gram_schmidt":
        return """
            static double X[2500], Q[2500];
            int main(void) {
              void* workspace = malloc(modified_gram_schmidt_workspace + 1);
              if (modified_gram_schmidt_workspace_size() != modified_gram_schmidt_workspace) return 2;
              read_numbers(X, 2500);
              if (modified_gram_schmidt(X, Q, workspace) != 0) return 1;
              print_numbers(Q, 2500);
              free(workspace);
              return 0;
            }"""
    if name == "heat":
        return """
            static double u[41 * 41];
            int main(void) {
              void* workspace = malloc(simulate_workspace + 1);
              read_numbers(u, 41 * 41);
              if (simulate(u, 0.2, workspace) != 0) return 1;
              print_numbers(u, 41 * 41);
              free(workspace);
              return 0;
            }"""
    return """
            static double x[320], w0[1280], b0[64], w1[2048], b1[32], w2[320], b2[10], y[160];
            int main(void) {
              void* workspace = malloc(predict_workspace + 1);
              read_numbers(x, 320); read_numbers(w0, 1280); read_numbers(b0, 64); read_numbers(w1, 2048);
              read_numbers(b1, 32); read_numbers(w2, 320); read_numbers(b2, 10);
              if (predict(x, w0, b0, w1, b1, w2, b2, y, workspace) != 0) return 1;
              print_numbers(y, 160);
              free(workspace);
              return 0;
            }"""


FRAME = """
#include <stdio.h>
#include <stdlib.h>
#include "f.h"
#include "f.h"
static void read_numbers(double* to, int n) { int i; for (i = 0; i < n; ++i) if (scanf("%lf", to + i) != 1) exit(3); }
static void print_numbers(const double* from, int n) { int i; for (i = 0; i < n; ++i) printf("%.17g\\n", from[i]); }
"""


def inputs_and_result(name, network, rng):
    script, function, _ = programs(network)[name]
    python = python_function(script, function)
    if name == "gram_schmidt":
        arrays = [rng.standard_normal((50, 50))]
        return arrays, np.asarray(python(*arrays)), 1e-9
    if name == "heat":
        arrays = [rng.standard_normal((41, 41))]
        return arrays, python(arrays[0].copy(), 0.2, 3), 1e-13
    arrays = [rng.standard_normal(shape) for shape in [(16, 20)] + LAYERS]
    return arrays, python(arrays[0], arrays[1:]), 1e-12


@pytest.mark.parametrize("ending, compiler", [("o", "cc"), ("a", "cc"), ("so", "cc"), ("s", "cc"), ("o", "c++")])
@pytest.mark.parametrize("name", ["gram_schmidt", "heat", "network"])
def test_c_programs(name, ending, compiler, network, tmp_path):
    script, function, arguments = programs(network)[name]
    path = tmp_path / f"f.{ending}"
    compiled(script, function, *arguments, output=path)
    source = tmp_path / ("main.c" if compiler == "cc" else "main.cpp")
    source.write_text(FRAME + textwrap.dedent(main_program(name)))
    standard = "-std=c99" if compiler == "cc" else "-std=c++11"
    run(compiler, standard, "-Wall", "-Wextra", "-pedantic", "-Werror", source, path, "-lm", "-o", tmp_path / "main")
    arrays, want, tolerance = inputs_and_result(name, network, np.random.default_rng(7))
    text = "\n".join(repr(float(v)) for a in arrays for v in a.ravel())
    got = np.array(run(tmp_path / "main", input=text).split(), dtype=float).reshape(want.shape)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def test_llvm_text_is_a_module(tmp_path):
    path = tmp_path / "f.ll"
    compiled(HEAT, "simulate", "u=float64[41,41]", "r=0.2", "steps=3", output=path)
    assert re.search(r"^define .*i32 @simulate\(ptr[^,]* %u, double %r, ptr[^,]* %workspace\)", path.read_text(), re.M)


@pytest.mark.parametrize("cpu", ["native", "x86-64-v2", "x86-64-v3", "x86-64-v4"])
def test_cpus(cpu, network, tmp_path):
    script, function, arguments = programs(network)["network"]
    path = tmp_path / "f.s"
    compiled(script, function, *arguments, output=path, options=[f"--cpu={cpu}"])
    manifest = json.loads((tmp_path / "f.json").read_text())
    assert manifest["cpu"] == cpu
    width = {"x86-64-v2": 16, "x86-64-v3": 32, "x86-64-v4": 64}.get(cpu, manifest["vector_bytes"])
    assert manifest["vector_bytes"] == width
    text = path.read_text()
    assert ("%zmm" in text) == (width == 64) and ("%ymm" in text or width != 32)
    assert re.search({16: "_ZGVbN2v_tanh", 32: "_ZGVdN4v_tanh", 64: "_ZGVeN8v_tanh"}[width], text)


@pytest.mark.parametrize("cpu", ["x86-64-v2", "x86-64-v3"])
def test_narrower_cpus_give_the_same_bits(cpu, tmp_path):
    wide = Library(tmp_path, GRAM_SCHMIDT, "modified_gram_schmidt", "X=float64[20,20]")
    (tmp_path / cpu).mkdir()
    narrow = Library(tmp_path / cpu, GRAM_SCHMIDT, "modified_gram_schmidt", "X=float64[20,20]", options=[f"--cpu={cpu}"])
    x = np.random.default_rng(3).standard_normal((20, 20))
    assert np.array_equal(wide(X=x), narrow(X=x))


def test_the_same_bits_as_run_jit(network, tmp_path):
    """Through .npz files: an object and the compiled function of `run --jit`."""
    rng = np.random.default_rng(11)
    np.savez(tmp_path / "in.npz", X=rng.standard_normal((50, 50)), u=rng.standard_normal((41, 41)))
    data = np.load(tmp_path / "in.npz")
    np.save(tmp_path / "X.npy", data["X"])
    np.save(tmp_path / "u.npy", data["u"])

    def jit(script, function, *loads):
        out = tmp_path / "out.npz"
        done = autoray("run", script, "--call", function, *[part for load in loads for part in ("--load", load)],
                       "--jit", "--save", out)
        assert done.returncode == 0, done.stderr
        return np.load(out)["return"]

    gs = Library(tmp_path, GRAM_SCHMIDT, "modified_gram_schmidt", "X=float64[50,50]")
    assert np.array_equal(gs(X=data["X"]), jit(GRAM_SCHMIDT, "modified_gram_schmidt", f"X={tmp_path / 'X.npy'}"))
    heat = Library(tmp_path, HEAT, "simulate", "u=float64[41,41]", "r=0.2", "steps=5")
    u = data["u"].copy()
    assert heat(u=u, r=0.2) is u
    assert np.array_equal(u, jit(HEAT, "simulate", f"u={tmp_path / 'u.npy'}", "r=0.2", "steps=5"))


def test_unrolled_traces_become_loops(tmp_path):
    """Twice the steps are hardly more bytes."""
    sizes = []
    for steps in (200, 400):
        path = tmp_path / f"f{steps}.o"
        compiled(HEAT, "simulate", "u=float64[41,41]", "r=0.2", f"steps={steps}", output=path)
        assert json.loads(path.with_suffix(".json").read_text())["steps"] >= steps
        sizes.append(path.stat().st_size)
    assert sizes[1] - sizes[0] < 1000 and sizes[0] < 30_000


# ---- functions against numpy ----

f64 = lambda *shape: ("float64", shape)
CASES = {
    # name: (text, {argument: (dtype, shape) or literal}, tolerance)
    "arithmetic": ("def f(x, y):\n    return (x + 2.5) * y - x / (np.abs(y) + 1.0)\n", {"x": f64(7, 13), "y": f64(13)}, 0),
    "several": ("def f(x):\n    return x + 1.0, np.sum(x), [x[1:], x > 0]\n", {"x": f64(9)}, 1e-14),
    "named": ("def f(x):\n    return {'loss': np.mean(x), 'double': x * 2, 'n': 3, 'name': None}\n", {"x": f64(5, 5)}, 1e-14),
    "scalars": ("def f(x, a, b):\n    return np.sum(x * a) + b\n", {"x": f64(300), "a": 0.5, "b": 2.0}, 1e-13),
    "views": ("def f(x):\n    return x.T, x[::-1, 1:], x.T + 1\n", {"x": f64(4, 6)}, 0),
    "booleans": ("def f(m, x):\n    return np.where(m, x, -x), np.logical_not(m), np.any(m), np.all(m, axis=0)\n",
                 {"m": ("bool", (6, 8)), "x": f64(6, 8)}, 0),
    "integers": ("def f(a, b):\n    return a * b - (a >> 1), np.sum(a), np.max(b, axis=0), np.minimum(a, 3) | b, a % 5, a // (b * b + 1)\n",
                 {"a": ("int64", (5, 9)), "b": ("int64", (5, 9))}, 0),
    "small integers": ("def f(a):\n    return a + a, np.astype(a, 'float32') / 2\n", {"a": ("uint8", (33,))}, 0),
    "singles": ("def f(x):\n    return np.sqrt(np.abs(x)) * np.sum(x, axis=0)\n", {"x": ("float32", (12, 17))}, 2e-5),
    "slices": ("def f(u, v):\n    u[1:-1] += 0.25 * (u[2:] - 2 * u[1:-1] + u[:-2])\n    v[::2] = 7\n    return np.sum(u)\n",
               {"u": f64(40), "v": ("int32", (9,))}, 1e-14),
    "old and new": ("def f(u):\n    before = np.conj(u)\n    part = u[3:] * 1\n    u[2:5] = 0.0\n    return before, part, u[1:4]\n", {"u": f64(8)}, 0),
    "captured": ("table = np.arange(12.0).reshape(3, 4)[:, ::2]\nweights = np.linspace(0, 1, 200)\n\n"
                 "def f(x):\n    return x @ table, weights[:3] * x[0], table\n", {"x": f64(5, 3)}, 1e-14),
    "products": ("def f(a, b):\n    return a @ b, b.T @ a.T, np.tensordot(a, a, 2), np.einsum('ij,ij->i', a, a)\n",
                 {"a": f64(70, 90), "b": f64(90, 61)}, 1e-11),
    "large products": ("def f(a, b, v):\n    return a @ b.T, a.T @ b, b.T @ a, a @ v, v @ a.T,"
                       " np.tensordot(np.reshape(a, (75, 9, 10)), np.transpose(np.reshape(b, (75, 10, 9)), (2, 1, 0)), ([1, 2], [0, 1]))\n",
                       {"a": f64(75, 90), "b": f64(75, 90), "v": f64(90)}, 1e-11),
    "a long product": ("def f(a, v):\n    return np.dot(a, v), np.dot(v, v)\n", {"a": f64(33, 1000), "v": f64(1000)}, 1e-10),
    "many factors": ("def f(a, b, v):\n    return np.einsum('ij,kj,k->ik', a, b, v), np.einsum('ij,kj,il->lk', a, b, a), np.einsum('ii->i', a[:, :7]),"
                     " np.einsum('ij->j', a), np.kron(a, b[:2, :3]), np.outer(v, v), np.vdot(a, b), np.dot(v, 2.5)\n",
                     {"a": f64(7, 9), "b": f64(7, 9), "v": f64(7)}, 1e-13),
    "stacks": ("def f(a, b, v):\n    return a @ b, a @ b[1], v @ b, a @ b @ v, np.linalg.matrix_power(b, 3)\n",
               {"a": f64(2, 37, 41), "b": f64(2, 41, 41), "v": f64(41)}, 1e-10),
    "norms": ("def f(x):\n    return np.linalg.norm(x, 1), np.linalg.norm(x, 3, axis=0), np.linalg.norm(x, -np.inf, axis=1), np.linalg.norm(x, 'fro'),"
              " np.isclose(x, x + 1e-9), np.cov(x)\n", {"x": f64(5, 8)}, 1e-13),
    "functions": ("def f(x):\n    return np.exp(-x * x) + np.sin(x) * np.log1p(np.abs(x)), np.arctan2(x, x + 1), np.abs(x) ** 1.3\n", {"x": f64(37)}, 1e-14),
    "reductions": ("def f(x):\n    return np.sum(x, axis=1), np.mean(x, axis=(0, 2)), np.min(x), np.linalg.norm(x[0], axis=0), np.prod(x[:2, 0])\n",
                   {"x": f64(6, 300, 7)}, 1e-12),
    "complex numbers": ("def f(z, w):\n    return z * w + 2j, z[::2], np.abs(z), np.conj(z) / (w + 3), np.sum(z * w, axis=0), z.real, z @ w.T\n",
                        {"z": ("complex128", (6, 9)), "w": ("complex128", (6, 9))}, 1e-13),
    "written complex numbers": ("def f(z):\n    z[1:-1] = z[1:-1] * 2 - z[2:]\n    return np.linalg.norm(z)\n", {"z": ("complex128", (30,))}, 1e-13),
    "nothing in it": ("def f(x, y):\n    return x + 1, y * 2\n", {"x": f64(0, 3), "y": f64(3)}, 0),
    "joins": ("def f(x, y):\n    return np.stack([x, y, x + y]), np.concatenate((x, 2 * y), axis=1)\n", {"x": f64(3, 5), "y": f64(3, 5)}, 0),
    "loops": ("def f(x, n):\n    for k in range(n):\n        x = x + x[::-1] * (k % 3) / 4\n        x = x - np.mean(x)\n    return x\n", {"x": f64(21), "n": 60}, 1e-11),
}


def make(rng, dtype, shape):
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if np.dtype(dtype).kind in "iu":
        return rng.integers(0 if np.dtype(dtype).kind == "u" else -50, 50, shape).astype(dtype)
    if np.dtype(dtype).kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("case", CASES)
def test_against_numpy(case, tmp_path):
    text, arguments, tolerance = CASES[case]
    script = script_file(tmp_path, "import numpy as np\n\n" + text)
    python = python_function(script, "f")
    flags = [f"{n}={a[0]}[{','.join(map(str, a[1]))}]" if isinstance(a, tuple) else f"{n}={a}" for n, a in arguments.items()]
    library = Library(tmp_path, script, "f", *flags)
    rng = np.random.default_rng(5)
    for _ in range(2):
        values = {n: make(rng, *a) if isinstance(a, tuple) else a for n, a in arguments.items()}
        for n in values:
            if isinstance(values[n], float):
                values[n] = float(rng.standard_normal())  # a parameter, whatever was given when it was compiled
        mine = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in values.items()}
        want = python(**values)
        same(library(**mine), want, tolerance)
        for n, v in values.items():
            if isinstance(v, np.ndarray):
                same(mine[n], v, tolerance)


@pytest.mark.parametrize("chunk", range(4))
def test_generated_programs_are_bit_equal_to_eager_runs(chunk, tmp_path):
    compiled_ones = 0
    for seed in range(chunk * 100, chunk * 100 + 10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        text, (n, m) = native_programs.Maker(seed).text("f")
        # Of these functions the runtime may have vectors of its own, where objects have libmvec's.
        text = text.replace("np.exp(np.sin(", "np.expm1(np.sin(")
        script = script_file(folder, "import numpy as np\n\n" + text)
        dtype = "float32" if seed % 4 == 3 else "float64"
        shapes = {"x": (n, m), "y": (n, m), "v": (m,), "w": (n,)}
        flags = [f"{name}={dtype}[{','.join(map(str, shape))}]" for name, shape in shapes.items()] + ["s=0.75"]
        done = autoray("compile", script, "--call", "f", *[part for flag in flags for part in ("--arg", flag)], "-o", folder / "f.o")
        if done.returncode == 3:
            assert "error[E0505]" in done.stderr
            continue
        compiled_ones += 1
        library = Library(folder, script, "f", *flags)
        rng = np.random.default_rng(seed)
        values = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
        np.savez(folder / "in.npz", **values)
        done = autoray("run", script, "--call", "f", "--load", folder / "in.npz", "--load", "s=0.75", "--save", folder / "out.npz")
        assert done.returncode == 0, done.stderr
        want = np.load(folder / "out.npz")
        got = library(**values, s=0.75)
        for k, result in enumerate(got):
            expected = want[f"return{k}"] if f"return{k}" in want else want["return"]
            assert np.array_equal(result, expected, equal_nan=True), f"{text}\nresult {k}"
    assert compiled_ones >= 5


def test_decorated_functions(tmp_path):
    script = script_file(tmp_path, "from autoray import autojit\n\n@autojit\ndef f(x):\n    return x + 1\n")
    assert Library(tmp_path, script, "f", "x=float64[3]")(x=np.zeros(3)).tolist() == [1, 1, 1]


def test_the_same_bytes_each_time(network, tmp_path):
    script, function, arguments = programs(network)["network"]
    for name in ("a.o", "b.o"):
        compiled(script, function, *arguments, output=tmp_path / name)
    assert (tmp_path / "a.o").read_bytes() == (tmp_path / "b.o").read_bytes()


def test_a_float_that_the_trace_needs_is_compiled_in(tmp_path):
    script = script_file(tmp_path, """\
        def f(x, a):
            return x * 2 if a > 0.5 else x * 3
        """)
    library = Library(tmp_path, script, "f", "x=float64[3]", "a=0.75")
    assert "note: " in library.done.stderr and "a = 0.75" in library.done.stderr
    assert library.manifest["compiled_in"] == {"a": 0.75}
    assert library(x=np.ones(3)).tolist() == [2, 2, 2]


def test_prints_go_to_standard_error(tmp_path):
    script = script_file(tmp_path, "print('loading')\n\ndef f(x):\n    return x + 1\n")
    done = autoray("compile", script, "--call", "f", "--arg", "x=float64[3]", "--format=ll", "-o", "-")
    assert done.returncode == 0 and done.stdout.startswith("; ModuleID") and done.stderr == "loading\n"
    assert [p.name for p in tmp_path.iterdir()] == ["script.ar"]


def test_names_that_c_does_not_have(tmp_path):
    script = script_file(tmp_path, "def register(int, workspace, größe):\n    return int + workspace + größe\n")
    compiled(script, "register", "int=float64[3]", "workspace=float64[3]", "größe=float64[3]", output=tmp_path / "f.o")
    source = tmp_path / "main.cpp"
    source.write_text('#include "f.h"\nint main() { return 0; }\n')
    run("c++", "-Wall", "-Wextra", "-pedantic", "-Werror", source, tmp_path / "f.o", "-o", tmp_path / "main")
    assert "int32_t register_(const double* int_, const double* workspace_1, " in (tmp_path / "f.h").read_text()
    compiled(script, "register", "int=float64[3]", "workspace=float64[3]", "größe=float64[3]", output=tmp_path / "g.o", options=["--name=total"])
    assert "int32_t total(" in (tmp_path / "g.h").read_text()


def test_complex_arrays_are_pairs(tmp_path):
    script = script_file(tmp_path, "import numpy as np\n\nz = np.arange(5) + 1j * np.arange(5)[::-1]\n\ndef f(x):\n    return x + 1, z, z[1]\n")
    library = Library(tmp_path, script, "f", "x=float64[5]")
    z = np.arange(5) + 1j * np.arange(5)[::-1]
    _, whole, one = library(x=np.ones(5))
    assert whole.tolist() == z.tolist() and one == z[1]
    assert "double* result1" in (tmp_path / "f.h").read_text()


# ---- what cannot become an object ----

REFUSED = {
    "linear algebra": ("def f(x):\n    y = x + 1\n    return np.linalg.solve(y, x)\n", 5, 12, "E0505", "'linalg.solve' cannot be compiled into an object: linalg"),
    "sorting": ("def f(x):\n    return np.sort(x, axis=0)\n", 4, 12, "E0505", "'sort' cannot be compiled"),
    "random": ("rng = np.random.default_rng(1)\ndef f(x):\n    return x + rng.standard_normal((3, 3))\n", 5, 16, "E0505", "'Generator.standard_normal' cannot be compiled"),
    "a generator": ("def f(x):\n    return x + np.random.default_rng(1).standard_normal((3, 3))\n", 4, 16, "E0202", "calls random.default_rng"),
    "a clock": ("import time\ndef f(x):\n    return x * time.time()\n", 5, 16, "E0202", "reads the clock"),
    "a global variable": ("n = 0\ndef f(x):\n    global n\n    n += 1\n    return x * n\n", 6, 5, "E0202", "assigns 'n'"),
    "printing": ("def f(x):\n    print('tracing')\n    return x\n", 4, 5, "E0202", "a traced function prints"),
    "branches": ("def f(x):\n    if np.sum(x) > 0:\n        return x\n    return -x\n", 4, 8, "E0405", "the truth value"),
    "shapes of data": ("def f(x):\n    return x[x > 0]\n", 4, 12, "E0405", ""),
    "nothing": ("def f(x):\n    return 3\n", 0, 0, "E0505", "nothing is computed on arrays"),
    "strange results": ("def f(x):\n    return x + 1, np\n", 0, 0, "", "arrays and numbers"),
    "a mistake": ("def f(x):\n    return x @ np.ones(4)\n", 4, 12, "E0401", "matmul"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case, tmp_path):
    text, line, column, code, what = REFUSED[case]
    script = script_file(tmp_path, "import numpy as np\n\n" + text)
    done = compiled(script, "f", "x=float64[3,3]", output=tmp_path / "f.o", status=3)
    assert what in done.stderr and (not code or f"error[{code}]" in done.stderr)
    if line:
        assert f"script.ar:{line}:{column}: error" in done.stderr and "^" in done.stderr
    if code == "E0505":
        assert line == 0 or "hint: " in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["script.ar"]


def test_every_refused_operation_is_told(tmp_path):
    script = script_file(tmp_path, "import numpy as np\n\ndef f(x):\n    y = np.sort(x)\n    return np.linalg.inv(y), np.linalg.det(x)\n")
    told = compiled(script, "f", "x=float64[3,3]", output=tmp_path / "f.o", status=3).stderr
    assert "script.ar:4:9: error[E0505]" in told
    assert "note: 'linalg.inv' neither, in line 5: linalg" in told and "note: 'linalg.det' neither, in line 5: linalg" in told


def usage(*arguments):
    done = autoray("compile", *arguments)
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_usage(tmp_path):
    script = script_file(tmp_path, "def f(x):\n    return x + 1\n")
    call = [script, "--call", "f", "--arg", "x=float64[3]"]
    assert "end it in .o, .a, .so, .ll, .s" in usage(*call, "-o", "f")
    assert "did you mean '.so'?" in usage(*call, "-o", "f.soo")
    assert "the formats are .o" in usage(*call, "-o", "-", "--format=exe")
    assert "did you mean 'x86-64-v3'?" in usage(*call, "-o", "f.o", "--cpu=x86-64v3")
    assert "native, x86-64-v2" in usage(*call, "-o", "f.o", "--cpu=sparc")
    assert "objects for 'aarch64-linux-gnu' cannot be made here" in usage(*call, "-o", "f.o", "--triple=aarch64-linux-gnu")
    assert "cannot be a function's name in C" in usage(*call, "-o", "f.o", "--name=a b")
    assert "did you mean 'f'?" in usage(script, "--call", "ff", "-o", "f.o")
    assert "'f' needs 'x'" in usage(script, "--call", "f", "-o", "f.o")
    assert "--call" in usage(script, "-o", "f.o")
    assert "did you mean '--header'?" in usage(*call, "-o", "f.o", "--heder=x")
    assert "name one file twice" in usage(*call, "-o", "f.o", "--header=f.o")
    assert "did you mean 'compile'?" in autoray("compil").stderr
    help_text = autoray("compile", "--help").stdout
    assert "examples:" in help_text and "--cpu" in help_text and "exit status" in help_text
    assert compiled(script, "f", "x=float64[3]", output=tmp_path / "f.o", options=["--triple=x86_64-linux-gnu"])
    script.write_text("def sin(x):\n    return x + 1\n")
    assert "'sin' is a function of libc or libm" in usage(script, "--call", "sin", "--arg", "x=float64[3]", "-o", tmp_path / "sin.o")
    compiled(script, "sin", "x=float64[3]", output=tmp_path / "sin.o", options=["--name=my_sin"])


def test_no_object_on_a_terminal(tmp_path):
    script = script_file(tmp_path, "def f(x):\n    return x + 1\n")
    parent, child = pty.openpty()
    try:
        done = subprocess.run([str(ROOT / os.environ.get("AUTORAY", "build/release/autoray")), "compile", str(script), "--call", "f", "--arg", "x=float64[3]",
                               "--format=o", "-o", "-"], stdout=child, stderr=subprocess.PIPE, text=True, timeout=60)
    finally:
        os.close(child)
        os.close(parent)
    assert done.returncode == 2 and "no text for a terminal" in done.stderr


def test_failed_writes_leave_old_files(tmp_path):
    script = script_file(tmp_path, "def f(x):\n    return x + 1\n")
    out = tmp_path / "out"
    done = compiled(script, "f", "x=float64[3]", output=out / "f.o", status=1)
    assert "error[E0601]" in done.stderr
    assert "No space left" in compiled(script, "f", "x=float64[3]", output="/dev/full", status=1, options=["--format=s"]).stderr
    out.mkdir()
    (out / "f.o").write_text("old")
    (out / "f.h").write_text("old")
    # The manifest cannot be written: nothing is.
    compiled(script, "f", "x=float64[3]", output=out / "f.o", status=1, options=["--manifest", tmp_path / "nowhere/f.json"])
    assert (out / "f.o").read_text() == "old" and (out / "f.h").read_text() == "old"
    assert sorted(p.name for p in out.iterdir()) == ["f.h", "f.o"]


# ---- arguments that are written ----

IN_PLACE = {
    "a stencil": "def f(u):\n    u[1:-1] = u[2:] + u[:-2]\n",
    "many steps": "def f(u):\n    for _ in range(20):\n        u[1:-1] += 0.25 * (u[2:] - 2 * u[1:-1] + u[:-2])\n",
    "all of it": "def f(u):\n    u[:] = u * 2\n",
    "twice": "def f(u):\n    u[:50] = 1.0\n    u[50:] = u[:50] * 3\n",
    "reversed": "def f(u):\n    u[:] = u[::-1] * 2\n",
    "the old version after the new one": "def f(u):\n    old = np.conj(u)\n    u[10:20] = 0.0\n    return np.sum(old * u), old\n",
    "a part of the old one": "def f(u):\n    old = np.conj(u)\n    u[10:20] = old[:10] * 2\n    u[:5] = old[20:25] + old[5:10]\n",
    "a product": "def f(u):\n    u[:] = np.dot(np.reshape(u, (10, 10)), u[:10] * 1.0)[3]\n",
}


@pytest.mark.parametrize("case", IN_PLACE)
def test_written_arguments(case, tmp_path):
    script = script_file(tmp_path, "import numpy as np\n\n" + IN_PLACE[case])
    library = Library(tmp_path, script, "f", "u=float64[100]")
    assert [p["passing"] for p in library.manifest["parameters"]][0] == "inout"
    u = np.random.default_rng(2).standard_normal(100)
    mine = u.copy()
    want = python_function(script, "f")(u)
    same(library(u=mine), want, 1e-13)
    same(mine, u, 1e-13)


def test_new_versions_are_made_in_place(tmp_path):
    """A time step on a large array takes no second array of that size to copy from."""
    script = script_file(tmp_path, "def f(u, r):\n    u[1:-1] += r * (u[2:] - 2 * u[1:-1] + u[:-2])\n")
    compiled(script, "f", "u=float64[100000]", "r=0.1", output=tmp_path / "f.o")
    assert json.loads((tmp_path / "f.json").read_text())["workspace_bytes"] < 900_000


# ---- indices ----

def test_indices_are_checked(tmp_path):
    """Gathers, scatters and scans are kernels of an object too; an index out of bounds ends it with a status."""
    script = script_file(tmp_path, """\
        import numpy as np

        def f(x, i):
            return x[i] * 2, np.cumsum(x, 0), np.argmax(x, axis=1), np.std(x, axis=0), np.pad(x, 1), np.roll(x, 2, 1), np.tril(x)

        def g(x, i, v):
            x[:, i] = v
            return x[i[:2]]
        """)
    f = Library(tmp_path, script, "f", "x=float64[5,6]", "i=int64[4]")
    g = Library(tmp_path, script, "g", "x=float64[5,6]", "i=int64[4]", "v=float64[4]")
    x, i, v = np.arange(30.0).reshape(5, 6) % 7, np.array([0, -1, 4, 4]), np.array([1.0, 2, 3, 4])
    same(f(x=x, i=i), python_function(script, "f")(x, i), 1e-15)
    for library, arguments in ((f, {"x": x, "i": i}), (g, {"x": x, "i": i, "v": v})):
        arguments["i"] = np.array([0, 1, 6, 2])
        with pytest.raises(AssertionError, match="assert [1-9]"):
            library(**arguments)
    mine, theirs = x.copy(), x.copy()
    same(g(x=mine, i=i, v=v), python_function(script, "g")(theirs, i, v))
    assert np.array_equal(mine, theirs)


def test_vectors_lie_aligned_on_the_stack(tmp_path):
    """What is needed after a call of a vector function: anywhere else it crosses lines of the cache in some processes."""
    script = script_file(tmp_path, "import numpy as np\ndef f(a, b, c):\n    return np.exp(-a * a) * np.sin(b) + np.sqrt(c * c + 1.0)\n")
    for cpu, size in (("x86-64-v3", 32), ("x86-64-v4", 64)):
        compiled(script, "f", *(f"{name}=float64[1000]" for name in "abc"), output=tmp_path / "f.s", options=(f"--cpu={cpu}",))
        text = (tmp_path / "f.s").read_text()
        assert re.search(rf"andq\s+\$-{size}, %rsp", text)
        assert re.search(r"vmovap[sd]\s+%[yz]mm\d+, \d*\(%rsp\)", text) and not re.search(r"vmovup[sd]\s+%[yz]mm\d+, \d*\(%rsp\)", text)
