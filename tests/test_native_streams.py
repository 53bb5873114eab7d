"""Arrays that no cache holds: results that pass the caches by, sums that take turns with what they add, and written arguments
whose memory changes hands. All give the eager bits."""
import ctypes

import numpy as np
import pytest

from test_compile import Library, compiled
from test_native import run_text

HEADER = """import numpy as np
from autoray import autojit


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype and a.shape == b.shape
    assert np.array_equal(a, b)


"""


@pytest.fixture
def run(tmp_path):
    def run(text, *flags):
        done = run_text(tmp_path, HEADER + text, *flags)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


MAPS = """
def scaled(x, s):
    return x / s
def several(x, s):
    return x * s + x, x - s, x > s
def strided(x, s):
    return x[1:-1] * s - x[2:] + x[:-2]
def planes(x, s):
    return x[:x.size // 4096 * 4096].reshape(-1, 4096)[:, 1:-1] + s
def read_again(x, s):
    y = x * s
    return y, np.sum(y), y[::-1] - y


for n in {sizes}:
    for dtype in {dtypes}:
        x = np.random.default_rng(n).standard_normal(n).astype(dtype)
        for f in (scaled, several, strided, planes, read_again):
            got, want = autojit(f)(x, 1.7), f(x, 1.7)
            if not isinstance(want, tuple):
                got, want = (got,), (want,)
            for a, b in zip(got, want):
                same(a, b)
print('all the same')
"""


def test_large_results(run):
    assert run(MAPS.format(sizes=[(32 << 17) - 1, (32 << 17) + 77], dtypes=["float64"])) == "all the same\n"
    assert run(MAPS.format(sizes=[(64 << 17) + 19], dtypes=["float32"])) == "all the same\n"


def test_bounds_of_large_results_are_checked(run):
    assert run(MAPS.format(sizes=[(32 << 17) + 5], dtypes=["float64"]), "--check-bounds") == "all the same\n"


def test_what_is_large_is_streamed_wherever_it_begins(tmp_path):
    script = tmp_path / "scaled.ar"
    script.write_text("def scaled(x, s):\n    return x / s + x\n")
    sizes = {"small": 1000, "large": (32 << 17) + 3}
    for name, n in sizes.items():
        compiled(script, "scaled", f"x=float64[{n}]", "s=3.0", output=tmp_path / f"{name}.s")
        text = (tmp_path / f"{name}.s").read_text()
        assert ("vmovntpd" in text, "sfence" in text) == (name == "large", name == "large")
    n = sizes["large"]
    library = Library(tmp_path, script, "scaled", f"x=float64[{n}]", "s=3.0")
    memory = np.empty(2 * n + 32)
    for offset in (0, 1, 4):
        start = -memory.ctypes.data // 8 % 8 + offset
        x, out = memory[start:start + n], memory[start + n:start + 2 * n]
        x[:] = np.linspace(1, 2, n)
        given = {"x": ctypes.c_void_p(x.ctypes.data), "s": ctypes.c_double(3.0), "result": ctypes.c_void_p(out.ctypes.data)}
        assert library.entry(*(given[p["name"]] for p in library.manifest["parameters"]), None) == 0
        assert np.array_equal(out, np.linspace(1, 2, n) / 3.0 + np.linspace(1, 2, n))


SUMS = """
def soft(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)
def both(x):
    e = np.exp(x)
    return e, np.sum(e)
def products(x):
    e = np.sin(x)
    return e, np.sum(e * x), np.sum(e), np.prod(e[:300])
def mean(x):
    e = np.exp(x)
    return (e - np.mean(e)) / np.std(e)
def shifted(x):
    e = np.exp(x)
    return e, np.sum(e[1:] * e[:-1]), np.sum(e[::-1])
def rows(x):
    e = np.exp(x[:x.size // 2 * 2].reshape(2, -1))
    return e, np.sum(e), np.sum(e, axis=1)
def norms(x):
    e = np.tanh(x)
    return e / np.linalg.norm(e)
def whole(x):
    e = np.exp(x.astype('int64'))
    return e, np.sum(e)


for n in (2, 255, 256, 257, 300, 1000, 16639, 16640, 16641, 131072, 131073, 200003):
    for dtype in ('float64', 'float32'):
        x = np.random.default_rng(n).standard_normal(n).astype(dtype)
        for f in (soft, both, products, mean, shifted, rows, norms, whole):
            got, want = autojit(f)(x), f(x)
            if not isinstance(want, tuple):
                got, want = (got,), (want,)
            for a, b in zip(got, want):
                same(a, b)
print('all the same')
"""


@pytest.mark.parametrize("flags", [(), ("--check-bounds",)])
def test_sums_of_what_is_made(run, flags):
    assert run(SUMS, *flags) == "all the same\n"


def test_written_arguments(run):
    assert run("""
@autojit
def halve(x):
    x /= 2
@autojit
def halve_and_tell(x):
    x /= 2
    return x, x[1:], x.copy(), x + 1
@autojit
def swap(x, y):
    t = x.copy()
    x[:] = y
    y[:] = t


for n in (5, 1000, 300000):
    x = np.arange(float(n))
    other_name, listed = x, [x]
    view = np.arange(float(n))
    seen = view[1:]
    for _ in range(3):
        halve(x)
        halve(view)
    assert other_name is x and listed[0] is x
    same(x, np.arange(float(n)) / 8)
    same(view, x)
    same(seen, x[1:])
    x[0] = -1.0
    assert other_name[0] == -1 and listed[0][0] == -1
    whole, tail, copy, more = halve_and_tell(x)
    assert whole is x
    x[1] = 77.0
    assert tail[0] == 77 and copy[1] == 0.0625 and more[1] == 1.0625
    y = np.ones(n)
    kept = y
    swap(x, y)
    assert x[2] == 1 and kept[1] == 77 and y is kept
    # What is not laid out as the result is written where it lies.
    matrix = np.asarray(np.arange(12.0).reshape(3, 4), order='F') if n == 5 else np.zeros((4, 3)).T
    halve(matrix)
    fixed = np.arange(float(n))
    part = fixed[::2]
    halve(part)
    same(fixed[::2], part)
    assert fixed[1] == 1 and fixed[4] == 2
print('all the same')
""") == "all the same\n"
