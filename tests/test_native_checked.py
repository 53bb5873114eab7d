"""Calls whose arguments may be refused, of nothing, of complex numbers and of integers, in compiled code: the plain call's bits and its errors, and
nothing left to the runtime's dispatch."""
import pytest

from test_native import run_text
from test_native_products import HEAD, fallbacks

TRY = """
def outcome(f, *args):
    try:
        r = f(*args)
        return [np.array(a) for a in r] if isinstance(r, tuple) else [np.array(r)]
    except Exception as e:
        return type(e).__name__ + ': ' + str(e)


def both(name, f, *args):
    want, g = outcome(f, *args), autojit(f)
    for turn in range(2):
        got = outcome(g, *args)
        if isinstance(want, str) or isinstance(got, str):
            assert isinstance(got, str) and isinstance(want, str) and want == got, (name, want, got)
        else:
            assert len(want) == len(got) and all(same(a, b) for a, b in zip(want, got)), (name, want, got)

"""


def outcomes(expressions, arguments, names):
    return TRY + "".join(f"both({text + ' of ' + args!r}, lambda {names}: {text}, {args})\n" for text in expressions for args in arguments)


def left(tmp_path, body):
    """The fallbacks, with a call that is compiled whatever else is refused."""
    return fallbacks(tmp_path, body + "\nassert autojit(lambda a: a + 1)(np.ones(3)).sum() == 6\n")


WILD = """
nan, inf = float('nan'), float('inf')
parts = [0.0, -0.0, 1.0, 1.0, -2.5, 3.0, inf, -inf, 3.0]
def wild(dtype, n, m, nans):
    r = np.random.default_rng(n * 100 + m)
    p = np.array(parts)
    a = (p[r.integers(0, 9, (n, m))] + 0.0).astype(dtype)
    a.imag = p[r.integers(0, 9, (n, m))]
    if nans:
        a[r.random((n, m)) < 0.1] = complex(nan, 1)
        a[r.random((n, m)) < 0.1] = complex(2, nan)
        a[0, 0] = complex(nan, nan)
    return a

"""
EXTREMES = [f"np.{f}(a{rest})" for f in ("max", "min", "argmax", "argmin") for rest in ("", ", axis=0", ", axis=1", ", axis=-1, keepdims=True")]
EXTREMES += ["np.max(a, axis=(0, 1))", "np.min(a, axis=(1, 0), keepdims=True)", "np.max(a * 2 + 1j)", "np.max(np.stack([a, a[::-1]]), axis=(0, 2))",
             "np.max(a[0, 0])", "np.max(a.T[::-1])", "np.min(a[:, ::-1].T, axis=0)", "np.pad(a, 1, mode='maximum')", "np.pad(a, (1, 2), mode='median')",
             "np.pad(a, 1, mode='minimum')"]
PRODUCTS = [f"np.{f}(a{rest})" for f in ("prod", "cumprod") for rest in ("", ", axis=0", ", axis=1", ", axis=-2")]
PRODUCTS += ["np.prod(a, axis=1, keepdims=True)", "np.prod(a, axis=(0, 1))", "np.prod(a, where=np.real(a) > 0)", "np.prod(a, axis=0, where=np.imag(a) > 0, initial=2)",
             "np.prod(np.real(a), axis=0, dtype=a.dtype)", "np.cumprod(np.imag(a), dtype=a.dtype)", "np.prod(a[0, 0])"]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_extremes(dtype, tmp_path):
    arguments = [f"wild('{dtype}', {n}, {m}, {nans})" + view for n, m in ((3, 4), (1, 7), (40, 3)) for nans in (False, True)
                 for view in ("", ".T", "[::-1, ::2]")]
    assert left(tmp_path, WILD + outcomes(EXTREMES, arguments, "a")) == []


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_products(dtype, tmp_path):
    arguments = [f"(numbers('{dtype}', {shape}) / 3)" + view for shape in ("3, 4", "300, 2", "2, 700") for view in ("", ".T", "[::-1, ::2]")]
    assert left(tmp_path, outcomes(PRODUCTS, arguments, "a")) == []


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integer_powers(dtype, tmp_path):
    text = ["a ** b", "np.power(a, b[0])", "3 ** b", "a ** np.abs(b)", "(a + 1) ** (b % 7)", "np.power(a, a)", "a ** 100", "a ** 0", "a ** b[0, 0]", "(a ** b).sum()", "b ** -1",
            "np.float64(2) ** b"]
    arguments = [f"np.arange(-4, 8).reshape(3, 4).astype('{dtype}'), (np.arange(12).reshape(3, 4) * {step}).astype('{dtype}')" for step in (1, 9, -1)]
    assert left(tmp_path, outcomes(text, arguments, "a, b")) == []


