"""Random programs of numpy that always run: calls of any row of the op table, views, writes through views, functions, loops,
branches, draws.

Each statement is tried on numpy while the program is made, and left out when numpy refuses it. Values stay small dyadic numbers
(`snap` after every call), so that results do not depend on the order of sums or on the last bits of a function, and every
executor must give numpy's very numbers.
"""
import functools
import json
import math
import re
import warnings

import numpy

from conftest import autoray
from property_cases import random_case
from property_data import Operand, Pool

PRELUDE = '''
import sys
import numpy as np


def snap(x):
    """The nearest small dyadic numbers, in C order; the offset keeps what functions give away from the borders."""
    x = np.asarray(x)
    kind = x.dtype.kind
    if kind == "c":
        part = snap(x.real) + 1j * snap(x.imag)
        return part.astype(x.dtype).copy()
    if kind == "f":
        y = np.floor(np.where(np.isfinite(x), x, 0.0) * 4 + 0.3137)
        return (np.clip(y, -16, 16) / 4).astype(x.dtype).copy()
    if kind == "i":
        return np.clip(x, -50, 50).copy()
    if kind == "u":
        return np.clip(x, 0, 50).copy()
    return x.copy()
'''

DTYPES = ("bool", "int8", "int32", "int64", "uint8", "uint64", "float32", "float64", "float64", "float64", "complex64", "complex128")
SHAPES = ((3,), (4,), (5,), (1,), (2, 3), (3, 4), (4, 4), (3, 1), (1, 4), (2, 3, 4), (2, 2, 2), (0, 3), ())

# Rows whose results are not determined by numpy's documents: memory as it was, orders of equal items.
UNDETERMINED = ("empty", "empty_like", "argpartition", "partition", "argsort", "geomspace", "logspace")


class Variables(Pool):
    """The arrays that a program has so far, as the operands of generated calls."""

    def __init__(self, rng):
        self.rng = rng
        self.arrays = {}
        exec(PRELUDE, self.arrays)
        self.names = []

    def values(self):
        return {name: self.arrays[name] for name in self.names}

    def evaluate(self, text):
        with numpy.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return eval(text, self.arrays)

    def views(self, name):
        ndim = numpy.ndim(self.arrays[name])
        forms = ["{}", "{}", "{}"]
        if ndim >= 1:
            forms += ["{}[::-1]", "{}[1:]", "{}[..., None]", "{}[:2]"]
        if ndim >= 2:
            forms += ["{}.T", "{}[:, 0]", "{}[..., ::2]", "{}[0]", "np.swapaxes({}, 0, 1)"]
        out = []
        for form in forms:
            try:
                text = form.format(name)
                out.append(Operand(text, self.evaluate(text), True))
            except (IndexError, ValueError):
                pass
        return out

    def array(self, dtype=None, shape=None, exact=None, plain=None):
        candidates = [n for n in self.names
                      if (dtype is None or self.arrays[n].dtype == dtype) and (shape is None or self.arrays[n].shape == shape)]
        name = self.choice(candidates or self.names)
        return self.choice(self.views(name))

    def broadcastable(self, shape, dtype=None, exact=None):
        fits = []
        for name in self.names:
            for view in self.views(name):
                try:
                    if numpy.broadcast_shapes(view.shape, shape) is not None and (dtype is None or view.dtype == dtype):
                        fits.append(view)
                except ValueError:
                    pass
        return self.choice(fits) if fits else self.scalar()

    def scalar(self, dtype=None):
        text = self.choice(("0", "1", "2", "-1", "3", "0.5", "-0.25", "1.5", "True", "np.float32(0.5)", "np.int8(3)", "2j"))
        return Operand(text, self.evaluate(text), True)


def literal(rng, dtype, shape):
    n = math.prod(shape)
    kind = numpy.dtype(dtype).kind
    if kind == "b":
        values = rng.random(n) < 0.5
    elif kind == "u":
        values = rng.integers(0, 9, n)
    elif kind == "i":
        values = rng.integers(-8, 9, n)
    elif kind == "f":
        values = rng.integers(-16, 17, n) / 4
    else:
        values = rng.integers(-8, 9, n) / 4 + 1j * rng.integers(-8, 9, n) / 4
    return f"np.array({values.tolist()}, dtype='{dtype}').reshape({shape})"


@functools.cache
def functions():
    """numpy's names that programs here may call: the op table's, and what is no operation."""
    table = json.loads(autoray("ops", "--format=json").stdout)
    names = {name for record in table for name in (record["name"], *record["aliases"])}
    return names | {"float32", "int8", "allclose", "array_equal"}


