"""Arrays that are made, moved, indexed, reduced and scanned by compiled code: bit for bit the eager values, and no runtime call."""
import json

import pytest

from conftest import autoray

# Of each dtype: x (5, 7), m (6, 6), v (9), t (3, 4, 5), s a number, f in Fortran's order, w a view with steps, e without
# elements; i, j indices, z none, b a mask.
PRELUDE = """
import numpy as np
from autoray import autojit
rng = np.random.default_rng({seed})

def make(dtype, *shape):
    if dtype == 'bool':
        return rng.random(shape) > 0.5
    if dtype.startswith('complex'):
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    if dtype.startswith('float'):
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(-5, 9, shape).astype(dtype)

def same(p, q):
    if isinstance(p, (tuple, list)):
        return len(p) == len(q) and all([same(a, b) for a, b in zip(p, q)])
    p, q = np.asarray(p), np.asarray(q)
    if p.dtype != q.dtype or p.shape != q.shape:
        return False
    return p.tobytes() == q.tobytes() or (p.dtype.kind in 'fc' and np.array_equal(p, q, equal_nan=True))

d = {dtype!r}
x, m, v, t, s = make(d, 5, 7), make(d, 6, 6), make(d, 9), make(d, 3, 4, 5), make(d)
f, w, e = make(d, 7, 5).T, make(d, 11, 9)[1:9:2, ::-2], make(d, 0, 4)
if d in ('float64', 'float32'):
    x[2, 3] = np.nan
    v[4] = -0.0
i, j, z, b = np.array([3, -1, 0, 3]), np.array([[0, 2], [1, -3]]), np.array([], dtype='int64'), make('bool', 5, 7)
B, M = b.copy(), m.copy()  # their values are known while a function is traced

def check(function, text):
    mine = [a.copy() for a in (x, m, v, t, w)]
    theirs = [a.copy() for a in (x, m, v, t, w)]
    want = function(mine[0], mine[1], mine[2], mine[3], s, f * 1, mine[4], e, i, j, z, b)
    got = autojit(function)(theirs[0], theirs[1], theirs[2], theirs[3], s, f * 1, theirs[4], e, i, j, z, b)
    assert same(want, got), (text, want, got)
    assert same(mine, theirs), text
"""