def test_masked_spreads(tmp_path):
    text = [f"np.{f}(a, where=m{rest})" for f in ("var", "std") for rest in ("", ", axis=0", ", axis=1, ddof=1", ", axis=(0, 1), keepdims=True", ", ddof=100", ", axis=0, dtype='float32'")]
    text += ["np.var(a, where=m[0], axis=1)", "np.std(a, where=True)", "np.var(a, where=False)", "np.var(a, axis=0, where=np.real(a) > 1e9)"]
    arguments = [f"numbers('{dtype}', 5, 60), numbers('bool', 5, 60)" for dtype in ("float64", "float32", "complex128", "complex64", "int64", "uint8", "bool")]
    body = outcomes(text, arguments, "a, m")
    done = run_text(tmp_path, HEAD + "np.seterr(all='ignore')\n" + body + "print('ok')\n")
    assert done.stdout == "ok\n", done.stdout + done.stderr[-2000:]


def test_weighted_cov(tmp_path):
    text = ["np.cov(a, fweights=f)", "np.cov(a, aweights=w)", "np.cov(a, fweights=f, aweights=w)", "np.cov(a.T, rowvar=False, aweights=w)", "np.cov(a, a[:1] * 2, aweights=w)",
            "np.cov(a[0], aweights=w, ddof=0)", "np.cov(a, aweights=w, bias=True)", "np.cov(a, fweights=f - 1)", "np.cov(a, aweights=-w)", "np.cov(a, aweights=w * 0)",
            "np.cov(a, fweights=f, ddof=3)", "np.cov(np.real(a), aweights=w, dtype='float32')"]
    arguments = [f"numbers('{dtype}', 4, 6), np.array([1, 2, 1, 1, 3, 0]), np.array([0.5, 1, 1, 2, 1, 0.25])" for dtype in ("float64", "float32", "complex128", "int64")]
    assert left(tmp_path, outcomes(text, arguments, "a, f, w")) == []


OF_NOTHING = ["np.max(a)", "np.min(a, axis=0)", "np.argmax(a)", "np.argmin(a, axis=0)", "np.max(a, axis=1)", "np.min(a, initial=3)", "np.min(a, axis=0, initial=3)",
              "np.sum(a, initial=None)", "np.prod(a, axis=0, initial=None)", "np.linalg.norm(a, axis=0)", "np.linalg.norm(a, 'nuc')", "np.linalg.norm(a, -np.inf, axis=0)",
              "np.sum(b, initial=None, where=b > 0)", "np.max(b, where=b > 0)", "np.sort(b, kind='nope')", "np.searchsorted(b, 1, side='middle')", "np.pad(b, 1, mode='nope')",
              "np.ones(3, order='X')", "np.ones((2, 3), order='f') + np.zeros_like(a.T + 0, order='A').sum()", "np.copy(b, order='A')", "np.zeros(3, order='K')",
              "np.roll(b[0], 0, axis=())", "c + 300", "c * -1", "np.clip(c, 300, 500)", "np.clip(c, None, -1)", "300 - c", "b.astype('int64') ** -1", "np.take(b, 1.5)", "np.take(b, 1, mode='nope')"]


def test_errors_that_are_known(tmp_path):
    arguments = [f"np.zeros({shape}), np.array([3.0, 1.0, 2.0]), np.arange(3, dtype='uint8')" for shape in ("0", "(0, 3)", "(0, 0)", "(3, 0)")]
    assert left(tmp_path, outcomes(OF_NOTHING, arguments, "a, b, c")) == []


