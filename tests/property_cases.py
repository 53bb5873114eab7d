"""Cases for every row of the op table, from its signature alone: a new row is tested without an edit here, or fails with
"no generator for parameter ...", which asks for values of a parameter that no row had before.
"""
import inspect
import json

import numpy

from conftest import autoray
from property_data import COMPLEX, DTYPES, FLOATS, SHAPES, SIGNED, UNSIGNED
from property_run import Case

# Parameters of files, hosts and generators: their rows have tests of their own.
OTHER_CLASSES = ("random", "linalg", "fft")
OTHER_OPS = ("load", "save", "savez", "savez_compressed", "loadtxt", "savetxt")


class Row:
    """A row of the op table: numpy's name, the parameters, a letter for each."""

    def __init__(self, record):
        self.name, self.kind, self.aliases = record["name"], record["class"], record["aliases"]
        scope = {}
        exec(f"def f({record['signature'].replace('<no value>', 'None')}): pass", scope)
        self.parameters = list(inspect.signature(scope["f"]).parameters.values())
        self.letters = dict(zip((p.name for p in self.parameters), record["operands"]))
        self.function = getattr(numpy, self.name, None)
        self.ufunc = isinstance(self.function, numpy.ufunc)

    def optional(self):
        names = [p.name for p in self.parameters if p.default is not inspect.Parameter.empty]
        if not self.ufunc:
            return names
        masked = ["where"] if self.function.signature is None else []  # products have nothing to mask
        return names + masked + ["out", "dtype", "casting", "order", "subok"]


def rows():
    table = json.loads(autoray("ops", "--format=json").stdout)
    return [Row(r) for r in table if "." not in r["name"] and r["class"] not in OTHER_CLASSES and r["name"] not in OTHER_OPS]


# ---- values of attributes: text by parameter name, given the pool and what is bound so far ----

INTS = ("0", "1", "2", "-1", "3", "-2")
FLAGS = ("True", "False")
DTYPE_TEXTS = ("np.float32", "'float64'", "'complex128'", "int", "bool", "'i2'", "float", "np.uint8", "'f2'", "'complex64'",
               "complex", "np.dtype('int32')", "'uint64'", "None")


def axis_values(pool, bound):
    n = bound["main"].ndim
    return [
        "None", "0", "-1",
        str(max(n - 1, 0)),
        str(-n),
        str(n),
        str(-n - 1), "(0,)", "(0, 1)", "(-1, 0)", "(0, 0)", "()", "1", "np.int64(0)", "(1, 2)", "0.5", "[0, 1]", "'x'"
    ]


def where_values(pool, bound):
    shape = bound["shape"]
    masks = [pool.broadcastable(shape, "bool").text for _ in range(4)]
    return masks + ["True", "False", "[True]", pool.broadcastable(shape, "int64").text]


def shape_values(pool, bound):
    main = bound.get("main")
    if main is None:
        return [
            "()", "3", "(2, 3)", "[2, 0]", "(0,)", "(4, 1)", "-1", "(2, -3)", "np.int64(2)", "np.array([2, 2])", "2.5", "(1.5,)"
        ]
    size = int(numpy.prod(main.shape))
    values = [
        "-1", f"({size},)", "(-1, 1)", "(1, -1)", "(2, -1)", "(-1, 3)", "(-1, -1)", f"({size}, 1, 1)", "()", f"{size}",
        "(0, 4)", "[4, -1]", "(7, 7)", "2.0"
    ]
    for a in (2, 3, 4, 6):
        if size and size % a == 0:
            values += [f"({a}, {size // a})", f"({size // a}, {a})", f"(1, {a}, {size // a})"]
    return values


def like_shape_values(pool, bound):
    return ["None", "3", "(2, 3)", "()", "(0, 2)", "[1, 2]"]


def broadcast_shapes_of(pool, bound):
    shape = bound["main"].shape
    values = [
        str(shape),
        str((2,) + shape),
        str((1, 3) + shape),
        str(tuple(3 if d == 1 else d for d in shape)), "(4,)", "()", "5",
        str(shape[1:]), "(-1, 4)",
        str(tuple(d + 1 for d in shape))
    ]
    return values


