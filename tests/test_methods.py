"""Methods, attributes, operators and indices of arrays and numpy scalars, against numpy, as test_ops.py compares the ops."""
import numpy
import pytest

import property_run
from property_data import DTYPES, FULL, SHAPES, Pool, seed
from property_run import Case

# One process computes what all tests of this file compare.
pytestmark = pytest.mark.xdist_group("methods")

SIZE = 4 if FULL else 1

FUNCTIONS = '''
def get(a, i):
    return a[i]


def put(a, i, v):
    a[i] = v


def add_to(a, b):
    a += b
    return a


def take_from(a, b):
    a -= b
    return a


def multiply_by(a, b):
    a *= b
    return a


def divide_by(a, b):
    a /= b
    return a


def floor_divide_by(a, b):
    a //= b
    return a


def reduce_by(a, b):
    a %= b
    return a


def raise_to(a, b):
    a **= b
    return a


def and_with(a, b):
    a &= b
    return a


def or_with(a, b):
    a |= b
    return a


def xor_with(a, b):
    a ^= b
    return a


def shift_left(a, b):
    a <<= b
    return a


def shift_right(a, b):
    a >>= b
    return a


def set_real(a, v):
    a.real = v


def set_imag(a, v):
    a.imag = v


def set_shape(a, v):
    a.shape = v
'''
IN_PLACE = {
    "+": "add_to", "-": "take_from", "*": "multiply_by", "/": "divide_by", "//": "floor_divide_by", "%": "reduce_by", "**":
    "raise_to", "&": "and_with", "|": "or_with", "^": "xor_with", "<<": "shift_left", ">>": "shift_right"
}
OPERATORS = (*IN_PLACE, "<", "<=", ">", ">=", "==", "!=")

ATTRIBUTES = ("shape", "dtype", "ndim", "size", "itemsize", "nbytes", "T", "mT", "real", "imag", "flags.c_contiguous",
              "flags.f_contiguous", "flags.writeable", "strides")
PLAIN_CALLS = ("{}.item()", "{}.item(0)", "{}.item(-1)", "{}.item(1, 0)", "{}.item(99)", "{}.tolist()", "{}.flatten()",
               "{}.flatten('F')", "{}.copy()", "{}.ravel()", "{}.ravel('F')", "len({})", "bool({})", "int({})", "float({})",
               "complex({})", "{}.tobytes()", "list({})", "[r for r in {}]", "{}.astype('f4')", "{}.astype(complex)",
               "{}.astype(int, casting='safe')", "{}.astype('i8', casting='same_kind')", "{}.astype('f8', copy=False)",
               "{}.astype('f8', order='F')", "{}.conj()", "{}.conjugate()", "{}.transpose()", "{}.transpose(1, 0)",
               "{}.transpose((1, 0))", "{}.transpose(0, 1, 2)", "{}.reshape(-1)", "{}.reshape(-1, 1)", "{}.reshape((1, -1))",
               "{}.reshape(2, -1, order='F')", "{}.swapaxes(0, 1)", "{}.squeeze()", "{}.nonzero()", "{}.argsort()",
               "{}.round()", "{}.round(1)", "{}.clip(1, 3)", "{}.clip(min=2)", "{}.clip(max=2)", "{}.clip(None, 2)", "abs({})",
               "-{}", "+{}", "~{}", "{}.any()", "{}.all()", "{}.max()", "{}.min()", "{}.argmax()", "{}.argmin()", "0 in {}",
               "{}.diagonal()", "{}.trace()", "{}.no_such_attribute", "{}.sum(0)", "{}.sum(axis=-1, keepdims=True)",
               "{}.prod(1)", "{}.mean(0)", "{}.cumsum()", "{}.cumprod(0)", "{}.repeat(2)", "{}.repeat([1, 2], axis=0)",
               "{}.take([0, -1])", "{}.take([0], axis=0)", "{}.dot({})", "hash({})", "{} if {} else 0", "max({})", "sum({})",
               "sorted({})", "np.shape({})", "np.ndim({})", "np.size({})", "np.size({}, 0)", "isinstance({}, np.ndarray)",
               "isinstance({}, np.generic)", "isinstance({}, np.floating)", "isinstance({}, float)", "np.result_type({}, 1)",
               "np.result_type({}, 'f4')", "np.array_equal({}, {})", "np.allclose({}, {})", "divmod({}, 2)", "divmod(7, {})",
               "{} @ {}", "{}.std()", "{}.var(0)", "{}.searchsorted(2)", "round({})", "f'{{{}.ndim}}'", "str({}.dtype)",
               "({} + 1).strides", "({} * {}[..., :1]).strides", "({} > 1).strides", "{}.clip(1, 3).strides", "np.round({}, 1).strides",
               "{}.astype('f4').strides", "np.zeros_like({}).strides", "np.copy({}).strides", "np.array({}).strides",
               "np.where({} > 0, {}, 0).strides", "np.ravel({}, order='K')", "np.reshape({}, -1, order='A')",
               "{}.flat[0]", "{}.size == len({}.tolist())",
               )
