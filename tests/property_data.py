"""The arrays of the property tests: every dtype in every kind of shape and memory layout, and the text that makes them.

A script's operand is text (`a3[::-1].T`) over named base arrays that both sides load from one .npz. Half of the base arrays
are "exact": small integers and dyadic fractions, whose sums and products are the same in any order. The others hold what
breaks loops: infinities, NaN, zeros of both signs, subnormals, the ends of the integers.
"""
import dataclasses
import functools
import math
import os
import warnings

import numpy

BOOL = ("bool",)
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
DTYPES = BOOL + SIGNED + UNSIGNED + FLOATS + COMPLEX

SHAPES = ((), (0,), (1,), (4,), (5,), (24,), (0, 3), (3, 4), (4, 3), (1, 4), (3, 1), (4, 4), (2, 3, 4), (2, 1, 3), (1, 1),
          (2, 0, 2))

FULL = bool(os.environ.get("AUTORAY_FULL"))


def seed():
    return int(os.environ.get("AUTORAY_SEED", "1"))


def short(dtype):
    kind = numpy.dtype(dtype)
    return "b1" if kind.kind == "b" else f"{kind.kind}{kind.itemsize}"


def exact_values(rng, n, dtype):
    kind = numpy.dtype(dtype).kind
    if kind == "b":
        return rng.random(n) < 0.5
    if kind == "u":
        return rng.integers(0, 9, n).astype(dtype)
    if kind == "i":
        return rng.integers(-8, 9, n).astype(dtype)
    if kind == "f":
        return (rng.integers(-16, 17, n) / rng.choice([1, 2, 4])).astype(dtype)
    return (exact_values(rng, n, "float64") + 1j * exact_values(rng, n, "float64")).astype(dtype)


def wild_floats(rng, n, dtype):
    info = numpy.finfo(dtype)
    reach = {"float16": 2, "float32": 8, "float64": 20}[numpy.dtype(dtype).name]
    values = rng.standard_normal(n) * 10.0**rng.uniform(-reach, reach, n)
    narrow = rng.random(n) < 0.5
    values[narrow] = rng.standard_normal(int(narrow.sum()))
    odd = [
        numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0, 1.0, -1.0,
        float(info.max),
        float(info.tiny),
        float(info.smallest_subnormal), 0.5, -2.5
    ]
    strange = rng.random(n) < 0.25
    values[strange] = rng.choice(odd, int(strange.sum()))
    with numpy.errstate(all="ignore"):
        return values.astype(dtype)


def wild_values(rng, n, dtype):
    kind = numpy.dtype(dtype).kind
    if kind == "b":
        return rng.random(n) < 0.2
    if kind in "iu":
        info = numpy.iinfo(dtype)
        values = rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
        odd = rng.random(n) < 0.3
        values[odd] = rng.choice(numpy.array([info.min, info.max, 0, 1, 2, 7], dtype), int(odd.sum()))
        return values
    if kind == "f":
        return wild_floats(rng, n, dtype)
    part = "float32" if dtype == "complex64" else "float64"
    values = numpy.empty(n, dtype)
    values.real, values.imag = wild_floats(rng, n, part), wild_floats(rng, n, part)
    return values


@dataclasses.dataclass(frozen=True)
class Operand:
    text: str
    value: object  # numpy's
    exact: bool

    @property
    def shape(self):
        return numpy.shape(self.value)

    @property
    def ndim(self):
        return numpy.ndim(self.value)

    @property
    def dtype(self):
        return numpy.asarray(self.value).dtype