def transpose_axes(pool, bound):
    n = bound["main"].ndim
    permutation = tuple(int(i) for i in pool.rng.permutation(n))
    negative = tuple(i - n for i in permutation)
    return [
        "None",
        str(permutation),
        str(list(permutation)),
        str(negative), "(0, 0)", "(0,)", "(0, 1, 2, 3)", "()",
        str((n,) * max(n, 1))
    ]


def axis_lists(pool, bound):
    n = bound["main"].ndim
    return ["0", "-1", str(n - 1), str(n), "(0, 1)", "[-1, 0]", "(0, 0)", "()", "1", "(0,)", "2", "(-1, 0, 1)"]


def shift_values(pool, bound):
    return ["1", "-1", "0", "7", "-100", "(1, 2)", "(1, -1)", "np.int64(2)", "2**40", "1.0"]


def repeat_values(pool, bound):
    main = bound["main"]
    lengths = set(main.shape) | {int(numpy.prod(main.shape))}
    return ["2", "0", "1", "3", "-1", "[1, 2, 3]", "[2]", "(0, 1)", "np.array(2)", "2.0"
            ] + [str([int(x) for x in pool.rng.integers(0, 3, n)]) for n in lengths if n < 30]


def pad_widths(pool, bound):
    n = bound["main"].ndim
    each = tuple((i % 3, (i + 1) % 2) for i in range(max(n, 1)))
    return [
        "1", "0", "2", "(1, 2)", "((1, 2),)",
        str(each), "-1", "(1,)", "[0, 1]", "1.5", "((1, 1), (2, 2))", "[[1]]", "(1, 2, 3)"
    ]


def split_values(pool, bound):
    return [
        "1", "2", "3", "4", "[1]", "[1, 2]", "[2, 1]", "[0, 5]", "[-1]", "[]", "0", "-1", "(1, 3)", "5", "np.array([1, 2])",
        "1.0"
    ]


def tensordot_axes(pool, bound):
    return [
        "0", "1", "2", "([0], [0])", "([-1], [0])", "([0, 1], [0, 1])", "([1, 0], [0, 1])", "(0, 0)", "(-1, -1)", "([1], [1])",
        "3", "([], [])", "([0], [0, 1])", "(1, 0)", "[[0], [1]]", "-1"
    ]


def subscripts(pool, bound):
    return ["'ij,jk->ik'"]


def range_values(pool, bound):
    return ["None", "(0, 4)", "(-3.5, 2)", "(1, 1)", "(2, 1)", "[0.0, 1.0]", "(np.nan, 1)"]


def fill_values(pool, bound):
    # Nothing that a cast could not hold, but for Python integers, which are checked.
    scalars = ("0", "1", "2.5", "-1.5", "True", "300", "70000", "np.float32(2.5)", "np.int8(3)", "np.uint8(7)", "0.0")
    return [pool.choice(scalars) for _ in range(6)] + ["[1, 2, 3]", pool.array("int8", exact=True).text, "[[1.5], [2]]"]


def clip_bounds(pool, bound):
    main = bound["main"]
    return [pool.scalar().text for _ in range(6)] + [pool.broadcastable(main.shape, None, True).text
                                                     for _ in range(6)] + ["None"]


