"""An operation that fails when what was recorded is computed: the diagnostic shows the line that recorded it, and the calls that
led there, on every executor."""
import pytest

from conftest import autoray

PROGRAM = """
import numpy as np
from autoray import autojit, lazy

def inner(y, i):
    z = y + 1
    return FAILS

def f(x, i):
    y = x * 2
    if x.ndim < 9:
        return inner(y, i) - 1

"""
# What fails, the arguments, the error, and the expression that the carets mark.
FAILURES = {
    "index": ("z[i] * 2", "np.arange(3.0), np.array([5])", "IndexError: index 5 is out of bounds for axis 0 with size 3", "z[i]"),
    "matrix": ("np.linalg.inv(z) * i", "np.zeros((2, 2)) - 0.5, 2.0", "LinAlgError: Singular matrix", "np.linalg.inv(z)"),
    "events": ("np.log(z - 1) * i", "np.zeros(3), np.ones(3)", "FloatingPointError: divide by zero encountered in log", "np.log(z - 1)"),
}
RUNS = {
    "eager": "f(*a)",
    "native": "autojit(f)(*a)",
    "a later call": "g = autojit(f)\n    g(a[0] * 0 + np.eye(2) + 3 if a[0].ndim == 2 else a[0] + 2, a[1] * 0)\n    g(*a)",
    "plan": "autojit(f, backend='plan')(*a)",
    "lazy": "f(lazy.array(a[0]), a[1]).compute()",
    "segments": "autojit(lambda x, i: f(x, i)[np.isfinite(x)])(*a)",
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("run", RUNS)
def test_places(tmp_path, run, failure):
    expression, arguments, error, marked = FAILURES[failure]
    path = tmp_path / "script.ar"
    path.write_text(PROGRAM.replace("FAILS", expression) + f"a = ({arguments})\nwith np.errstate(divide='raise'):\n    {RUNS[run]}\n")
    done = autoray("run", path)
    assert done.returncode == 1 and error in done.stderr, done.stderr
    lines = done.stderr.splitlines()
    column = len("    return ")
    assert any(f"script.ar:7:{column + 1}: error" in line for line in lines), done.stderr
    caret = next(line for line in lines if "^" in line).split("|", 1)[1]
    assert caret.strip() == "^" + "~" * (len(marked) - 1), done.stderr
    assert caret.index("^") == 1 + column
    stack = [line.rsplit(":", 1)[1] for line in lines if line.startswith("  ") and ", in " in line and line.lstrip()[0] != "["]
    assert stack[-1] == "7, in inner"
    if run != "lazy":  # computed elsewhere than recorded: the innermost place alone
        assert stack[-2] == "12, in f"
        assert sum("in f" in line or "in inner" in line for line in stack) == 2