class Pool:
    """Base arrays by name, and operands over them."""

    def __init__(self, rng):
        self.rng = rng
        self.arrays = {}
        for dtype in DTYPES:
            for shape in SHAPES:
                for exact in (True, False):
                    make = exact_values if exact else wild_values
                    self.arrays[self.name(dtype, shape, exact)] = make(rng, math.prod(shape), dtype).reshape(shape)

    @staticmethod
    def name(dtype, shape, exact):
        return f"{short(dtype)}_{'x'.join(map(str, shape))}_{'e' if exact else 'w'}"

    def add(self, name, array):
        self.arrays[name] = array
        return Operand(name, array, True)

    def choice(self, items):
        return items[int(self.rng.integers(len(items)))]

    def chance(self, p=0.5):
        return self.rng.random() < p

    def evaluate(self, text):
        with numpy.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return eval(text, {"np": numpy}, self.arrays)

    def operand(self, text, exact=True):
        return Operand(text, self.evaluate(text), exact)

    @functools.cache
    def views(self, name):
        """A base array itself, then strided, reversed, transposed and broadcast views of it."""
        ndim = self.arrays[name].ndim
        forms = ["{}"]
        if ndim >= 1:
            forms += ["{}[::2]", "{}[::-1]", "{}[1:]", "{}[..., ::-2]"]
        if ndim >= 2:
            forms += ["{}.T", "{}[:, 1:]", "{}[:, 0]", "{}.T[::-1]", "np.copy({}.T)", "{}.swapaxes(0, -1)[..., ::2]"]
        if ndim <= 2:
            forms += ["{}[None]", "np.broadcast_to({0}, (2,) + {0}.shape)"]
        views = []
        for form in forms:
            try:
                views.append(self.operand(form.format(name), name.endswith("_e")))
            except IndexError:  # no column to take
                pass
        return views

    def array(self, dtype=None, shape=None, exact=None, plain=None):
        """A random operand; `plain` keeps it as its base array is."""
        dtype = dtype or self.choice(DTYPES)
        shape = self.choice(SHAPES) if shape is None else shape
        exact = self.chance() if exact is None else exact
        name = self.name(dtype, shape, exact)
        views = self.views(name)
        return views[0] if plain or (plain is None and self.chance(0.4)) else self.choice(views)

    def scalar(self, dtype=None):
        """A Python scalar or a numpy scalar."""
        kind = self.choice(("int", "float", "complex", "bool", "numpy", "numpy")) if dtype is None else "numpy"
        if kind == "bool":
            return self.operand(self.choice(("True", "False")))
        if kind == "int":
            return self.operand(
                self.choice(("0", "1", "2", "3", "-1", "-7", "5", "127", "200", "300", "70000", "2**40", "-129")))
        if kind == "float":
            return self.operand(self.choice(("0.0", "0.5", "2.0", "-1.5", "3.25", "1e300", "np.nan", "np.inf", "-0.0")))
        if kind == "complex":
            return self.operand(self.choice(("1j", "2+1j", "0.5-2j", "0j")))
        dtype = dtype or self.choice(DTYPES)
        value = {
            "b": "1", "u": self.choice("0237"), "i": self.choice(("-3", "0", "2", "7")), "f": self.choice(
                ("-2.5", "0.0", "0.25", "3.0")), "c": self.choice(("1.5", "2-1j", "0.0"))
        }[numpy.dtype(dtype).kind]
        return self.operand(f"np.{numpy.dtype(dtype).name}({value})" if dtype != "bool" else "np.bool_(1)")

    def broadcastable(self, shape, dtype=None, exact=None):
        """An operand whose shape broadcasts with `shape` (most of the time)."""
        if self.chance(0.05):
            return self.array(dtype or "float64", None, exact)
        fits = []
        for candidate in SHAPES:
            try:
                numpy.broadcast_shapes(candidate, shape)
            except ValueError:
                continue
            fits.append(candidate)
        if shape in SHAPES and self.chance(0.4):
            fits = [shape]
        name = self.name(dtype or self.choice(DTYPES), self.choice(fits), self.chance() if exact is None else exact)
        options = []
        for view in self.views(name):
            try:
                numpy.broadcast_shapes(view.shape, shape)
            except ValueError:
                continue
            options.append(view)
        return self.choice(options)