VALUES = {
    "axis": axis_values, "keepdims": FLAGS, "dtype": DTYPE_TEXTS, "ddof": ("0", "1", "2", "0.5", "5", "-1"), "initial":
    ("0", "1", "2.5", "-3", "True", "1j", "np.float32(2)", "100", "None"), "where": where_values, "order":
    ("'C'", "'F'", "'A'", "'K'", "None", "'X'"), "casting": ("'no'", "'equiv'", "'safe'", "'same_kind'", "'unsafe'", "'bogus'"),
    "subok": FLAGS, "copy": ("True", "False", "None"), "device": ("None", "'cpu'", "'gpu'"), "like": ("None",), "deg": FLAGS,
    "decimals": ("0", "1", "2", "-1", "-2", "5", "1.0"), "rtol": ("1e-05", "0.1", "0", "0.75"), "atol": ("1e-08", "0.5", "0", "2"),
    "equal_nan": FLAGS, "min": clip_bounds, "max": clip_bounds, "offset": INTS, "axis1": INTS, "axis2": INTS, "k":
    INTS + ("2.5", "np.int8(1)"), "shape": shape_values, "axes": transpose_axes, "source": axis_lists, "destination":
    axis_lists, "shift": shift_values, "repeats": repeat_values, "reps": ("1", "2", "0", "(2, 1)", "[1, 2, 3]", "(2, 2)",
                                                                          "(0, 1)", "()", "-1", "np.int64(2)"), "pad_width":
    pad_widths, "constant_values": ("0", "1", "5.5", "(1, 2)", "((1, 2),)", "-3", "[7]"), "indices_or_sections": split_values,
    "mode": ("'raise'", "'wrap'", "'clip'",
             "'bogus'"), "kind": ("None", "'quicksort'", "'stable'", "'mergesort'", "'heapsort'",
                                  "'bogus'"), "stable": ("True", "False", "None"), "side": ("'left'", "'right'",
                                                                                            "'middle'"), "return_index": FLAGS,
    "return_inverse": FLAGS, "return_counts": FLAGS, "sorted": ("True",), "minlength": ("0", "3", "20", "-1"), "ndmin": INTS,
    "ndmax": ("0", "64"), "N": ("0", "1", "3", "4", "np.int64(2)", "-1",
                                "2.5"), "n": ("0", "1", "3", "np.int64(2)", "-1"), "M": ("None", "0", "2", "5", "-1"), "start":
    ("0", "1", "-2.5", "3", "np.float32(1.5)",
     "10"), "stop": ("5", "0", "7.5", "-3", "None", "np.int8(4)"), "step": ("1", "2", "-1", "0.5", "-0.25", "3", "0", "None"),
    "num": ("5", "0", "1", "2", "11", "-1", "2.5",
            "np.int64(3)"), "endpoint": FLAGS, "retstep": FLAGS, "dimensions": ("(2, 3)", "()", "(3,)", "[1, 2, 2]", "(0, 2)",
                                                                                "3"), "sparse": FLAGS, "indexing":
    ("'xy'", "'ij'", "'bogus'"), "rowvar": FLAGS, "bias": FLAGS, "optimize": ("False", "True", "'greedy'", "'optimal'"), "bins":
    ("10", "1", "3", "[0, 1, 3]", "[-4.0, 0.5, 2, 9]", "0", "[3, 1]", "2.5",
     "np.array([0, 1, 2])"), "range": range_values, "density": ("None", "True",
                                                                "False"), "fill_value": fill_values, "indices": None,
}
# The same name means something else in these rows.
SPECIAL = {
    ("broadcast_to", "shape"):
    broadcast_shapes_of, ("tensordot", "axes"):
    tensordot_axes, ("empty_like", "shape"):
    like_shape_values, ("zeros_like", "shape"):
    like_shape_values, ("ones_like", "shape"):
    like_shape_values, ("full_like", "shape"):
    like_shape_values, ("pad", "mode"): ("'constant'", "'edge'", "'reflect'", "'symmetric'", "'wrap'", "'maximum'",
                                         "'minimum'", "'mean'", "'median'", "'linear_ramp'", "'empty'", "'bogus'"),
    ("cov", "ddof"): ("None", "0", "1", "2"), ("sort", "order"): ("None", "'x'"), ("argsort", "order"): ("None", "'x'"),
    ("linspace", "axis"): ("0", "-1", "1", "2"), ("unique", "axis"): ("None", "0", "1", "-1", "5"), ("eye", "k"):
    INTS, ("linspace", "start"): ("0", "1", "-2.5", "1j"), ("take_along_axis", "axis"): ("None", "0", "-1", "1", "5"),
}


def attribute_values(pool, row, name, bound):
    values = SPECIAL.get((row.name, name)) or VALUES.get(name)
    assert values is not None, f"no generator for parameter {name!r} of {row.name}"
    return values(pool, bound) if callable(values) else values


# ---- operands ----


def integers_below(pool, length, shape, wrong=False):
    low, high = -max(length, 1), max(length, 1)
    if wrong:
        high += 2
    values = pool.rng.integers(low, high, shape)
    dtype = pool.choice(("int64", "int32", "int8", "int16"))
    return f"np.array({values.tolist()}, '{dtype}')" if values.ndim else f"{int(values)}"


