"""Fills and copies of which later steps leave nothing are left out; those that anything reads stay."""
import os
import random
import re

import numpy as np
import pytest

from test_compile import Library, script_file
from test_native import run_text

# Whether the fill stays, because it is read or not known to be overwritten; None: it is part of what reads it.
PROGRAMS = {
    "items": (False, "x = np.zeros(6)\nfor i in range(6):\n    x[i] = b[i] * 2"),
    "items_downwards": (False, "x = np.zeros(6)\nfor i in range(5, -1, -1):\n    x[i] = b[i] * 2"),
    "halves": (False, "x = np.zeros(60)\nx[30:] = b[:30] * 2\nx[:30] = b[30:60] + 1"),
    "rows": (False, "x = np.zeros((3, 4))\nfor i in range(3):\n    x[i] = b[i:i + 4] + i"),
    "complex_items": (False, "x = np.zeros(6, 'complex128')\nfor i in range(6):\n    x[i] = b[i] * 1j"),
    "filled_again": (False, "x = np.zeros(50)\nx[:] = 3.0\nx[:] = b[:50] - 1"),
    "full": (False, "x = np.full(6, 2.5)\nx[:3] = b[:3] + 1\nx[3:] = b[:3] - 1"),
    "copy": (False, "x = b[:60].copy()\nx[:20] = b[20:40] * 2\nx[20:] = b[:40] * 2"),
    "behind": (False, "x = np.zeros(6)\nx[0] = b[0]\nfor i in range(1, 6):\n    x[i] = x[i - 1] * b[i]"),
    "last_item_stays": (True, "x = np.zeros(6)\nfor i in range(5):\n    x[i] = b[i] * 2"),
    "item_is_read": (True, "x = np.zeros(6)\nx[0] = b[0]\nfor i in range(1, 6):\n    x[i] = x[i - 1] + x[5] + b[i]"),
    "sum_is_read": (None, "x = np.zeros(6)\nfor i in range(6):\n    x[i] = b[i] + x.sum()"),
    "added_to": (None, "x = np.zeros(6)\nfor i in range(6):\n    x[i] += b[i]"),
    "gap": (True, "x = np.zeros(60)\nx[:20] = b[:20] + 1\nx[30:] = b[:30] + 1"),
    "used_before": (None, "x = np.zeros(6)\ny = x + b[:6]\nfor i in range(6):\n    x[i] = y[i] * 2"),
    "by_indices": (True, "x = np.zeros(6)\nx[:3] = b[:3] + 1\ny = x[np.array([0, 4])]\nx[3:] = b[:3] + y.sum()"),
    "sorted_before": (True, "x = np.zeros(6)\nx[:3] = b[:3] + 1\ny = np.sort(x)\nx[3:] = b[:3] + y[:3]"),
}

RUN = '''
import numpy as np
from autoray import autojit


{functions}
b = np.linspace(-1.0, 2.0, 70)
for f in ({names},):
    g = autojit(f)
    for k in range(2):
        want, got = f(b), g(b)
        assert want.dtype == got.dtype and want.tobytes() == got.tobytes(), (f.__name__, want, got)
    if {tell}:
        print(g.program_text)
print("all the same")
'''


def function(name, text):
    return f"def {name}(b):\n    " + text.replace("\n", "\n    ") + "\n    return x\n\n\n"


def run(folder, functions, names, *flags, tell=False):
    done = run_text(folder, RUN.format(functions=functions, names=", ".join(names), tell=tell), *flags)
    assert done.stdout.endswith("all the same\n"), done.stderr[-3000:]
    return done.stdout


def fills(program):
    """Kernels that put down a constant alone, or copy sixty items."""
    kernels = re.split(r"^kernel \d+:\n", program, flags=re.MULTILINE)[1:]
    return [k for k in kernels if set(re.findall(r"^ \d+:\w+ (\w+)", k, re.MULTILINE)) == {"Constant"} or "for 60\n 0:float64 Load" in k]


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_stays(tmp_path, name):
    stays, text = PROGRAMS[name]
    program = run(tmp_path, function(name, text), [name], tell=True)
    if stays is not None:
        assert bool(fills(program)) == stays, program


@pytest.mark.parametrize("made", ["np.zeros(60)", "np.zeros_like(b[:60])", "b[:60].copy()", "np.full(60, b[0])"])
def test_values_are_made_where_they_go(tmp_path, made):
    """Although the memory is made between the value and its write."""
    text = f"x = {made}\nx[1:-1] = b[1:59] + 0.1 * (b[2:60] - 2 * b[1:59] + b[:58])"
    assert "arena 0 bytes" in run(tmp_path, function("step", text), ["step"], tell=True)


def test_bounds_are_checked(tmp_path):
    run(tmp_path, "".join(function(name, text) for name, (_, text) in PROGRAMS.items()), PROGRAMS, "--check-bounds")


def random_program(rng, name):
    n = rng.choice((4, 9, 24))
    made = rng.choice(("np.zeros({n})", "np.full({n}, 1.5)", "b[:{n}].copy()", "np.zeros({n}, 'complex128')", "np.zeros(({n}, 3))[:, 1]"))
    lines = [f"x = {made.format(n=n)}", f"y = b[{n}:{2 * n}] * 0.5"]
    cuts = sorted({0, n, *(rng.randrange(n) for _ in range(rng.choice((0, 1, 2, 4))))})
    pieces = list(zip(cuts, cuts[1:]))
    order = rng.choice(("up", "down", "any"))
    if order == "down":
        pieces.reverse()
    elif order == "any":
        rng.shuffle(pieces)
    for begin, end in pieces:
        if rng.random() < 0.1:
            continue
        source = rng.choice(("b[{0}:{1}]", "b[{0}:{1}] * 2", "y[{0}:{1}] + 1", "y[{0}:{1}]", "0.25", "x[{0}:{1}] + 1"))
        lines.append(f"x[{begin}:{end}] = {source.format(begin, end)}")
        if rng.random() < 0.15:
            other = rng.randrange(n)
            lines.append(rng.choice((f"y[{other}] = x[{other}].real", "y += x.real", "y = y + x.sum().real",
                                     f"y[:2] = x[np.array([{other}, 0])].real", "y = np.sort(x.real)")))
    return function(name, "\n".join([*lines, "x = np.concatenate((x, y))"]))


@pytest.mark.parametrize("flags", [(), ("--check-bounds",)])
def test_random_programs(tmp_path, flags, tell):
    seed = int(os.environ.get("AUTORAY_SEED") or 1)
    rng = random.Random(seed)
    names = [f"f{k}" for k in range(150)]
    run(tmp_path, "".join(random_program(rng, name) for name in names), names, *flags)
    tell(f"random fills: AUTORAY_SEED={seed}, {len(names)} programs")


def test_objects(tmp_path):
    for name in ("items_downwards", "halves", "rows", "behind", "last_item_stays", "gap"):
        text = "import numpy as np\n\n\n" + function(name, PROGRAMS[name][1])
        space = {}
        exec(text, space)
        b = np.linspace(-1.0, 2.0, 70)
        folder = tmp_path / name
        folder.mkdir()
        assert np.array_equal(Library(folder, script_file(folder, text), name, "b=float64[70]")(b=b), space[name](b)), name