def test_halves_and_searches(tmp_path):
    text = ["np.sort(h)", "np.argsort(h, kind='stable')", "np.sort(h.reshape(4, 5), axis=0)", "np.searchsorted(np.sort(h), h[:3])", "np.searchsorted(x, h[:4].astype('float64'), sorter=order)",
            "np.searchsorted(x, 2.0, 'right', sorter=order)", "np.searchsorted(x, 2.0, sorter=order + 1)", "np.searchsorted(x, 2.0, sorter=order[:2])"]
    arguments = ["numbers('float16', 20), np.array([3.0, 1.0, 2.0, 0.5]), np.array([3, 1, 2, 0])"]
    assert left(tmp_path, outcomes(text, arguments, "h, x, order")) == []


def test_python_numbers_that_overflow_a_half(tmp_path):
    script = "h = np.array([0.5, 2.0, -1.0], 'f2')\n"
    for text in ["h * 70000", "70000 - h", "np.minimum(h, 1e300)", "h == 70000", "h / -65520", "h * 20000", "h * float('inf')", "np.maximum(h, 7) * 1e5"]:
        script += (f"with np.errstate(over='ignore'):\n    both({text!r}, lambda h: {text}, h)\n"
                   f"with np.errstate(over='raise'):\n    both({text!r}, lambda h: {text}, h)\n")
    assert left(tmp_path, TRY + script) == []


PLACES = ["x.reshape(-1, order='F')[2:9:2] = v", "x.ravel('F')[1] = 7", "x.reshape(2, 6, order='F')[:, 1] = v[:2]", "x.T.reshape(-1)[3:7] += v", "x.T.reshape(2, -1)[1, ::2] = 1",
          "x.reshape((2, 3, 2), order='F')[1].reshape(-1, order='F')[0] = 5", "x[...] = v[:3]", "x.T.ravel()[::-1][:4] = v"]


def test_places_in_column_order(tmp_path):
    body = ""
    for k, place in enumerate(PLACES):
        body += f"def f{k}(x, v):\n    {place}\n    y = x * 2\n    {place.replace('x', 'y', 1)}\n    return x, y, x.reshape(-1), y.ravel('K')\n"
        for make in ("np.array(np.arange(12.0).reshape(4, 3), order='F')", "np.arange(12.0).reshape(4, 3)", "(np.arange(12.0) * 1j).reshape(3, 4).T"):
            body += f"for g in (f{k}, autojit(f{k})):\n    x = {make}\n    r = g(x, np.arange(4.0) - 9)\n    if g is f{k}:\n        want, was = r, x\n    else:\n        assert same(was, x) and all(same(a, b) for a, b in zip(want, r)), ({place!r}, {make!r}, want, r)\n"
    assert left(tmp_path, body) == []


def test_the_order_of_complex_products(tmp_path):
    """That of src/runtime/reduction/order.h, every product rounded, whether rows or columns are folded."""
    done = run_text(tmp_path, HEAD + """
def ordered(items):
    n = len(items)
    if n > 256:
        head = 256 if n // 2 < 256 else n // 2 // 256 * 256
        return ordered(items[:head]) * ordered(items[head:])
    lanes = [1 + 0j] * 16
    at = n // 16 * 16
    for i, item in enumerate(items[:at]):
        lanes[i % 16] = lanes[i % 16] * item
    half = 8
    while half:
        for k in range(half):
            lanes[k] = lanes[k] * lanes[k + half]
            if n & half:
                lanes[k] = lanes[k] * items[at + k]
        if n & half:
            at += half
        half = half // 2
    return lanes[0]


for n in (1, 3, 20, 256, 300, 700):
    a = numbers('complex128', n, 3) / 3
    b = np.array([complex(0, 1), complex(1, -0.0), complex(-0.0, 0)] * n).reshape(n, 3)
    for x in (a, b):
        for column in range(3):
            items = [complex(v) for v in x[:, column]]
            want, scanned = ordered(items), [items[0]]
            for item in items[1:]:
                scanned.append(scanned[-1] * item)
            for got in (np.prod(x, axis=0)[column], np.prod(np.array(x.T), axis=1)[column], np.prod(np.array(x[:, column]))):
                assert np.array(got).tobytes() == np.array(want).tobytes(), (n, column, got, want)
            for got in (np.cumprod(x, axis=0)[:, column], np.cumprod(np.array(x[:, column]))):
                assert np.array(got).tobytes() == np.array(scanned).tobytes(), (n, column)
print('ok')
""")
    assert done.stdout == "ok\n", done.stdout + done.stderr[-2000:]


