"""Loops whose steps each take up what the step before put down: one kernel of many turns. The bits are the eager ones, whatever
is carried, and objects give them too."""
import os
import random
import re

import numpy as np
import pytest

from test_compile import Library, script_file
from test_native import run_text

PROGRAMS = '''
import numpy as np


def first_order(b):
    x = np.zeros_like(b)
    x[0] = b[0]
    for i in range(1, b.shape[0]):
        x[i] = x[i - 1] * b[0] + b[i]
    return x


def round_numbers(b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = (x[i - 1] * 0.5 + b[i] * 2.0) * 0.25 - 1.0
    return x


def second_order(b):
    x = b.copy()
    for i in range(2, b.shape[0]):
        x[i] = x[i - 1] - x[i - 2] * b[i]
    return x


def downwards(b):
    x = b.copy()
    for i in range(b.shape[0] - 2, -1, -1):
        x[i] = x[i] - b[1] * x[i + 1]
    return x


def every_third(b):
    x = b.copy()
    for i in range(3, b.shape[0], 3):
        x[i] = x[i] + x[i - 3]
    return x


def column(b):
    x = np.zeros((b.shape[0], 3), b.dtype)
    for i in range(1, b.shape[0]):
        x[i, 1] = x[i - 1, 1] + b[i]
    return x


def diagonal(b):
    x = np.zeros((b.shape[0], b.shape[0]), b.dtype)
    x[0, 0] = b[0]
    for i in range(1, b.shape[0]):
        x[i, i] = x[i - 1, i - 1] - b[i]
    return x


def running(b):
    x = np.zeros(b.shape[0] + 1, b.dtype)
    for i in range(b.shape[0]):
        x[i + 1] = x[i] + b[i]
    return x, x[1:] - x[:-1]


def all_before(b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = x[i] - x[:i].sum() / (i + 1)
    return x


def sums_before(b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = x[i] - x[:i].sum() * 0.01
    return x


def squares_before(b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = x[i] - x[:i] @ x[:i] / (50 * i)
    return x


def window(b):
    x = b.copy()
    for i in range(20, b.shape[0]):
        x[i] = x[i - 20:i].sum() / 20
    return x


def all_behind(b):
    x = b.copy()
    for i in range(b.shape[0] - 2, -1, -1):
        x[i] = x[i] - x[i + 1:].sum() / b.shape[0]
    return x


def functions_before(b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = np.exp(-abs(x[:i])).sum() / i
    return x


def two_at_once(b):
    x, y = b.copy(), b.copy()
    for i in range(1, b.shape[0]):
        x[i] = x[i - 1] + y[i - 1] / 3
        y[i] = y[i - 1] - x[i] / 3
    return x, y


def written_twice(b):
    x = b.copy()
    for i in range(2, b.shape[0]):
        x[i] = x[i - 1] + b[i]
        x[i - 2] = x[i - 1] / 2
    return x


def ends_elsewhere(b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = x[i - 1] + b[i] if i % 11 else b[i]
    return x


def solved(b):
    n = b.shape[0]
    L = np.outer(b, b) / 200 + np.eye(n, dtype=b.dtype) * 2
    x = np.zeros_like(b)
    for i in range(n):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    for i in range(n - 1, -1, -1):
        x[i] = (x[i] - L[i, i + 1:] @ x[i + 1:]) / L[i, i]
    return x


def in_place(b):
    for i in range(1, b.shape[0]):
        b[i] = b[i] + b[i - 1] / 2
    return b
'''
NAMES = [line.split()[1].split("(")[0] for line in PROGRAMS.splitlines() if line.startswith("def ")]
COMPARED = '''
from autoray import autojit

for n in {sizes}:
    for dtype in {dtypes}:
        b = np.random.default_rng(n).random(n) * 1.8 - 0.9
        b = b.astype(dtype) if dtype[0] in "fc" else (abs(b) * 100).astype(dtype)
        for f in ({names}):
            want, got = f(b.copy()), autojit(f)(b.copy())
            if not isinstance(want, tuple):
                want, got = (want,), (got,)
            for p, q in zip(want, got):
                assert p.dtype == q.dtype and p.tobytes() == q.tobytes(), (f.__name__, n, dtype)
print("all the same")
'''
# Items of these do not divide to themselves.
OF_INTEGERS = "first_order, second_order, downwards, every_third, column, diagonal, running, ends_elsewhere"


def compared(folder, sizes, dtypes, *flags, names=", ".join(NAMES)):
    done = run_text(folder, PROGRAMS + COMPARED.format(sizes=sizes, dtypes=dtypes, names=names), *flags)
    assert done.stdout == "all the same\n", done.stderr[-3000:]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "complex128", "complex64"])
def test_recurrences(tmp_path, dtype):
    compared(tmp_path, [2, 9, 10, 11, 25, 40, 41, 66, 130, 259, 301], [dtype])


def test_recurrences_of_integers(tmp_path):
    compared(tmp_path, [9, 25, 66], ["int64", "int8", "uint16"], names=OF_INTEGERS)


def test_bounds_of_recurrences_are_checked(tmp_path):
    compared(tmp_path, [25, 66, 301], ["float64", "complex64", "float16"], "--check-bounds")


TERMS = ("{t}[i - 1] * 0.5", "{t}[i - 2] * 0.25", "{t}[i + 1] * 0.25", "{t}[i] * 0.5", "b[i]", "{t}[:i].sum() * 0.01", "0.125",
         "({t}[:i] @ {u}[:i]) * 0.001", "{t}[i - 4:i].sum() * 0.1", "{t}[1:i + 1].sum() * 0.02", "{t}[i + 1:].sum() * 0.01",
         "np.exp(-abs({t}[:i])).sum() * 0.01", "np.sqrt(abs({t}[i - 1]))", "{t}[:i:2].sum() * 0.02", "{t}[i - 1] * {u}[i - 1]")