WRITES = ("a.sort()", "a.sort(axis=0)", "a.sort(0, kind='stable')", "a.fill(3)", "a.fill(2.5)", "a.fill([1])", "set_real(a, 2)",
          "set_imag(a, 1)", "set_real(a, a.imag)", "set_shape(a, -1)", "set_shape(a, (1, -1))", "set_shape(a, (5, 5))",
          "add_to(a.T, a)", "put(a, (..., 0), a[..., -1])", "put(a.T, 0, 7)", "put(a[::-1], 0, 5)", "put(a.real, ..., 5)", "put(a.T.imag, ..., 2)",
          "add_to(a.real[..., ::2], a.imag[..., ::2])", "put(np.real(a), 0, 7)", "put(np.imag(a), 0, 7)", "multiply_by(a.imag, 3)",
          "add_to(a[..., 1:], a[..., :-1])", "put(a, a > 2, 0)", "put(a, a == a, a)",
          )


def rule_name(operator):
    return {"**": "power"}.get(operator, operator)


def attribute_cases(pool):
    for dtype in DTYPES:
        for shape in SHAPES:
            x = pool.array(dtype, shape, plain=True if pool.chance(0.3) else None)
            for attribute in ATTRIBUTES:
                if attribute == "strides" and (0 in x.shape or 1 in x.shape):
                    continue  # of axes that nobody walks
                yield Case(f"{x.text}.{attribute}", attribute)
        for text in PLAIN_CALLS:
            for shape in [pool.choice(SHAPES) for _ in range(3 * SIZE)] + [(), (3, 4)]:
                x = pool.array(dtype, shape, exact=True)
                receiver = x.text if pool.chance(0.9) or x.ndim else f"{x.text}[()]"
                if text.startswith(("-", "+", "~")) or "." in text:
                    receiver = f"({receiver})" if not receiver.isidentifier() else receiver
                if ".strides" in text and (0 in x.shape or 1 in x.shape):
                    continue  # nobody steps along these
                case = Case(text.replace("{}", receiver).replace("{{", "{").replace("}}", "}"), text)
                for name in ("std", "var"):
                    if f".{name}(" in text:
                        power = "**2" if name == "var" else ""
                        case.operation, case.scale, case.terms = name, f"np.max(np.append(finite({x.text}), 1)){power}", 24
                if "mean" in text or "round" in text:
                    case.operation = "mean" if "mean" in text else "round"
                if "cumprod" in text or "prod" in text:
                    case.operation, case.scale, case.terms = "prod", f"np.prod(np.maximum(finite({x.text}), 1))", 24
                if "@" in text or "dot" in text:
                    case.operation = "@"
                if "argsort" in text:
                    case.operation, case.keys = "argsort", f"np.take_along_axis(np.atleast_1d({x.text}), RESULT, axis=-1)"
                if "abs" in text:
                    case.operation, case.complex_operands = "abs", x.dtype.kind == "c"
                yield case
        for text in WRITES:
            for shape in [pool.choice(SHAPES) for _ in range(3 * SIZE)]:
                x = pool.array(dtype, shape, exact=True)
                yield Case(f"written(lambda a: ({text}, None)[1], ({x.text}).copy())", text)


def operator_cases(pool):
    for operator in OPERATORS:
        for dtype in DTYPES:
            for other in (*DTYPES, None, None, None, None):
                x = pool.array(dtype, exact=pool.chance())
                y = pool.broadcastable(x.shape, other) if other else pool.scalar()
                left, right = (x, y) if pool.chance(0.6) else (y, x)
                case = Case(f"{left.text} {operator} {right.text}".replace("-1 **", "(-1) **").replace("-7 **", "(-7) **"),
                            rule_name(operator))
                case.complex_operands = "c" in (x.dtype.kind, y.dtype.kind)
                yield case
                if operator in IN_PLACE and pool.chance(0.5):
                    y = pool.broadcastable(x.shape, other) if other else pool.scalar()
                    x = pool.array(dtype, x.shape if x.shape in SHAPES else (3, 4), exact=True)
                    case = Case(f"filled(lambda a: {IN_PLACE[operator]}(a, {y.text}), ({x.text}).copy())", rule_name(operator))
                    case.complex_operands = "c" in (x.dtype.kind, y.dtype.kind)
                    yield case
            # Scalars of two dtypes, and of Python.
            for _ in range(4):
                x, y = pool.scalar(dtype), pool.scalar(pool.choice(DTYPES)) if pool.chance() else pool.scalar()
                left, right = (x, y) if pool.chance() else (y, x)
                case = Case(f"({left.text}) {operator} ({right.text})", rule_name(operator))
                case.complex_operands = "c" in (x.dtype.kind, y.dtype.kind)
                yield case


