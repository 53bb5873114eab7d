"""The text of arrays and scalars is numpy's, character for character: over 2,000 generated arrays in a few runs."""
import numpy
import pytest

import both

FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
SHAPES = ((), (0,), (1,), (2,), (3,), (5,), (17,), (60,), (0, 3), (3, 0), (1, 1), (2, 3), (4, 5), (3, 20), (1, 40), (30, 1),
          (2, 0, 2), (2, 3, 4), (1, 2, 1), (3, 1, 9), (2, 2, 2, 2), (1, 1, 1, 1), (2, 1, 3, 2))
SUMMARISED = ((1001,), (2000,), (101, 10), (10, 101), (1001, 1), (1, 1001), (7, 9, 17), (11, 2, 50), (4, 5, 6, 10), (3, 3, 3, 40),
              (7, 150))

SCRIPT = """
import sys
import numpy as np

data = np.load(sys.argv[1])
for name in data.files:
    a = data[name]
    print("\\x01" + name + " str")
    print(str(a))
    print("\\x01" + name + " repr")
    print(repr(a))
    if a.ndim == 0:
        s = a[()]
        print("\\x01" + name + " scalar")
        print(s, repr(s), [s], (s, s), f"{s}", {"k": s})
        print(a.item(), repr(a.item()), [a.item()])
    elif a.size and a.size < 60:
        print("\\x01" + name + " lists")
        print(list(a.ravel()))
        print(a.tolist())
        if a.ndim == 2:
            print(a.T)
            print(a[::-1, ::-1])
            print([a, (a, 1)])
"""


def float_pool(rng, kind, n, dtype):
    """n float64 values of one character; conversions to the dtype may overflow on purpose."""
    info = numpy.finfo(dtype)
    digits = rng.integers(0, 8)
    if kind == "small integers":
        return rng.integers(-9, 10, n).astype(float)
    if kind == "positive integers":
        return rng.integers(0, 100000, n).astype(float)
    if kind == "decimals":
        return numpy.round(rng.standard_normal(n) * 10.0 ** rng.integers(0, 4), digits)
    if kind == "normal":
        return rng.standard_normal(n)
    if kind == "scaled":
        return rng.standard_normal(n) * 10.0 ** rng.integers(-12, 20)
    if kind == "wide":
        return rng.standard_normal(n) * 10.0 ** rng.uniform(-6, 9, n)
    if kind == "huge":
        return rng.choice([-1, 1], n) * float(info.max) * rng.random(n)
    if kind == "tiny":
        return rng.choice([-1, 1], n) * float(info.smallest_normal) * rng.random(n) * 10
    if kind == "subnormal":
        return float(info.smallest_subnormal) * rng.integers(-5, 6, n)
    if kind == "special":
        return rng.choice([numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0, 1.5, -2.25, 1e5], n)
    if kind == "nan":
        return rng.choice([numpy.nan, numpy.nan, 1.0, 123.456], n)
    if kind == "zeros":
        return rng.choice([0.0, -0.0], n)
    if kind == "edges":
        return rng.choice([1e8, 1e-4, 9.9999999e7, 99999999.5, 1e-5, 0.0001, 1e16, 123456789.0, 1e15, 0.1, 1 / 3], n)
    raise AssertionError(kind)


KINDS = ("small integers", "positive integers", "decimals", "normal", "scaled", "wide", "huge", "tiny", "subnormal", "special",
         "nan", "zeros", "edges")


def make(rng, dtype, shape, kind):
    n = int(numpy.prod(shape))
    with numpy.errstate(all="ignore"):
        if dtype == "bool":
            return (rng.random(n) < rng.choice([0.0, 0.5, 1.0])).reshape(shape)
        if dtype in INTEGERS:
            info = numpy.iinfo(dtype)
            if kind in ("huge", "wide", "special"):
                values = rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
            else:
                values = rng.integers(max(info.min, -50), 100, n).astype(dtype)
            return values.reshape(shape)
        if dtype in COMPLEX:
            part = "float32" if dtype == "complex64" else "float64"
            other = kind if rng.random() < 0.6 else str(rng.choice(KINDS))
            values = numpy.empty(n, dtype)
            values.real = float_pool(rng, kind, n, part).astype(part)
            values.imag = float_pool(rng, other, n, part).astype(part)
            return values.reshape(shape)
        return float_pool(rng, kind, n, dtype).astype(dtype).reshape(shape)


def arrays(seed):
    rng = numpy.random.default_rng(seed)
    made = {}
    for dtype in ("bool", *INTEGERS, *FLOATS, *COMPLEX):
        kinds = KINDS if dtype in FLOATS + COMPLEX else ("small integers", "huge")
        for kind in kinds:
            for shape in SHAPES:
                made[f"{dtype} {kind} {shape} {len(made)}"] = make(rng, dtype, shape, kind)
        for shape in SUMMARISED:
            made[f"{dtype} {shape} {len(made)}"] = make(rng, dtype, shape, str(rng.choice(kinds)))
    # 0-d arrays and scalars are the text that scripts print most.
    for dtype in FLOATS + COMPLEX:
        for k in range(150):
            made[f"scalar {dtype} {k}"] = make(rng, dtype, (), KINDS[k % len(KINDS)])
    return made


def pieces(text):
    parts = text.split("\x01")[1:]
    return dict(part.split("\n", 1) for part in parts)


@pytest.mark.parametrize("seed", range(2))
def test_generated_arrays(seed, tmp_path):
    made = arrays(seed)
    assert len(made) >= 2000
    numpy.savez(tmp_path / "data.npz", **made)
    script = tmp_path / "printing.py"
    script.write_text(SCRIPT)
    ours, theirs = map(pieces, both.both(script, tmp_path / "data.npz"))
    assert ours.keys() == theirs.keys()
    wrong = [name for name in theirs if ours[name] != theirs[name]]
    shown = "\n".join(f"--- {name}\nours:\n{ours[name]}numpy:\n{theirs[name]}" for name in wrong[:12])
    assert not wrong, f"{len(wrong)} of {len(theirs)} texts differ\n{shown}"
