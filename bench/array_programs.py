"""The programs that time array operations: one text, run by autoray and by CPython with numpy.

The list of operations is the op table's own (`autoray ops --format=json`): every element-wise op and reduction gets a line, so an op
that is new in the table is measured without an edit here, or fails where its operands need more than the rules below know.
"""

SIZE = 1_000_000

HEADER = '''
import time
import numpy as np
from autoray import do

rng = np.random.default_rng(1)
n = %d
x = rng.random(n) + 0.5
y = rng.random(n) + 0.5
signed = rng.standard_normal(n)
inside = 2 * rng.random(n) - 1
above = 1 + 10 * rng.random(n)
near_one = 1 + 1e-7 * rng.standard_normal(n)
i = rng.integers(1, 1000, n)
shift = rng.integers(0, 20, n)
square = x.reshape(1000, n // 1000)
nonzero = x + 1
zeros = np.zeros(n)


def measure(name, f):
    f()
    begin = time.perf_counter()
    f()
    once = time.perf_counter() - begin
    times = []
    for _ in range(max(5, min(25, int(0.05 / max(once, 1e-6))))):
        begin = time.perf_counter()
        f()
        times.append(time.perf_counter() - begin)
    print(name, sorted(times)[len(times) // 2], sep='\\t', flush=True)


''' % SIZE

# Operands where the first and second float64 vectors will not do: a domain, or integers.
OPERANDS = {
    "arccos": "inside", "arcsin": "inside", "arctanh": "inside", "arccosh": "above",
    "absolute": "signed", "sign": "signed", "negative": "signed", "sin": "10 * signed", "cos": "10 * signed", "tan": "10 * signed",
    "invert": "i", "bitwise_and": "i, shift", "bitwise_or": "i, shift", "bitwise_xor": "i, shift",
    "left_shift": "i, shift", "right_shift": "i, shift",
    "where": "c, x, y", "clip": "signed, -0.5, 0.5", "astype": "x, np.float32",
    "prod": "near_one", "cumprod": "near_one", "trace": "square", "all": "nonzero", "any": "zeros", "count_nonzero": "signed",
}


def operands_of(op):
    """The text of the call's operands, and what must be computed before."""
    before = ""
    if op["name"] in OPERANDS:
        text = OPERANDS[op["name"]]
        if text.startswith("c, "):
            before = "c = signed > 0\n"
        if "*" in text:
            before = f"scaled = {text}\n"
            text = "scaled"
        return before, text
    required = sum(letter in "AS" for letter in op["operands"])
    return before, ", ".join(["x", "y"][:required])


def programs(ops, lines_each=8):
    """Programs that print "name TAB seconds" for every element-wise op and reduction: a few lines each, so that the two sides of a
    line are measured within a second of each other."""
    lines = []
    for op in ops:
        if op["class"] not in ("elementwise", "reduction"):
            continue
        before, operands = operands_of(op)
        name = op["name"]
        # Names of autoray's own have no place in the module numpy.
        call = f"do('{name}', {operands})" if name == "complex" else f"np.{name}({operands})"
        lines.append(f"{before}measure('{name}', lambda: {call})\n")
    # Along an axis, and what is no op of its own: the same kernels by other ways.
    for name in ("sum", "mean", "max", "argmax", "cumsum", "var", "all", "prod"):
        for axis in (0, 1):
            operand = "near" if name == "prod" else "square"
            before = "near = near_one.reshape(square.shape)\n" if name == "prod" else ""
            lines.append(f"{before}measure('{name}, axis {axis}', lambda: np.{name}({operand}, axis={axis}))\n")
    lines.append("measure('add, a scalar', lambda: x + 1.5)\n")
    lines.append("measure('add, broadcast', lambda: square + square[0])\n")
    lines.append("measure('multiply, transposed', lambda: square.T * square.T)\n")
    return [HEADER + "".join(lines[at:at + lines_each]) for at in range(0, len(lines), lines_each)]


def sorting():
    return HEADER + "measure('sort', lambda: np.sort(signed))\nmeasure('argsort', lambda: np.argsort(signed))\n"


def products():
    return HEADER + ("a = rng.standard_normal((1000, 1000))\nb = rng.standard_normal((1000, 1000))\n"
                     "measure('matmul', lambda: np.matmul(a, b))\n")
