"""Traced functions in which shapes depend on values: a call runs in segments, and means what the plain call means, which
CPython says."""
import json

import pytest

from conftest import autoray
from test_native_captures import OURS, kinds, same

# What a function of x (float64, five elements, and a second call with others) does.
BODIES = {
    "mask": "return x[x > 0]",
    "mask, computed with": "y = np.exp(x) * 2\n    z = y[y > 1]\n    return ((z - z.mean()) ** 2).sum() + y.max(), z",
    "mask of nothing": "return x[x > 100] * 2",
    "two masks": "y = x[x > -0.5]\n    return y[y < 1.5] + 1",
    "mask and integer": "return np.outer(x, x)[x > 0, 1]",
    "mask of two axes": "y = np.outer(x, x)\n    return y[y > 0].sum()",
    "nonzero": "i, = np.nonzero(x > 0)\n    return x[i] * 2, i",
    "nonzero's method": "return (x > 0).nonzero()[0] + 1",
    "where with one argument": "return np.where(x > 0)[0] * 2",
    "unique": "u, n = np.unique(np.round(x), return_counts=True)\n    return u * n",
    "bincount": "return np.bincount(np.abs(np.round(x)).astype('int64')) * 2",
    "histogram": "return np.histogram(x, bins=3)[0] * 2",
    "repeat": "return np.repeat(x, (np.abs(np.round(x)) + 1).astype('int64')) + 1",
    "length": "return np.ones(len(x[x > 0])) / 3",
    "a loop by a length": "t = x * 0\n    for k in range(x[x > 0].shape[0]):\n        t = t + k * x\n    return t",
    "a branch by a length": "y = x[x > 0]\n    return y * 2 if y.size > 2 else y - 1",
    "a float": "y = x[x > c]\n    return y * c",
    "common past": "y = x * x + 1\n    z = y[x > 0]\n    y[0] = 7\n    return y, z",
    "masked write": "y = x[x > 0]\n    x[x > 0] = y * 2\n    return y",
    "write before": "x[0] = 5\n    return x[x > 0]",
    "write after": "y = x[x > 0]\n    x[1:3] = y[0]\n    return y",
    "augmented": "x *= 2\n    y = x[x > 1]\n    x -= 1\n    return y",
    "view of the argument": "y = x[x > 0]\n    return x[1:], y",
    "view of the written argument": "y = x[x > 0]\n    x[1] = 9\n    return x[1:], x.reshape(5, 1), y",
    "argument itself": "y = x[x > 0]\n    x[1] = 9\n    return x, y",
    "nothing computed": "return len(x[x > 0])",
    "containers": "y = x[x > 0]\n    return {'a': [y, (y + 1,)], 'b': 3}",
    "one result twice": "y = x[x > 0]\n    return [y, y, y * 1]",
    "sorted": "y = x[x > 0]\n    y.sort()\n    return y, np.sort(x)[::-1][x > 0]",
    "linear algebra": "y = x[x > 0]\n    return np.linalg.norm(y), np.outer(y, y) @ y",
    "least squares": "a = np.stack([x, x * 0 + 1], axis=1)\n    return np.linalg.lstsq(a, 3 * x - 1, rcond=None)[0].round(9)",
    "inner function": "def keep(v):\n        return v[v > 0]\n    return keep(x) + keep(x * 2)[0]",
    "draws after": "y = x[x > 0]\n    return y + rng.standard_normal(y.shape)",
    "draws before": "e = rng.standard_normal(x.shape)\n    y = (x + e)[x > 0]\n    return y",
    "draws that nobody needs": "rng.standard_normal(3)\n    y = x[x > 0]\n    rng.standard_normal(2)\n    return y",
    "prints": "y = x[x > 0]\n    print(len(y))\n    return y",
    "prints and draws": "y = x[x > 0]\n    y = y + rng.standard_normal(y.shape)\n    print(len(y))\n    return y",
    "a number of it": "y = x[x > 0]\n    return y * float(y[0])",
    "a branch by a value": "y = x[x > 0]\n    return y if y[0] > 1 else -y",
    "outer list": "y = x[x > 0]\n    log.append(len(y))\n    return y",
    "captured": "y = x[x > 0]\n    return y * w[0] + (w * x)[x > 0]",
    "captured and written": "y = x[x > 0]\n    w[0] = w[0] + 1\n    return y * w[0]",
    "captured mask": "return x[w > 1] + x[x > 0][0]",
    "reverse": "x[:] = x[::-1]\n    y = x[x > 0]\n    return y",
}