WARNED = ["np.mean(a)", "np.mean(a, axis=0)", "np.mean(a * 1j, axis=(0, 1))", "z.astype('float32')", "z[1:].T.astype('int64') + 1", "np.var(z, ddof=6)", "np.std(np.real(z), axis=0, ddof=2)",
          "np.var(np.real(z), axis=1, ddof=9)", "np.cov(np.real(z[:, :1]))", "np.cov(np.real(z), ddof=7, bias=True)", "np.cov(z, fweights=w, ddof=9)", "np.var(z, where=np.real(z) > 90)",
          "np.std(np.real(z), where=np.real(z) > 4, ddof=1)", "h * 70000", "np.minimum(1e300, h)"]


@pytest.mark.parametrize("beside", ["", " + 0 * np.sum(r.random(2))"])
def test_warnings(beside, tmp_path):
    """Each is told in compiled code as in a plain call, with the same values; also beside a draw, which cannot be done twice."""
    prelude = HEAD + ("r = np.random.default_rng(1)\nz = np.arange(6).reshape(2, 3) * (1 + 0.5j)\nw = np.array([1, 2, 1])\n"
                      "h = np.array([0.5, 2.0, -1.0], 'f2')\n")
    for text in WARNED:
        f = f"lambda a, z, h: ({text}){beside}"
        told = [run_text(tmp_path, prelude + f"f = {g}\nfor turn in range(2):\n    print(repr(f(np.zeros((0, 3), 'f4'), z, h)))\n")
                for g in (f, f"autojit({f})")]
        assert told[0].returncode == 0, told[0].stderr
        assert told[0].stderr and told[0].stdout == told[1].stdout, (text, told[0].stdout, told[1].stdout, told[1].stderr)
        assert sorted(told[0].stderr.splitlines()) == sorted(told[1].stderr.splitlines()), (text, told[0].stderr, told[1].stderr)
    if not beside:
        body = "".join(f"autojit(lambda a, z, h: {text})(np.zeros((0, 3), 'f4'), z, h)\n" for text in WARNED)
        assert left(tmp_path, prelude[len(HEAD):] + body) == []


def test_writes_where_one_truth_value_is_true(tmp_path):
    body = ""
    for k, place in enumerate(["x[b] = 3", "x[b] = v", "x[b] += 1", "x[0][b] = 9", "x[np.array(b)] = v[:1]"]):
        body += (f"def f{k}(x, v, b):\n    {place}\n    return x\n"
                 f"for b in (np.array(True), np.array(False)):\n    x, y, v = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3), np.arange(3.0) - 7\n"
                 f"    assert same(f{k}(x, v, b), autojit(f{k})(y, v, b)) and same(x, y), {place!r}\n")
    assert left(tmp_path, body) == []


# Writes of a value where a mask chooses: what may fit whatever the mask takes, where it takes nothing, and never.
WRITE = """
def at(x, v, m):
    x = x + 0
    x[m] = v
    return x

def behind(x, v, m):
    x = x + 0
    x[..., m] = v
    return x

def parts(x, v, m):
    x = x + 0
    x[:, m, 1:] = v
    return x

def columns(x, v, m):
    x = x.T.copy().T
    np.reshape(x, -1, order='F')[m] = v
    return x

def point(x, v, m):
    x = x + 0
    np.reshape(x, ())[m] = v
    return x

def chosen(x, v, i):
    x = x + 0
    x[i] = v
    return x

def in_columns(x, v, i):
    x = x.T.copy().T
    np.reshape(x, -1, order='F')[i] = v
    return x

a, y, t = np.arange(3.0), np.arange(6.0).reshape(3, 2), np.arange(24.0).reshape(2, 3, 4)
none, one, every = np.array([False, False, False]), np.array([False, True, False]), np.array([True, True, True])
true, false = np.array(True), np.array(False)

"""