def random_loop(rng, name):
    """A loop over items of two arrays, which reads before, at and behind what it writes."""
    body = ""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        t = rng.choice("xxy")
        terms = [rng.choice(TERMS).format(t=rng.choice("xxxy"), u=rng.choice("xy")) for _ in range(rng.choice((1, 2, 2, 3)))]
        body += f"        {t}[{rng.choice(('i', 'i', 'i', 'i', 'i - 1', 'i + 1'))}] = ({' + '.join(terms)}) * 0.5\n"
    indices = rng.choice(("range(4, n - 1)", "range(4, n - 1)", "range(n - 2, 3, -1)", "range(5, n - 1, 2)"))
    return f"def {name}(b):\n    n = b.shape[0]\n    x, y = b.copy(), b * 0.5\n    for i in {indices}:\n{body}    return x, y\n\n\n"


@pytest.mark.parametrize("flags", [(), ("--check-bounds",)])
def test_random_loops(tmp_path, flags, tell):
    seed = int(os.environ.get("AUTORAY_SEED") or 1)
    rng = random.Random(seed)
    names = [f"f{k}" for k in range(60)]
    text = "import numpy as np\n\n\n" + "".join(random_loop(rng, name) for name in names)
    text += COMPARED.format(sizes=[16, 41, 270], dtypes=["float64"], names=", ".join(names[:30]))
    text += COMPARED.format(sizes=[41], dtypes=["float32", "complex64"], names=", ".join(names[30:]))
    done = run_text(tmp_path, text, *flags)
    assert done.stdout == "all the same\n" * 2, f"AUTORAY_SEED={seed}: {done.stderr[-3000:]}"
    tell(f"random loops: AUTORAY_SEED={seed}, {len(names)} loops")


OVERFLOWS = '''
import numpy as np
from autoray import autojit


def sums(a, b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = b[i] + (a[i, :i] @ x[:i]) * 0.0
    return x


def overflows(f, a, b):
    with np.errstate(all="raise"):
        try:
            f(a, b)
        except FloatingPointError:
            return True
    return False


rng = np.random.default_rng({seed})
f = autojit(sums)
counts = [0, 0]
for n in (11, 13, 18, 35):
    for k in range(100):
        a = np.zeros((n, n))
        i = int(rng.integers(n // 2, n))
        for place in [i - 1, int(rng.integers(0, i)), int(rng.integers(0, i)), int(rng.integers(0, i))]:
            a[i, place] = rng.choice(np.array([-1.0, 1.0]))
        b = rng.choice(np.array([-1e308, 1e308, 0.5e308]), n)
        want = overflows(sums, a, b)
        assert overflows(f, a, b) == want, (n, k)
        counts[want] += 1
assert min(counts) > 50, counts
print("all the same")
'''


def test_only_what_overflows_eagerly_does(tmp_path, tell):
    """What a sum's lanes hold before its newest term is there says nothing."""
    seed = int(os.environ.get("AUTORAY_SEED") or 1)
    done = run_text(tmp_path, OVERFLOWS.format(seed=seed))
    assert done.stdout == "all the same\n", f"AUTORAY_SEED={seed}: {done.stderr[-3000:]}"
    tell(f"sums near the largest number: AUTORAY_SEED={seed}")


def test_many_steps_are_few(tmp_path):
    """Where nothing stands between its steps a recurrence is one step, of whatever length."""
    for name, most in (("first_order", 3), ("round_numbers", 3), ("running", 3), ("column", 3), ("sums_before", 3)):
        for n in (60, 90):
            done = run_text(tmp_path, PROGRAMS + f"from autoray import autojit\nautojit({name})(np.ones({n}))\n", "--explain")
            assert int(re.search(r"(\d+) steps", done.stderr)[1]) <= most, (name, n, done.stderr[-300:])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "in_place"])
def test_objects(tmp_path, name):
    script = script_file(tmp_path, PROGRAMS)
    space = {}
    exec(PROGRAMS, space)
    for n in (25, 301):
        b = np.random.default_rng(n).random(n) * 1.8 - 0.9
        folder = tmp_path / str(n)
        folder.mkdir()
        library = Library(folder, script, name, f"b=float64[{n}]")
        got, want = library(b=b.copy()), space[name](b.copy())
        for p, q in zip(*(x if isinstance(x, tuple) else (x,) for x in (got, want))):
            assert np.allclose(p, q, rtol=1e-9, atol=1e-9 * np.abs(q).max())


def test_an_object_writes_its_argument(tmp_path):
    script = script_file(tmp_path, PROGRAMS)
    library = Library(tmp_path, script, "in_place", "b=float64[50]")
    b = np.random.default_rng(1).standard_normal(50)
    want = b.copy()
    for i in range(1, 50):
        want[i] = want[i] + want[i - 1] / 2
    library(b=b)
    assert np.array_equal(b, want)


def test_a_long_recurrence_ends_when_it_is_asked_to(tmp_path):
    done = run_text(tmp_path, """
import numpy as np
from autoray import autojit
@autojit
def f(b):
    x = b.copy()
    for i in range(1, b.shape[0]):
        x[i] = x[i - 1] / 2 + b[i]
    return x
b = np.ones(20000)
while True:
    f(b)
""", "--timeout", "3")
    assert done.returncode != 0 and "time" in done.stderr