def main_operand(pool, row, exact):
    """The array that the row's first operand is."""
    if row.name == "bincount":
        values = pool.rng.integers(0 if pool.chance(0.9) else -1, 6, pool.choice((0, 1, 9))).tolist()
        dtype = pool.choice(
            ("int64", "int8", "int32", "bool", "float64", "int16", "uint16" if min(values, default=0) >= 0 else "int8"))
        return pool.operand(f"np.array({values}, '{dtype}')")
    if row.name == "histogram":
        return pool.array(pool.choice([d for d in DTYPES if d not in COMPLEX]), exact=exact)
    if row.name == "searchsorted":
        return pool.operand(
            f"np.sort({pool.array(shape=pool.choice(((5,), (24,), (0,), (1,), (5,), (3, 4))), exact=exact, plain=True).text})",
            exact)
    return pool.array(exact=exact)


def other_operand(pool, row, name, bound):
    """An operand after the first, by the row's shape habits."""
    main, exact = bound["main"], bound["exact"]
    if name == "indices" and row.name == "take":
        length = main.shape[-1] if main.ndim and pool.chance() else int(numpy.prod(main.shape))
        return pool.operand(
            pool.choice((integers_below(pool, length, pool.choice(((), (3,), (2, 2), (0,))),
                                        pool.chance(0.2)), "[0, 0]", "True", "0.5", "[]")))
    if name == "indices":
        shape = list(main.shape)
        if shape:
            shape[pool.choice(range(len(shape)))] = 2
        return pool.operand(integers_below(pool, min(main.shape or (1,)), tuple(shape), pool.chance(0.1)))
    if name == "v":
        return pool.array(exact=exact) if pool.chance(0.7) else pool.scalar()
    if name == "sorter":
        return pool.operand(f"np.argsort({main.text})") if main.ndim == 1 else pool.operand("[0]")
    if name in ("weights", "fweights", "aweights"):
        length = main.shape[-1] if main.ndim else 1
        values = pool.rng.integers(0, 4, length)
        return pool.operand(
            f"np.array({values.tolist()}, '{'int64' if name == 'fweights' else pool.choice(('float64', 'int32', 'float32'))}')")
    if name in ("a_min", "a_max", "min", "max"):
        return pool.operand(pool.choice(clip_bounds(pool, bound)))
    if name == "where":
        return pool.operand(pool.choice(where_values(pool, bound)))
    if name == "initial":
        return pool.operand(pool.choice(VALUES["initial"]))
    if name == "y" and row.name == "cov":
        return pool.array(None, main.shape if main.shape in SHAPES else (4,), exact)
    if row.kind == "contract":
        return contracted_operand(pool, row, main, exact)
    if name == "fill_value":
        return pool.operand(pool.choice(fill_values(pool, bound)))
    if row.kind == "elementwise":
        if pool.chance(0.25):
            return pool.scalar()
        return pool.broadcastable(main.shape, None, exact)
    raise AssertionError(f"no generator for parameter {name!r} of {row.name}")


def contracted_operand(pool, row, main, exact):
    """Often one whose axes fit the first operand's."""
    fits = [
        s for s in SHAPES
        if main.ndim and s and (s[0] == main.shape[-1] or s[-1] == main.shape[-1] or len(s) > 1 and s[-2] == main.shape[-1])
    ]
    if row.name == "vdot":
        fits = [s for s in SHAPES if numpy.prod(s) == numpy.prod(main.shape)]
    shape = pool.choice(fits) if fits and pool.chance(0.85) else pool.choice(SHAPES)
    return pool.array(None, shape, exact)


def sequence_operands(pool, row, exact):
    """Operands of a sequence: mostly of shapes that join."""
    count = pool.choice((1, 2, 2, 3, 0))
    shape = pool.choice(SHAPES)
    same = pool.chance(0.7)
    dtype = pool.choice(DTYPES) if pool.chance(0.3) else None
    operands = []
    for _ in range(count):
        if pool.chance(0.08):
            operands.append(pool.scalar())
        elif same:
            operands.append(pool.array(dtype, shape, exact, plain=True if pool.chance(0.7) else None))
        else:
            operands.append(pool.array(dtype, None, exact))
    return operands