CREATED = """
np.eye(4), np.eye(3, 5, k=1, dtype=x.dtype), np.eye(3, 5, k=-2), np.identity(3), np.eye(3, 4, order='F')
np.zeros((2, 3), order='F'), np.ones((2, 0)), np.full((2, 2), 1, dtype=x.dtype), np.empty((3, 0)), np.zeros_like(f), np.ones_like(x)
np.full_like(x, 1), np.full_like(f, s), np.full_like(x, 0, order='F'), np.full_like(x, 1, shape=(2,), order='C')
np.tril(m), np.triu(m, 1), np.tril(m, -2), np.triu(t), np.tril(v), np.tril(f, 1), np.triu(w), np.triu(x, -9)
np.diag(v), np.diag(v, 2), np.diag(v, -3), np.diag(m), np.diag(m, 1), np.diagonal(t, 1, 1, 2), x.diagonal(2)
np.trace(m), np.trace(t, 1), np.trace(x, -1), np.trace(t, axis1=2, axis2=0), np.trace(x, 7)
"""
MOVED = """
np.roll(x, 2), np.roll(x, -3, 1), np.roll(x, (1, 2), (0, 1)), np.roll(t, 0, 1), np.roll(f, 1), np.roll(w, 5, 0), np.roll(x, 40)
np.tile(v, 3), np.tile(x, (2, 3)), np.tile(x, (2, 1, 2)), np.tile(f, 2), np.tile(s, 4), np.tile(x, 1)
np.repeat(x, 3), np.repeat(x, 2, 1), np.repeat(x, (1, 0, 2, 1, 3), 0), np.repeat(f, 2, 0), np.repeat(v, 2), np.repeat(s, 2)
np.pad(x, 2), np.pad(x, ((1, 2), (0, 3))), np.pad(v, (2, 3), constant_values=(1, 0)), np.pad(x, 1, constant_values=1)
np.pad(x, ((1, 0), (2, 2)), constant_values=((1, 0), (0, 1))), np.pad(e, ((1, 0), (2, 1))), np.pad(f, 1), np.pad(x, 0)
np.pad(x, 2, mode='edge'), np.pad(v, (3, 4), mode='reflect'), np.pad(v, 3, mode='symmetric'), np.pad(v, (2, 13), mode='wrap')
np.pad(x, ((2, 1), (3, 6)), mode='reflect'), np.pad(v[:2], 5, mode='reflect'), np.pad(v[:2], 5, mode='symmetric'), np.pad(v[:1], 2, mode='reflect')
np.concatenate((x, f), axis=None), np.concatenate((f, x)), np.vstack((v, v)), np.hstack((x, f)), np.hstack((v, v)), np.hstack((s, s))
np.column_stack((v, v)), np.column_stack((x[:, 0], x)), np.vstack((s, s)), np.vstack((x, x[0])), np.concatenate((v, v), dtype='complex128')
np.concatenate((e, e)), np.concatenate((e, t[0, :, :4])), np.vstack((e, e)), np.split(v, 3), np.array_split(v, 4), np.split(x, [2, 4], 1)
f.reshape(-1), f.ravel(), f.flatten(), x.T.reshape(5, 7), w.reshape(-1), np.ravel(t.transpose(2, 0, 1)), np.flip(x), np.flip(x, 1)
f.reshape(7, 5, order='F'), x.reshape(7, 5, order='F'), np.ravel(x, order='F'), f.ravel('F'), x.flatten('F'), np.reshape(t, (5, 12), order='F')
"""
EMPTY = """
e + 1, e.T, e.sum(0), e.sum(1), e.sum(), e.prod(), np.all(e), np.any(e), np.any(e, 1), np.count_nonzero(e), np.count_nonzero(e, axis=0)
e.reshape(4, 0), e.ravel(), e.flatten(), np.cumsum(e, 1), np.cumsum(e), e[:, i[:3]], np.roll(e, 1), np.tile(e, 2), np.repeat(e, 2), np.flip(e)
np.tril(e), np.where(e != 0, e, 1), np.concatenate((e, e), 1), np.stack((e, e)), e.copy(), e.astype('float32'), np.diag(e[:, 0]), np.diag(z, 2)
np.split(e, 2, 1), np.take(x, z), x[z], np.max(e, 1), np.argmax(e, 1), np.sum(e[:, :0], 0), np.zeros((0, 3)), np.eye(0), e[1:], e @ e.T
"""
INDEXED = """
x[i], x[:, i], x[i, i], x[j], x[j, :3], x[j, i[:2]], x[None, i, 1:], t[:, j, 0], t[j, :, 0], t[0, :, i], t[..., j], x[1, i], x[i, 2]
t[1:, j, ::-1], f[i], f[:, i], w[i[:2], ::-1], x[[0, 2]], x[:, [1, 0, -1]], x[np.array(2)], x[i][j], v[j] + v[j], x[i[:0]], v[np.array([[3]])]
x[i.astype('int8')], x[i.astype('uint16') % 5], x[i[:1]], (x * 2)[i] - x[i], (x * 2)[:, i].sum(0), x[i, None, i], np.sum(x[i] * x[i])
np.take(x, i), np.take(x, j, axis=1), np.take(x, i, axis=0), np.take(x, 2, axis=1), np.take(s, [0, 0]), x.take(3), np.take(f, i, axis=1)
np.take(v, np.array([100, -100, 3]), mode='clip'), np.take(x, np.array([9, -9, 3]), axis=0, mode='wrap')
np.take_along_axis(x, np.array([[1, 0, -1]]), 1), np.take_along_axis(x, np.array([[1, 0, -1, 2, 3, 2, 1]]), 0), np.take_along_axis(v, i, 0)
np.take_along_axis(x, i, None), np.take_along_axis(t, j[None, :, :1] * 0 + np.array([[[1]], [[0]], [[-1]]]), 1)
"""
WRITTEN = """
x[i] = 1
x[i, i] = v[:4]
v[i] = v[5:]
v[j] = 1
x[:, i] += x[:, i]
x[j] = x[:2, None]
x[[0, 0, 0]] = x[1:4]
m[1:][i, ::2] = 1
m.T[i[:2], 1] = m[:2, 0]
x[b] = 1
x[b] = s
x[b[:, 0]] = v[:7]
x[x != 1] = 0
m.T[m == 1] = 0
m[2:4][m[2:4] != 1] = 1
x[:, b[0]] = 1
x[:, b[0]] = v[:5, None]
t[..., t[0, 0] != 1] = 0
t[:, t[0] != 1] = v[:3, None]
x[b] = np.tile(v, 9)[:np.count_nonzero(B)]
x[b[:, 0]] = t[0, :1, :1] + np.ones((np.count_nonzero(B[:, 0]), 7), dtype=d)
x[:, b[0]] = x[:, :1] * np.ones(np.count_nonzero(B[0]), dtype=d)
m.T[m.T != 1] = np.ones(np.count_nonzero(M.T != 1), dtype=d)
t[1:, np.arange(4) != 1] = t[:2, 1:] * 1
x[z] = 0
x[2:2] = 0
w[:, i[:2]] = w[0, 0]
v[v != 0] = v[0]
x[i[:1]] = x[j[0, :1]]
"""
SORTED = """
np.sort(x), np.sort(x, 0), np.sort(x, None), np.sort(f, 1), np.sort(w, 0), np.sort(t, 1), np.sort(v[::-1]), np.sort(x + x), np.sort(e)
np.argsort(x), np.argsort(x, 0), np.argsort(x, None), np.argsort(f, 1, kind='stable'), np.argsort(w, 0), np.argsort(t, 1), np.argsort(v[::-1])
np.searchsorted(np.sort(v), x), np.searchsorted(np.sort(v[::2]), s, side='right'), np.searchsorted(np.arange(4), v)
x[np.argsort(x[:, 0])], np.take_along_axis(x, np.argsort(x, 0), 0), np.sort(x, 1) * 2, np.sort(x[i], 0).sum(0), np.sort(np.tile(v, 90))
"""
PARTS = """
x.real[0] = 5
x.imag[:, 1] = x.real[:, 0]
x.real[i] = 1
x.imag[x.real > 0] = 2
"""
REDUCED = """
np.sum(x, where=b), np.sum(x, 1, where=b), np.mean(m, where=m == m), np.mean(x, 0, where=np.arange(7) < 5), np.sum(x, where=False)
np.all(x, 0, where=b), np.any(x, 1, where=b), np.sum(x, initial=3), np.sum(x, 1, initial=2, where=b, keepdims=True), np.sum(e, 0, initial=2)
np.sum(x, dtype='int8'), np.sum(x, dtype='bool'), np.sum(x, 0, dtype='float32'), np.sum(s), np.mean(s), np.all(s), np.count_nonzero(s)
np.cumsum(x), np.cumsum(x, 1), np.cumsum(x, axis=0), np.cumsum(t, 1), np.cumsum(v), np.cumsum(f), np.cumsum(w, 1), np.cumsum(s)
np.cumsum(x, dtype='int8'), np.cumsum(x, dtype='bool'), np.cumsum(x[:1]), np.cumsum(v[:1]), np.cumsum(x * x, 1).sum(0), np.cumsum(np.tile(v, 90))
np.std(x), np.var(x, 0), np.std(x, axis=1, ddof=1), np.var(t, axis=(0, 2), keepdims=True), np.std(f, 0), np.var(w), np.var(v, ddof=1)
np.var(x[:1], axis=0), np.var(s), np.std(np.tile(v, 90)), np.var(np.tile(x, (90, 1)), axis=0)
np.count_nonzero(x), np.count_nonzero(x, axis=0), np.count_nonzero(f, axis=1)
"""
ORDERED = """
np.argmax(x), np.argmax(x, 1), np.argmin(x, axis=0), np.argmax(t, axis=1, keepdims=True), np.argmin(v), np.argmax(f), np.argmin(f, 0)
np.argmin(w, 1), np.argmax(s), np.argmax(x[i], 1), np.argmax(np.tile(v, 90)), np.argmin(np.tile(x, (1, 40)), 1), np.max(s), np.min(s)
np.prod(x, 0, where=b), np.prod(v, initial=2), np.prod(s), np.cumprod(x), np.cumprod(x, 1), np.cumprod(v), np.cumprod(t, 0), np.cumprod(f, 1)
np.pad(x, 1, mode='maximum'), np.pad(x, 2, mode='minimum'), np.pad(f, ((1, 0), (0, 2)), mode='minimum')
"""
NUMBERS = """
np.max(x, initial=0, where=b), np.min(x, 1, initial=3), np.max(x, initial=100), np.min(x, 0, initial=-1), np.max(e, initial=2)
np.pad(x, 2, mode='mean'), np.pad(v, (2, 3), mode='linear_ramp'), np.pad(x, ((1, 2), (3, 0)), mode='linear_ramp'), np.pad(f, 1, mode='mean')
"""
PARTED = """
np.imag(x), x.real, np.imag(f), x.imag + 1
"""
REAL = ("float64", "float32", "int64", "int8", "uint16", "bool")
ALL = (*REAL, "complex128", "complex64")
HALF = (*ALL, "float16")
GROUPS = {"created": (CREATED, HALF), "moved": (MOVED, HALF), "empty": (EMPTY, REAL), "indexed": (INDEXED, HALF), "written": (WRITTEN, HALF),
          "parted": (PARTED, ALL), "parts": (PARTS, ("complex128", "complex64")), "reduced": (REDUCED, ALL), "ordered": (ORDERED, REAL), "sorted": (SORTED, ALL),
          "numbers": (NUMBERS, ("float64", "float32", "int64", "int8"))}