@pytest.mark.parametrize("name", BODIES)
def test_segments(tmp_path, name):
    same(tmp_path, f"""
rng = np.random.default_rng(5)
w = np.array([1.0, 2.0, 3.0, 1.0, 2.0])
log = []
@autojit
def f(x, c=0.5):
    {BODIES[name]}
for values in ([1.5, -2.0, 0.25, 3.0, -1.0], [-1.0, 2.0, 0.25, 3.0, -1.0], [1.0, 2.0, 3.0, 4.0, 0.5], [-1.0, 2.0, 0.25, 3.0, -1.0]):
    x = np.array(values)
    y = f(x)
    print(y, x)
    for item in y if isinstance(y, (tuple, list)) else [y]:
        if isinstance(item, np.ndarray) and item.size:
            item[0] = 77
    print(y, x)
print(f(np.array([1.0, 2.0]), 1.5) if 'w' not in '''{BODIES[name]}''' and 'reshape' not in '''{BODIES[name]}''' else 0)
print(log, w, rng.standard_normal())
""")


def test_explained(tmp_path):
    """Equal segments are compiled once, whatever the call they are in; new shapes make new ones."""
    how = kinds(tmp_path, """
@autojit
def f(x):
    y = x * 2 + 1
    z = y[x > 0]
    return z * z - 1
f(np.array([1.0, -2.0, 3.0]))
f(np.array([-1.0, 2.0, 3.0]))
f(np.array([1.0, 2.0, 3.0]))
for _ in range(2):
    f(np.array([1.0, 2.0, 3.0]))
""")
    assert [what for what, _ in how] == ["in segments"] * 5
    assert [text.split(" (")[0] for _, text in how] == ["2 segments, 2 new", "2 segments, 0 new", "2 segments, 1 new",
                                                        "2 segments, 0 new", "2 segments, 0 new"]


@pytest.mark.parametrize("body, error", [
    ("y = x[x > 0]\n    return y[np.array([9])]", "IndexError: index 9 is out of bounds for axis 0 with size 2"),
    ("return x[x > 0] + x", "ValueError: operands could not be broadcast together with shapes (2,) (3,)"),
    ("return np.bincount(x.astype('int64'))", "ValueError: 'list' argument must have no negative elements"),
    ("return x[np.array([True, False])]", "IndexError: boolean index did not match"),
])
def test_errors(tmp_path, body, error):
    """numpy's errors, at their line; what was written before is not."""
    path = tmp_path / "script.ar"
    path.write_text(OURS + f"""
@autojit
def f(x):
    x[0] = 4
    {body}
x = np.array([1.0, -2.0, 3.0])
try:
    f(x)
except (IndexError, ValueError) as e:
    print(type(e).__name__ + ': ' + str(e), x)
f(x)
""")
    done = autoray("run", path)
    assert done.returncode == 1 and error in done.stdout and "[ 1. -2.  3.]" in done.stdout
    assert error in done.stderr and f":{7 + body.count(chr(10))}:" in done.stderr


def test_warnings(tmp_path):
    """As numpy: once a line."""
    path = tmp_path / "script.ar"
    path.write_text(OURS + """
@autojit
def f(x):
    y = x[x >= 0]
    return 1 / y
for _ in range(3):
    f(np.array([1.0, -2.0, 0.0]))
with np.errstate(divide='raise'):
    try:
        f(np.array([1.0, -2.0, 0.0]))
    except FloatingPointError as e:
        print(e)
""")
    done = autoray("run", path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("divide by zero encountered") == 1
    assert "divide by zero encountered" in done.stdout


def test_handlers_run_plainly(tmp_path):
    """What values raise reaches the handler that stands around the operation."""
    body = """
@autojit
def f(x, i):
    try:
        return x[i] * 2
    except IndexError:
        return x
print(f(np.arange(3.0), np.array([1])), f(np.arange(3.0), np.array([5])))
@autojit
def g(x):
    try:
        return x * 2
    finally:
        x[0] = 5
x = np.arange(3.0)
print(g(x), x)
"""
    same(tmp_path, body)
    assert [what for what, _ in kinds(tmp_path, body)] == ["plain call", "plain call", "compiled"]


def test_views_of_what_is_written(tmp_path):
    """A result that is a view of an argument stays one when the function writes the argument."""
    same(tmp_path, """
@autojit
def f(x):
    x[0] = 5
    return x[1:], x[::-2], x.T, x.real
for _ in range(2):
    x = np.arange(4.0)
    for k, y in enumerate(f(x)):
        y[k] = 10 * k + 1
        print(x, y)
@autojit
def g(x):
    x[0] = 5
    return x[0], x[1:] * 1, x[[1, 2]]
for _ in range(2):
    x = np.arange(4.0)
    y = g(x)
    y[1][0] = y[2][0] = 8
    print(x, y)
""")


def test_many_shapes(tmp_path):
    """A shape of its own in every call: memory does not grow with the calls."""
    path = tmp_path / "script.ar"
    path.write_text(OURS + """
@autojit
def f(x, n):
    y = x[x < n]
    return (y * y).sum() + y.size
x = np.arange(600.0)
for n in range(600):
    assert f(x, float(n)) == (np.arange(float(n)) ** 2).sum() + n
print('done')
""")
    done = autoray("run", path, "--explain", "--format=json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert {e["library"] for e in entries if e["op"].startswith("autojit ")} == {"in segments"}