EINSUMS = {
    1: ("'ii'", "'ii->i'", "'ij->ji'", "'ij->'", "'ij'", "'i->'", "'...i->...'", "'ijk->kji'", "'iij->j'", "'->'", "'ij->jj'",
        "'i...->...i'", "'...->...'", "'ji'"), 2:
    ("'ij,jk->ik'", "'ij,jk'", "'i,i'", "'i,j->ij'", "'ij,ij->ij'", "'ij,ij->'", "'...ij,...jk->...ik'", "'ij,kj->ik'",
     "',ij->ij'", "'i,ij->j'", "'ij,j'", "'ijk,kl->ijl'", "'ij,ji'", "'...,...'", "'ij,jk->iz'", "'ii,ij->ij'"), 3:
    ("'ij,jk,kl->il'", "'i,i,i->i'", "'ij,j,k->ik'", "'...i,...i,...i->...'"),
}

LITERALS = ("3", "2.5", "[1, 2]", "[1, 2.5]", "[[1, 2], [3, 4]]", "[]", "[[], []]", "(1j, 2)", "[True, False]", "[True, 2]",
            "[np.float32(1.5), 2]", "[np.int8(1), 300]", "[[1, 2], [3]]", "range(4)", "[np.arange(3), [4, 5, 6]]", "2**63",
            "[2**63, 1]", "[-1, 2**63]", "[[np.float16(1)], [2]]", "[np.zeros(2), np.zeros(3)]", "[[[1], [2]], [[3], [4]]]",
            )


def call_text(name, positional, keywords):
    return f"np.{name}({', '.join([*positional, *(f'{k}={v}' for k, v in keywords)])})"


# What a created value is needs no operand; einsum, meshgrid and array have grammar of their own.
def host_call(pool, row, exact):
    if row.name == "einsum":
        count = pool.choice((1, 2, 2, 2, 3))
        shapes = pool.choice((((3, 4), (4, 3), (3, 1)), ((4, 4),) * 3, ((3, 4),) * 3, ((5,),) * 3, ((2, 3, 4), (4, 3), (3, 4)),
                              ((), (3, 4), (4,)), ((5,), (5,), (5,)), ((1, 4), (4, 4), (4, 1)), ((0, 3), (3, 4), (4, 4))))
        operands = [pool.array(None, s if s in SHAPES else (5,), exact) for s in shapes[:count]]
        equation = pool.choice(EINSUMS[count])
        if equation == "'ii->i'" and operands[0].ndim == 2 and 0 in operands[0].shape:
            equation = "'ij->ji'"  # of no rows and some columns numpy reads a diagonal that is not there
        return [equation, *(o.text for o in operands)], operands
    if row.name == "meshgrid":
        operands = [
            pool.array(None, pool.choice(((), (0,), (1,), (5,), (3, 4))), exact, plain=True)
            for _ in range(pool.choice((0, 1, 2, 3)))
        ]
        return [o.text for o in operands], operands
    if row.name in ("array", "asarray"):
        if pool.chance():
            return [pool.choice(LITERALS)], []
        operand = pool.array(exact=exact)
        return [operand.text], [operand]
    if row.name == "arange":
        texts = [pool.choice(VALUES["start"])]
        if pool.chance(0.7):
            texts.append(pool.choice(VALUES["stop"]))
            if pool.chance(0.6):
                texts.append(pool.choice(VALUES["step"]))
        return texts, []
    if row.name == "linspace":
        return [
            pool.choice(VALUES["start"] + ("[0, 1]", "np.array([1.0, 2.0, 3.0])", "[[1], [2]]")),
            pool.choice(VALUES["stop"][:4] + ("[5, 6]", "np.float32(9)", "2+1j"))
        ], []
    if row.name == "indices":
        return [pool.choice(VALUES["dimensions"])], []
    return None