CASES = [(group, dtype) for group, (_, dtypes) in GROUPS.items() for dtype in dtypes]


def lines_of(group):
    return GROUPS[group][0].strip().splitlines()


def program(group, dtype, seed):
    parameters = "x, m, v, t, s, f, w, e, i, j, z, b"
    text = PRELUDE.format(dtype=dtype, seed=seed)
    for k, line in enumerate(lines_of(group)):
        body = f"    {line}\n    return x, m, v, t, w" if group in ("written", "parts") else f"    return {line}"
        text += f"\ndef f{k}({parameters}):\n{body}\n\ncheck(f{k}, {line!r})\n"
    return text + "print('ok')\n"


def told(done):
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("group, dtype", CASES, ids=[f"{g}-{d}" for g, d in CASES])
def test_bit_equal_and_native(group, dtype, tmp_path):
    script = tmp_path / "script.ar"
    script.write_text(program(group, dtype, 1))
    done = autoray("run", script, "--explain", "--format=json")
    assert done.stdout == "ok\n", done.stdout + done.stderr[-3000:]
    calls = told(done)
    assert sum(t["library"].startswith("compiled") for t in calls) >= len(lines_of(group))
    assert [t for t in calls if t["library"] == "fallback"] == []


@pytest.mark.parametrize("group, dtype", [("moved", "float32"), ("sorted", "float32"), ("indexed", "complex128"), ("written", "int8"), ("reduced", "float64")])
def test_within_bounds(group, dtype, tmp_path):
    script = tmp_path / "script.ar"
    script.write_text(program(group, dtype, 2))
    done = autoray("run", script, "--check-bounds")
    assert done.stdout == "ok\n", done.stdout + done.stderr[-3000:]