class Program:
    def __init__(self, seed, table):
        self.rng = numpy.random.default_rng(seed)
        self.seed = seed
        self.table = table
        self.pool = Variables(self.rng)
        self.statements = []  # text, without indentation
        self.calls = []
        self.count = 0
        for _ in range(int(self.rng.integers(2, 4))):
            self.assign(literal(self.rng, self.pick(DTYPES), self.pick(SHAPES)))
        makers = (self.call, self.call, self.call, self.view, self.view, self.write, self.write, self.write, self.in_place, self.function,
                  self.loop, self.branch, self.draw, self.scalar, self.linalg, self.create)
        while len(self.statements) < 6 + seed % 11:
            self.pick(makers)()

    def pick(self, items):
        return self.pool.choice(items)

    def fresh(self):
        self.count += 1
        return f"v{self.count}"

    def variable(self, ndim=None):
        names = [n for n in self.pool.names if ndim is None or self.pool.arrays[n].ndim >= ndim]
        return self.pick(names) if names else None

    def attempt(self, text, names=()):
        """Runs the statement on numpy; kept when it works and what it made is an array of the language, not too large."""
        if not set(re.findall(r"np[.]([a-z_0-9.]+)[(]", text)) <= functions():
            return False
        before = dict(self.pool.arrays)
        saved = {n: numpy.array(v) for n, v in self.pool.values().items()}
        ok = True
        try:
            with numpy.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                exec(text, self.pool.arrays)
            for name in names:
                value = self.pool.arrays[name]
                ok &= isinstance(value, numpy.ndarray) and value.size <= 200 and value.ndim <= 4 and value.dtype.name in DTYPES
            for name in self.pool.names:
                value = self.pool.arrays[name]
                ok &= isinstance(value, numpy.ndarray) and bool(numpy.all(numpy.abs(value) <= 100)) if value.size else ok
        except Exception:
            ok = False
        if not ok:
            for name in list(self.pool.arrays):
                if name not in before:
                    del self.pool.arrays[name]
            self.pool.arrays.update(before)
            for name, value in saved.items():
                if self.pool.arrays[name].flags.writeable and self.pool.arrays[name].shape == value.shape:
                    self.pool.arrays[name][...] = value
            return False
        self.statements.append(text)
        self.pool.names += [n for n in names if n not in self.pool.names]
        return True

    def assign(self, expression):
        name = self.fresh()
        return self.attempt(f"{name} = {expression}", [name])

    # ---- statements ----

    def expression(self):
        """A call of any row, as text; None when numpy refuses it, or gives no arrays."""
        row = self.pick(self.table)
        if row.name in UNDETERMINED:
            return None
        try:
            case = random_case(self.pool, row)
            if case is None or "lambda" in case.text:
                return None
            value = self.pool.evaluate(case.text)
        except Exception:
            return None
        # The property tests know these: masks that are no bools, and bins of complex numbers, are refused here.
        mask = re.search(r"where=([^,)]*)", case.text)
        if row.name == "histogram" or (mask and mask[1] not in ("True", "False") and mask[1] not in self.bools()):
            return None
        # One over an integer zero is nobody's contract.
        if row.name == "reciprocal" and numpy.asarray(value).dtype.kind in "iu":
            return None
        if "np.float16" in case.text or "'f2'" in case.text or "out=" in case.text:
            return None
        return case.text, value

    def bools(self):
        return {n for n in self.pool.names if self.pool.arrays[n].dtype == bool}

    def call(self):
        made = self.expression()
        if not made:
            return
        text, value = made
        if isinstance(value, (tuple, list)):
            if not 0 < len(value) < 5:
                return
            parts, name = [], self.fresh()
            for k in range(len(value)):
                parts.append(f"{self.fresh()} = snap({name}[{k}])")
            self.attempt(f"{name} = {text}\n" + "\n".join(parts) + f"\ndel {name}", [p.split()[0] for p in parts])
        else:
            self.assign(f"snap({text})")

    def view(self):
        v = self.variable()
        shape = self.pool.arrays[v].shape
        size = math.prod(shape)
        forms = ["{v}.reshape(-1)", "{v}.ravel()", "np.ravel({v})", "{v}.T", "{v}[::-1]", "{v}[1:]", "{v}[..., :2]", "{v}[None]",
                 "{v}[:, 1]", "{v}[0]", "np.swapaxes({v}, 0, -1)", "np.squeeze({v})", "np.expand_dims({v}, 0)", "{v}.real", "{v}.imag",
                 "np.diagonal({v})", "np.flip({v}, 0)", "np.moveaxis({v}, 0, -1)", "{v}[-1:, ::-1]", "{v}", "np.asarray({v})",
                 "np.broadcast_to({v}, (2,) + {v}.shape)", "np.split({v}, [1])[1]", "np.atleast_2d({v})", "{v}[...]", "np.rot90({v})",
                 "np.transpose({v})", "np.hsplit({v}, [2])[0]", "{v}.copy()", "np.array({v})", "np.real({v})", "np.imag({v})",
                 "np.reshape({v}, -1, order='F')"]
        for a in (2, 3, 4):
            if size and size % a == 0:
                forms += [f"{{v}}.reshape({a}, {size // a})", f"{{v}}.T.reshape({size // a}, {a})"]
        self.assign(self.pick(forms).format(v=v))

    def item(self, ndim):
        items = ["...", "0", "-1", "1:", "::2", "::-1", ":2", "[0, -1]", "[1]", ":"]
        if ndim >= 2:
            items += ["(0, 1)", "(slice(None), 0)", "(..., -1)", "(slice(1, None), slice(None, 2))", "([0, 1], [1, 0])", "(0, ...)",
                      "([0, -1],)", "(slice(None), [0, 1])"]
        return self.pick(items)

    def value_text(self):
        v = self.pick(self.pool.views(self.variable())).text
        return self.pick(("{v}", "1", "-0.5", "2", "{v} * 2", "{v} - 1", "snap({v} + {w})", "True", "snap(np.abs({v}))", "{v}.sum()", "np.sum({v})"))\
            .format(v=v, w=self.variable())

    def write(self):
        v = self.variable()
        form = self.pick(("{v}[{i}] = snap({x})", "{v}[{i}] = {x}", "{v}[{i}] = {v}[{i}]", "{v}[1:] = {v}[:-1]", "{v}[:-1] = {v}[1:]",
                          "{v}[::-1] = {v}", "{v}[{v} > 0] = 0", "{v}[{v} == 0] = 1", "{v}.T[{i}] = {x}", "{v}[0][...] = {x}",
                          "{v}.reshape(-1)[1:] = {x}", "{v}.real = {x}", "{v}.real[...] = 1", "{v}.fill({s})", "{v}.sort()",
                          "{v}[[0, 1]] = {v}[[1, 0]]", "np.put({v}, [0, 1], {s})", "np.fill_diagonal({v}, {s})",
                          "np.copyto({v}, {x})", "np.add({x}, {s}, out={v})", "np.multiply({v}, {s}, out={v})",
                          "np.maximum({v}, {s}, out={v}, where={v} > 0)", "{v}[np.argmax({v})] = {s}", "{v}[:, ::-1][0] = {x}",
                          "np.negative({v}, {v})", "{v}[{w}.size % len({v})] = {s}", "{v}[...] = snap({w})"))
        self.attempt(form.format(v=v, w=self.variable(), i=self.item(self.pool.arrays[v].ndim), x=self.value_text(),
                                 s=self.pick(("0", "1", "-2", "0.5"))))

    def in_place(self):
        v = self.variable()
        target = self.pick(("{v}", "{v}[1:]", "{v}[::2]", "{v}.T", "{v}[0]", "{v}[..., 0]", "{v}[[0, 1]]", "{v}[{v} > 0]")).format(v=v)
        operator = self.pick(("+=", "-=", "*=", "|=", "&=", "//=", "%=", "/=", "**=", "@="))
        operand = self.pick(("1", "2", "0.5", "{x}", "{v}", "{v}[::-1]", "{v}[:-1]")).format(v=v, x=self.value_text())
        if target == v and self.pool.chance(0.5):
            self.attempt(f"w = {v}\nw {operator} {operand}\n{v}[...] = snap({v})")
        else:
            self.attempt(f"{target} {operator} {operand}\n{v}[...] = snap({v})")

    def function(self):
        f, v, w = f"f{self.count}", self.variable(), self.variable()
        self.count += 1
        made = self.expression()
        inner = made[0] if made and not isinstance(made[1], (tuple, list)) else f"np.abs({v})"
        body = self.pick((f"def {f}(x, y=2):\n    z = x * y\n    z[...] = snap(z)\n    return z\n", f"def {f}(x):\n    x[...] = snap(x + 1)\n    return x\n",
                          f"def {f}(x):\n    t = x[:1]\n    t[...] = 1\n    return snap({inner}) + 0 * t.sum()\n",
                          f"def {f}(x, *rest):\n    def g(y):\n        return snap(x + y)\n    return g({w})\n",
                          f"def {f}(x):\n    return snap(x) if x.ndim > 1 else snap(x - 1)\n",
                          f"{f} = lambda x: snap(np.where(x > 0, x, {self.pick(('0', '1.5', 'x * 2'))}))\n"))
        name = self.fresh()
        self.attempt(f"{body}{name} = {f}({v})", [name])

    def loop(self):
        v, w, name = self.variable(1), self.variable(), self.fresh()
        if not v:
            return
        self.attempt(*self.pick((
            (f"for i in range(len({v})):\n    {v}[i] = snap({v}[i - 1] + {self.pick(('1', '0.5', w))})", []),
            (f"rows = []\nfor i in range(len({v})):\n    rows.append({v}[i] * i)\n{name} = snap(np.stack(rows))\ndel rows", [name]),
            (f"{name} = snap({w})\nfor i in range(3):\n    {name} = snap({name} * 2 - {w})", [name]),
            (f"{name} = np.zeros({v}.shape)\nfor i in range(min(3, len({v}))):\n    {name}[i] += {v}[i].real\n    {name}[...] = snap({name})", [name]),
            (f"{name} = snap(np.array([x.sum() for x in [{v}, {w}]]))", [name]),
            (f"for i in range(2):\n    t = {v}[i:]\n    t[...] = snap(t + i)\ndel t", []),
            (f"k = 0\nwhile k < 5 and np.sum(np.abs({v})) > k:\n    {v}[...] = snap({v} // 2 + k)\n    k += 1", []),
        )))

    def branch(self):
        v, w = self.variable(), self.variable()
        self.attempt(self.pick((f"if {v}.size and {v}.sum().real > 0:\n    {v}[...] = snap({v} - {w})\nelse:\n    {v}[...] = 1",
                                f"if np.any({v}):\n    {v}[...] = snap({w})", f"if np.allclose({v}, {w}):\n    {v}[...] = 0",
                                f"try:\n    {v}[...] = {w}\nexcept ValueError:\n    {v}[...] = 1")))

    def draw(self):
        if "rng" not in self.pool.arrays:
            self.attempt(f"rng = np.random.default_rng({self.seed})")
        shape = self.pick(("3", "(2, 3)", "(4,)", "{v}.shape")).format(v=self.variable())
        self.assign("snap(" + self.pick(("rng.normal(size={s})", "rng.integers(0, 5, size={s})", "rng.uniform(-1, 1, {s})", "rng.random({s})",
                                         "rng.permutation(4)", "rng.choice(5, size={s})", "rng.standard_normal({s})", "rng.exponential(1.0, {s})",
                                         "rng.normal({v})", "rng.permutation({v})")).format(s=shape, v=self.variable()) + ")")

    def scalar(self):
        v, w, s = self.variable(), self.variable(), self.fresh()
        reduced = self.pick(("{v}.sum()", "{v}.max()", "np.mean({v})", "{v}.reshape(-1)[0]", "np.linalg.norm({v})", "{v}.min() * 2")).format(v=v)
        name = self.fresh()
        self.attempt(f"{s} = snap({reduced})[()]\n{name} = snap({w} {self.pick('+-*')} {s})\ndel {s}", [name])

    def linalg(self):
        v = self.variable(2)
        if not v or self.pool.arrays[v].ndim != 2 or self.pool.arrays[v].dtype.kind == "b":
            return
        square = f"({v} @ {v}.T.conj() + 8 * np.eye({v}.shape[0]))"
        self.assign("snap(" + self.pick((f"np.linalg.solve({square}, {v})", f"np.linalg.inv({square}) * 8", f"np.linalg.det({square}) / 100",
                                         f"np.linalg.svd({v}, compute_uv=False)", f"np.linalg.eigvalsh({square})", f"np.linalg.cholesky({square})",
                                         f"np.abs(np.linalg.qr({v})[1])", f"np.linalg.norm({v}, axis=0)", f"np.linalg.matrix_power({square}, 2)",
                                         f"np.linalg.slogdet({square})[1]")) + ")")

    def create(self):
        v = self.variable()
        self.assign(self.pick(("np.zeros({v}.shape, {v}.dtype)", "np.ones((2, 3))", "np.zeros_like({v})", "np.full((3,), 0.5)", "np.arange(4)",
                               "np.eye(3)", "np.linspace(0, 1, 5)", "np.ones_like({v})", "np.full_like({v}, 1)", "np.arange(4.0)",
                               "snap(np.concatenate([np.ravel({v}), np.arange(3)]))")).format(v=v))

    # ---- text ----

    def text(self, number, statements=None):
        """The program as a function of no arguments that returns its arrays."""
        statements = self.statements if statements is None else statements
        lines = [f"def program{number}():"]
        for statement in statements:
            lines += ["    " + line for line in statement.splitlines()]
        made = [n for n in self.pool.names if any(f"{n} = " in s for s in statements)]
        lines.append("    return {" + ", ".join(f"'{n}': {n}" for n in made) + "}")
        return "\n".join(lines) + "\n"