def random_case(pool, row, forced=None, dtype=None, shape=None, exact=None):
    """One call; `forced` names a keyword that it must give."""
    exact = pool.chance() if exact is None else exact
    if forced in ("dtype", "out", "casting") or row.name in ("astype", "round"):
        exact = True  # casts of values out of range are nobody's contract
    bound = {"exact": exact}
    positional, operands, given = [], [], []
    special = host_call(pool, row, exact)
    if special:
        positional, operands = special
        if operands:
            bound["main"] = operands[0]
        if row.name == "arange" and forced in ("start", "stop", "step"):
            positional = positional[:1]
            forced = None if forced == "start" else forced
    else:
        for p in row.parameters:
            required = p.default is inspect.Parameter.empty
            letter = row.letters[p.name]
            if p.kind in (p.VAR_POSITIONAL,) or letter == "S":
                operands = sequence_operands(pool, row, exact)
                texts = [o.text for o in operands]
                if p.kind == p.VAR_POSITIONAL:
                    positional += texts
                else:
                    if row.name == "column_stack" and not texts:
                        texts = ["1"]
                    positional.append(pool.choice(("[{}]", "({},)")).format(", ".join(texts)) if texts else "[]")
                bound["main"] = operands[0] if operands else pool.array()
                continue
            if not required:
                continue
            if letter in "ABC" and "main" not in bound and p.name not in ("shape", "N", "n"):
                if p.name == "fill_value":
                    operand = pool.operand(pool.choice(fill_values(pool, bound)))
                elif dtype and row.name not in ("searchsorted", "histogram"):
                    operand = pool.array(dtype, shape, exact)
                else:
                    operand = main_operand(pool, row, exact)
                if row.name != "full":
                    bound["main"] = operand
                bound["shape"] = operand.shape
            elif letter in "AB":
                operand = other_operand(pool, row, p.name, bound)
                if row.kind == "elementwise":
                    try:
                        bound["shape"] = numpy.broadcast_shapes(bound["shape"], operand.shape)
                    except ValueError:
                        pass
            else:
                positional.append(pool.choice(attribute_values(pool, row, p.name, bound)))
                continue
            operands.append(operand)
            positional.append(operand.text)
    if "main" in bound:
        bound.setdefault("shape", bound["main"].shape)
    names = [forced] if forced else []
    names += [n for n in row.optional() if n not in names and n not in ("out", "dtype", "casting") and pool.chance(0.1)]
    names.reverse()  # the forced one comes last: what stands before it is accepted
    if "out" in names:
        names = [n for n in names if n != "dtype"]
    keywords = []
    for name in dict.fromkeys(names):
        if name == "out":
            continue
        letter = row.letters.get(name, "-")
        if name == "where" and row.ufunc:
            letter = "-"
        if row.name == "arange" and name in ("start", "stop", "step") and len(positional) > ("start", "stop",
                                                                                             "step").index(name):
            continue
        if letter in "OA" and "main" in bound:
            operand = other_operand(pool, row, name, bound)
            operands.append(operand)
            keywords.append((name, operand.text))
        else:
            if name == "weights":
                operand = other_operand(pool, row, name, bound)
                keywords.append((name, operand.text))
                continue
            keywords.append((name, pool.choice(attribute_values(pool, row, name, bound))))
    return finish(pool, row, positional, keywords, operands, exact, "out" in names, bound)


def out_array(pool, row, result, operands):
    """Text of an `out=` argument for a call with this result: now and then of another shape, or of another dtype."""
    shape, dtype = numpy.shape(result), numpy.asarray(result).dtype
    scan = row.name in ("cumsum", "cumprod")
    if scan and (numpy.size(result) < 2 or 1 in shape):
        pass  # numpy stretches an axis of one, fills an empty result's neighbours, and crashes on 0-d
    elif pool.chance(0.12):
        shape = pool.choice([s for s in SHAPES if s and 0 not in s] if scan else SHAPES)
    elif pool.chance(0.4):
        choices = DTYPES
        if row.kind == "reduction" and row.name not in ("all", "any", "argmax", "argmin", "count_nonzero"):
            # It accumulates in the dtype of its `out`: only those that hold every step.
            choices = [dtype, "float64", "complex128"]
            items = numpy.asarray(operands[0].value).astype("c16")
            if row.name in ("sum", "cumsum", "mean", "max", "min"):
                reach = numpy.sum(numpy.abs(items))
                choices += [d for d in ("int16", "int32", "int64", "uint16", "uint64", "float32", "complex64")
                            if holds(d, items) and holds(d, reach)]
        dtype = pool.choice(choices)
        of_zero = row.name == "reciprocal" and numpy.asarray(result).dtype.kind in "iu"  # a cast of infinity
        if not holds(dtype, result) or of_zero:
            dtype = numpy.asarray(result).dtype
    text = f"np.full({shape}, 7, '{dtype}')"
    # numpy 2.4's vectors of these leave parts of an `out` alone whose items do not follow one another.
    partly_written = row.name in ("isnan", "isinf", "isfinite")
    return text + pool.choice(("", "", "[::-1]")) if shape and not partly_written else text


COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


def crashes_numpy(row, operands):
    """A masked comparison with a Python integer that the other operand's dtype can't hold is a null loop in numpy."""
    if row.name not in COMPARISONS:
        return False
    integers = [o.value for o in operands if type(o.value) is int]
    infos = [numpy.iinfo(o.dtype) for o in operands if type(o.value) is not int and o.dtype.kind in "iu"]
    return any(not info.min <= value <= info.max for value in integers for info in infos)


def holds(dtype, values):
    """Whether every value has a place in the dtype: casts out of range are nobody's contract."""
    kind, values = numpy.dtype(dtype).kind, numpy.asarray(values)
    if kind not in "iu" or values.dtype.kind not in "fc":
        return True
    info = numpy.iinfo(dtype)
    return bool(numpy.all((values.real > info.min - 1) & (values.real < info.max + 1)))


def squares_fit(row, operand, dtype):
    """Whether the squares that a spread adds up in an integer dtype have a place in it."""
    asked = numpy.dtype(eval(dtype, {"np": numpy}))
    values = numpy.asarray(operand.value).astype("c16")
    reach = 2 * numpy.max(numpy.abs(values), initial=0)
    return row.name not in ("var", "std") or (holds(asked, operand.value) and holds(asked, reach**2 * max(values.size, 1)))


def casts_nan(result, dtype):
    """A mean of nothing, or of infinities, has no integer: casts out of range are nobody's contract."""
    asked = numpy.dtype(eval(dtype, {"np": numpy}))
    return asked.kind not in "fc" and not numpy.all(numpy.abs(numpy.asarray(result)) < 100)


def casts_by_path(pool, row, keywords, result, out):
    """Whether numpy's einsum in steps casts into `out` as the last step happens to be done: a product, or an assignment."""
    return row.name == "einsum" and "optimize" in dict(keywords) and result is not None and \
        not numpy.can_cast(numpy.asarray(result).dtype, pool.evaluate(out).dtype, "safe")


def finish(pool, row, positional, keywords, operands, exact, with_out, bound):
    """The case; one that numpy refuses has one reason to, so that both sides must name the same."""
    if row.function is None:
        return None
    name = pool.choice([row.name, row.name, row.name, *row.aliases])
    kept, result = [], None
    try:
        result = pool.evaluate(call_text(name, positional, []))
        for k, v in keywords:
            if row.ufunc and k == "where":
                if crashes_numpy(row, operands):
                    continue
                with_out = True  # without it the masked elements hold anything
            if k in dict(kept):
                continue
            if k == "dtype" and row.name in ("mean", "var", "std"):
                if casts_nan(result, v) or not squares_fit(row, operands[0], v):
                    continue
            kept.append((k, v))
            if k == "a_max" and "a_min" not in dict(kept):
                kept.append(("a_min", "None"))
            result = pool.evaluate(call_text(name, positional, kept))
    except Exception:
        with_out = False
    text = call_text(name, positional, kept)
    given = [k for k, _ in kept]
    out = out_array(pool, row, result, operands) if with_out and not isinstance(result, (tuple, list)) else None
    if out and casts_by_path(pool, row, kept, result, out):
        out = f"np.full({numpy.shape(result)}, 7, '{numpy.asarray(result).dtype}')"
    if out:
        text = f"filled(lambda o: {call_text(name, positional, [*kept, ('out', 'o')])}, {out})"
        given.append("out")
    case = Case(text, row.name, exact, tuple(given))
    case.complex_operands = any(o.dtype.kind == "c" for o in operands)
    if with_out and row.kind == "elementwise":
        case.computed = numpy.asarray(result).dtype if result is not None else None
    add_scale(row, case, positional, kept, operands)
    stable = any(k in ("kind", "stable") and v in ("'stable'", "'mergesort'", "True") for k, v in kept)
    extreme = row.name == "pad" and any(v in ("'maximum'", "'minimum'", "'median'") for _, v in kept)
    case.zero_ties = row.name == "unique" or extreme or (row.name == "sort" and not stable)
    if row.name == "argsort" and not stable:
        axis = dict(kept).get("axis", "-1")
        first = f"np.ravel({positional[0]})" if axis == "None" else f"np.atleast_1d({positional[0]})"
        case.keys = f"np.take_along_axis({first}, RESULT, axis={0 if axis == 'None' else axis})"
    return case