def one_index(pool, extent):
    """An index of one axis of that length."""
    inside = max(extent, 1)
    kind = pool.choice(("int", "slice", "slice", "array", "list", "mask", "scalar", "out"))
    rng = pool.rng
    if kind == "int":
        return str(int(rng.integers(-inside, inside)))
    if kind == "scalar":
        return f"np.{pool.choice(('int64', 'int8', 'int32'))}({int(rng.integers(-inside, inside))})"
    if kind == "slice":
        return pool.choice((":", "::2", "::-1", "1:", ":-1", "-2:", "1:3", "3:0:-1", "5:", ":0", "::-3"))
    if kind == "array":
        shape = pool.choice(((2,), (3,), (1,), (2, 1), (0,), ()))
        return f"np.array({rng.integers(-inside, inside, shape).tolist()}, '{pool.choice(('i8', 'i4', 'i1', 'i8'))}')"
    if kind == "list":
        return str(rng.integers(-inside, inside, int(rng.integers(1, 4))).tolist())
    if kind == "mask":
        return f"np.array({(rng.random(extent) < 0.5).tolist()}, bool)"
    return pool.choice((str(extent), str(-extent - 1), "1.0", "'x'", f"[{extent}]")) if pool.chance(0.3) else ":"


def index_text(pool, shape):
    parts = [one_index(pool, n) for n in shape[:int(pool.rng.integers(0, len(shape) + 1))]]
    if pool.chance(0.25):
        parts.insert(int(pool.rng.integers(len(parts) + 1)), pool.choice(("None", "...", "np.newaxis", "None")))
    if pool.chance(0.04):
        parts.append(pool.choice(("0", "...", "True", "False")))
    if not parts:
        return pool.choice(("()", "...", "None", "True", "False", "[]", "0", "(0, 0)"))
    return ", ".join(parts)


def index_cases(pool):
    for _ in range(4000 * SIZE):
        x = pool.array(pool.choice(("float64", "int32", "uint8", "complex64", "bool", "float16")), exact=True)
        text = index_text(pool, x.shape)
        if x.ndim and pool.chance(0.1):
            text = pool.choice((f"({x.text}) > 0", f"np.nonzero({x.text})"))
        receiver = x.text if x.text.isidentifier() else f"({x.text})"
        if pool.chance(0.5):
            yield Case(f"{receiver}[{text}]", "get")
            continue
        try:
            shape = numpy.shape(pool.evaluate(f"{receiver}[{text}]"))
        except Exception:
            shape = None  # what is wrong with the index is enough
        value = pool.operand("1") if shape is None else pool.scalar() if pool.chance(0.4) else pool.broadcastable(
            shape, pool.choice(("float64", "int8", "bool", str(x.dtype))), True)
        if value.dtype.kind in "fc" and x.dtype.kind in "iu" and not numpy.all(abs(numpy.asarray(value.value)) < 100):
            value = pool.operand("3")
        yield Case(f"written(lambda a: assign_{len(ASSIGNMENTS)}(a, {value.text}), {receiver}.copy())", f"a[{text}] = v")
        ASSIGNMENTS.append(f"def assign_{len(ASSIGNMENTS)}(a, v):\n    a[{text}] = v\n")


ASSIGNMENTS = []


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    pool = Pool(numpy.random.default_rng(seed() + 1))
    ASSIGNMENTS.clear()
    cases = [*attribute_cases(pool), *operator_cases(pool), *index_cases(pool)]
    theirs, ours = property_run.run(pool, cases, tmp_path_factory.mktemp("methods"), prelude=FUNCTIONS + "\n".join(ASSIGNMENTS))
    return pool, cases, theirs, ours


@pytest.mark.parametrize("backend", ("numpy", "eigen"))
def test_arrays_behave_as_numpys(results, backend):
    pool, cases, theirs, ours = results
    print(f"seed {seed()}: {len(cases)} cases")
    report = property_run.compare(pool, cases, theirs, ours[backend], backend)
    print(report.text())
    assert not report.failures and not report.unsupported, report.text()