def test_indices_out_of_bounds(tmp_path):
    """The error is the eager one, names the same index, and leaves arguments alone."""
    script = tmp_path / "script.ar"
    script.write_text("""
import numpy as np
from autoray import autojit

def told(function, *arguments):
    try:
        function(*arguments)
    except IndexError as error:
        return str(error)
    return 'nothing'

def write(x, i):
    x[i] = 1
    return x

def write_behind(x, i):
    x[:, i] = 1
    return x

x = np.arange(12.0).reshape(3, 4)
many = np.zeros(100, dtype='int64')
many[77] = -5
many[91] = 9
for f in (lambda x, i: x[i], lambda x, i: x[:, i], lambda x, i: x[i, 0], lambda x, i: x[None, 1, i], write, write_behind,
          lambda x, i: np.take(x, i), lambda x, i: np.take(x, i, axis=1), lambda x, i: np.take_along_axis(x.ravel(), i, 0),
          lambda x, i: (x * 2)[i].sum(), lambda x, i: x[i + 1]):
    for i in (np.array([0, 3, 7]), np.array([-4]), np.array([12, -13, 0]), many, np.array([2**62]), np.array([-2**63])):
        y = x.copy()
        want = told(f, x.copy(), i)
        assert told(autojit(f), y, i) == want, (i, want, told(autojit(f), y, i))
        assert want == 'nothing' or np.array_equal(x, y)
print('ok')
""")
    done = autoray("run", script)
    assert done.stdout == "ok\n", done.stdout + done.stderr[-3000:]