def test_masked_writes_of_every_shape(tmp_path):
    values = ["1.5", "np.zeros(0)", "np.zeros(1)", "np.zeros(2)", "np.zeros(3)", "np.zeros((1, 0))", "np.zeros((0, 2))", "np.zeros((2, 0))", "np.zeros((1, 2))",
              "np.zeros((1, 3))", "np.zeros((3, 2))", "np.zeros((2, 2))", "np.zeros((1, 1, 2))", "np.zeros((5, 1, 2))", "np.zeros((0, 3, 2))", "np.zeros((2, 3, 2))",
              "np.zeros((1, 3, 2))", "np.zeros((2, 0, 2))", "np.zeros((2, 1, 3))", "np.zeros((2, 3, 3))", "np.zeros((3, 0, 3))"]
    body = TRY + WRITE
    for x, masks in (("a", ("none", "one", "every", "true", "false")), ("y", ("none", "one", "every", "true", "false", "y > 9", "y > 2"))):
        body += "".join(f"both({f'{x}[{m}] = {v}'!r}, at, {x}, {v}, {m})\n" for m in masks for v in values)
    body += "".join(f"both({f'point {m} {v}'!r}, point, np.ones(1), {v}, {m})\n" for m in ("true", "false") for v in values)
    body += "".join(f"both({f'[:, {m}, 1:] {v}'!r}, parts, t, {v}, {m})\n" for m in ("none", "one", "every") for v in values)
    body += "".join(f"both({f'[..., {m}] {v}'!r}, behind, y.T, {v}, {m})\n" for m in ("none", "one", "every") for v in values)
    body += "".join(f"both({f'columns {m} {v}'!r}, columns, y, {v}, {m})\n" for m in ("y.reshape(-1) > 9", "y.reshape(-1) > 2") for v in values)
    assert left(tmp_path, body) == []


def test_writes_of_complex_numbers_into_real_ones(tmp_path):
    body = TRY + WRITE + "".join(f"both({f'{f} {v} {i}'!r}, {f}, y, {v}, {i})\n" for f in ("chosen", "in_columns", "at") for v in ("np.array(1 + 2j)", "np.array([2j])", "y[2, 0] * 1j")
                                 for i in ("[0, 1]", "np.array([2, -1])", *(() if f == "in_columns" else ("one", "y > 2"))))
    body += "both('half', in_columns, y, np.zeros(2), [1, 5])\nboth('wrong', in_columns, y, 1.0, [1, 6])\n"
    assert left(tmp_path, body) == []


def test_of_nothing_that_has_a_result(tmp_path):
    body = outcomes(["np.std(a, axis=0)", "np.std(a, keepdims=True)", "np.var(a, axis=0, ddof=-1)", "np.var(a, ddof=1)", "np.mean(a, axis=0)", "np.cov(a.T)", "np.cov(a[:, 0])",
                     "np.searchsorted(a[:, 0].real, [1.0, 2.0])", "np.searchsorted(a[:, 0].real, 2, side='right')", "np.zeros_like(a, shape=(2, 2))",
                     "np.ones_like(a[..., ::2], shape=3)", "np.full_like(a, 1, shape=(2, 3))"],
                    [f"np.zeros((0, 3), dtype='{d}')" for d in ("float64", "float32", "complex64", "complex128", "int64", "uint8")], "a")
    body += outcomes(["np.min(a, initial=True)", "np.max(a, axis=0, initial=False)", "np.max(a, axis=1, initial=True)", "np.min(a, axis=1, initial=False)", "np.min(a, initial=1)",
                      "np.min(a[:0], axis=0, initial=True)", "np.full_like(a, -1.5, dtype='uint8', shape=(1, 2))", "np.full_like(a.T, 3, dtype='int16', shape=[4])",
                      "np.min(a, initial=100)", "np.max(a[:, :0], initial=-3)", "np.full_like(a.T, 300, order='A', dtype='int64')"],
                     ["np.array([[True, False, True], [True, True, True]])"], "a")
    body += outcomes(["np.where(a > 1, -1, a)", "np.where(a > 1, a, 300)", "np.where(a > 1, 2**63, a)"], [f"np.arange(4, dtype='{d}')" for d in ("uint8", "int8", "int32")], "a")
    assert left(tmp_path, body) == []