SCALED = ("sum", "mean", "cumsum", "trace", "prod", "cumprod", "var", "std")


def add_scale(row, case, positional, keywords, operands):
    """The text of sum|terms| of a reduction or product."""
    if row.name in SCALED and operands:
        kept = [(k, v) for k, v in keywords if k not in ("dtype", "out", "initial", "ddof", "correction")]
        first, rest = positional[0], positional[1:]
        initial = dict(keywords).get("initial", "0")
        squares = "**2" if row.name in ("var", "std") else ""
        function = {"var": "mean", "std": "mean"}.get(row.name, row.name)
        case.scale = f"np.{function}({', '.join([f'finite({first}){squares}', *rest, *(f'{k}={v}' for k, v in kept)])})"
        if row.name == "sum" and initial != "None":
            case.scale += f" + abs({initial})"
        if row.name == "std":
            case.scale = f"np.sqrt({case.scale})"
        if row.name in ("prod", "cumprod"):
            case.scale = case.scale.replace("finite(", "reach(", 1)
        case.terms = int(numpy.prod(operands[0].shape))
        case.computed = operands[0].dtype if operands[0].dtype.kind in "fc" else None
    elif row.name == "pad" and ("mode", "'mean'") in keywords:
        case.scale, case.terms = f"np.sum(finite({operands[0].text}))", int(numpy.prod(operands[0].shape))
    elif row.kind == "contract" and row.name != "cov":
        kept = [(k, v) for k, v in keywords if k not in ("dtype", "out", "order", "casting", "where", "subok")]
        texts = {o.text for o in operands}
        wrapped = [f"finite({t})" if t in texts else t for t in positional]
        case.scale = call_text(row.name, wrapped, kept)
        case.terms = max([2, *(int(numpy.prod(o.shape)) for o in operands)])
        floats = [o.dtype for o in operands if o.dtype.kind in "fc"]
        case.computed = None
    elif row.name == "cov":
        # Products of two variables' deviations, however they are weighted.
        case.scale = " + ".join(f"np.sum(finite({o.text})**2)" for o in operands)
        case.scale = f"10 * ({case.scale})"
        case.terms = 24


def cases_of(pool, row, size):
    """All cases of a row: every dtype x shape for the first operand, then every keyword, then mixtures."""
    cases = []
    first = next((row.letters[p.name] for p in row.parameters), "-")
    binary = row.kind == "elementwise" and sum(row.letters[p.name] == "A" for p in row.parameters) > 1
    if first in "AB" and row.name not in ("bincount",):
        for dtype in DTYPES:
            for shape in SHAPES:
                for exact in ((True, False) if size > 1 or not binary else (pool.chance(),)):
                    cases.append(random_case(pool, row, None, dtype, shape, exact))
    if binary:
        for dtype in DTYPES:
            for other in DTYPES:
                cases.append(random_case(pool, row, None, dtype, None, None))
    for name in row.optional():
        # Most dtypes are refused by most ufuncs.
        cases += [random_case(pool, row, name) for _ in range((60 if name == "dtype" else 20) * size)]
    cases += [random_case(pool, row) for _ in range((20 if first in "AB" else 100) * size)]
    return [c for c in cases if c]