def test_as_many_values_as_a_mask_takes(tmp_path):
    script = tmp_path / "script.ar"
    script.write_text("""
import numpy as np
from autoray import autojit

def f(x, b, v):
    x[b] = v
    return x

def g(x, b, v):
    x[:, b] = v
    return x

def told(function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    return 'nothing'

b = np.array([True, False, True, True])
for h, x, values in ((f, np.zeros(4), (np.arange(3.0), np.arange(2.0), np.arange(4.0))),
                     (f, np.zeros((4, 2)), (np.arange(6.0).reshape(3, 2), np.zeros((2, 2)), np.zeros((4, 2)))),
                     (g, np.zeros((2, 4)), (np.arange(6.0).reshape(2, 3), np.arange(3.0), np.zeros((2, 2)), np.arange(4.0)))):
    for v in values:
        mine, theirs = x.copy(), x.copy()
        assert told(autojit(h), mine, b, v) == told(h, theirs, b, v) and np.array_equal(mine, theirs)
    assert told(autojit(h), x.copy(), b, values[1]) != 'nothing' or h is g
print('ok')
""")
    done = autoray("run", script)
    assert done.stdout == "ok\n", done.stdout + done.stderr[-3000:]


def test_the_last_of_equal_places_stays(tmp_path):
    script = tmp_path / "script.ar"
    script.write_text("""
import numpy as np
from autoray import autojit

def f(x, i, v):
    x[i] = v
    return x

rng = np.random.default_rng(3)
for n in (1, 7, 8, 100, 1000):
    i, v = rng.integers(0, 5, n), rng.random(n)
    assert np.array_equal(autojit(f)(np.zeros(9), i, v), f(np.zeros(9), i, v))
    i, v = rng.integers(0, 5, (3, n)), rng.random((n, 1, 2)).transpose(1, 0, 2)
    assert np.array_equal(autojit(f)(np.zeros((9, 2)), i, v), f(np.zeros((9, 2)), i, v))
print('ok')
""")
    done = autoray("run", script)
    assert done.stdout == "ok\n", done.stdout + done.stderr[-3000:]
