"""Products, norms and element-wise functions of every dtype in compiled code: the plain call's bits, and nothing left to the runtime."""
import json

import pytest

from test_native import run_text

HEAD = """import numpy as np
from autoray import autojit, do


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return a.tobytes() == b.tobytes() or bool(np.array_equal(a, b, equal_nan=True))


def check(name, f, *args):
    want, g = f(*args), autojit(f)
    for turn in range(2):
        got = g(*args)
        assert same(want, got), (name, want, got)


def numbers(dtype, *shape):
    r = np.random.default_rng(3)
    a = np.round(r.standard_normal(shape) * 4.0, 2)
    if dtype == 'bool':
        return a > 0.5
    if dtype[:7] == 'complex':
        a = a + 1j * np.round(r.standard_normal(shape) * 4.0, 2)
    return np.abs(a).astype(dtype) if dtype[:4] == 'uint' else a.astype(dtype)


"""
DTYPES = ["float64", "float32", "float16", "complex128", "complex64", "int64", "int32", "uint8", "bool"]


def fallbacks(tmp_path, body):
    done = run_text(tmp_path, HEAD + body + "\nprint('ok')\n", "--explain", "--format=json")
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), [t for t in told if "op" not in t] or done.stderr[-3000:]
    assert any(t["library"].startswith("compiled") for t in told)
    return sorted({(t["op"], t["provider"]) for t in told if t["library"] == "fallback"})


def calls(expressions, arguments, names):
    """Each expression of those names as a function of its own, for every list of arguments."""
    return "".join(f"check({text + ' of ' + args!r}, lambda {names}: {text}, {args})\n" for text in expressions for args in arguments)


EINSUMS = ["np.einsum('ij,jk,kl->il', a, b, c)", "np.einsum('ij,jk,kl', a, b, c)", "np.einsum('ij,jk,ki->', a, b, c)",
           "np.einsum('ij,jk,kl->li', a, b, c)", "np.einsum('ij,ij,ij->ij', a, a, a)", "np.einsum('ij,kl,mn->imk', a, b, c)",
           "np.einsum('ij,jk,kl,lm->im', a, b, c, a)", "np.einsum('ab,bc,ab,bd->cd', a, b, a, b)", "np.einsum('...j,jk,k...->...', a, b, c)",
           "np.einsum('ij,jk->ki', a, b)", "np.einsum('ij,jk->ik', a, b.T)", "np.einsum('i,j,k->kji', a[0], b[0], c[0])",
           "np.einsum('ij->', a)", "np.einsum('ij->ji', a)", "np.einsum('ij->j', a)", "np.einsum('ii', a)", "np.einsum('ii->i', a)",
           "np.einsum('ij,jk,kl->il', a, b, c, optimize=True)", "np.einsum('ij,jk,kl->li', a, b, c, optimize='optimal')",
           "np.einsum('iij,jk->ki', np.reshape(np.stack([a, b, c, a]), (4, 4, 4)), a)", "np.einsum('ij,->ij', a, a[0, 0])",
           "np.einsum('bij,bjk,bk->bi', np.stack([a, b]), np.stack([b, c]), np.stack([a[0], b[1]]))"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_einsum(dtype, tmp_path):
    arguments = [f"*[numbers('{dtype}', 4, 4) for k in range(3)]", f"*[numbers('{dtype}', 8, 8)[::2, ::-2] for k in range(3)]",
                 f"numbers('{dtype}', 4, 4), numbers('float32', 4, 4).T, numbers('{dtype}', 4, 4)"]
    assert fallbacks(tmp_path, calls(EINSUMS, arguments, "a, b, c")) == []


PRODUCTS = {
    "a @ b": ["5, 3, 4; 5, 4, 2", "5, 3, 4; 4, 2", "3, 4; 5, 4, 2", "1, 3, 4; 5, 4, 2", "2, 1, 3, 4; 5, 4, 2", "4; 5, 4, 2", "5, 3, 4; 4",
              "3, 4; 4", "4; 4, 3", "4; 4", "5, 3, 0; 5, 0, 2", "0, 3, 4; 0, 4, 2"],
    "np.dot(a, b)": ["3, 4; 4, 2", "2, 3, 4; 5, 4, 2", "2, 3, 4; 4", "4; 2, 4, 3", "; 3, 4", "3, 4; ", "; ", "1; 1", "1, 1; 1, 5", "3, 1; 1, 1", "0; 0",
                     "3, 0; 0, 2"],
    "np.inner(a, b)": ["3, 4; 2, 4", "2, 3, 4; 5, 4", "; 3", "4; 4", "1; 3, 1"],
    "np.vdot(a, b)": ["4; 4", "2, 3; 3, 2", "; ", "1; 1"],
    "np.outer(a, b)": ["3; 4", "2, 2; 3", "; 4"],
    "np.kron(a, b)": ["2, 3; 4, 5", "2; 3, 2", "2, 2, 2; 3", "; 3"],
    "np.tensordot(a, b, 0)": ["2, 3; 4", "1; 5", "3; 1"],
    "np.tensordot(a, b, 2)": ["2, 3, 4; 3, 4, 5", "2, 2; 2, 2"],
    "np.tensordot(a, b, ((0, 2), (1, 0)))": ["2, 3, 4; 4, 2, 5"],
    "np.linalg.matmul(a, b)": ["2, 3, 4; 2, 4, 5"],
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_all_ranks(dtype, tmp_path):
    body = ""
    for text, shapes in PRODUCTS.items():
        arguments = [", ".join(f"numbers('{dtype}', {shape.strip()})" for shape in pair.split(";")) for pair in shapes]
        body += calls([text], arguments, "a, b")
    body += calls(["a @ b"], [f"numbers('{dtype}', 4, 6, 3).T, numbers('{dtype}', 3, 4, 10)[:, :, ::2]"], "a, b")
    assert fallbacks(tmp_path, body) == []


def test_zero_times_everything(tmp_path):
    """A lone zero as a factor, as BLAS's axpy takes it."""
    body = calls(["np.dot(a, b)", "np.inner(a, b)", "np.tensordot(a, b, 0)"],
                 ["np.array(0.0), np.array([np.nan, np.inf, 1.0])", "np.array([np.nan, np.inf]), np.array(0.0)", "np.array(2.0), np.array([np.nan, -0.0])",
                  "np.array(0.0), np.array([[1.0, np.inf]])"], "a, b")
    body += calls(["np.dot(a, b)"], ["np.array([[1.0 + 2j], [2.5 - 1j]]), np.array([0j])", "np.array([0j]), np.array([[3.5 - 1j, 1.0]])"], "a, b")
    assert fallbacks(tmp_path, body) == []


def test_matrix_powers(tmp_path):
    body = calls([f"np.linalg.matrix_power(a, {n})" for n in (1, 2, 3, 5, 8)],
                 ["numbers('float64', 3, 3)", "numbers('complex128', 2, 3, 3)", "numbers('int64', 2, 2)"], "a")
    assert fallbacks(tmp_path, body) == []


NORMS = ["np.linalg.norm(a)", "np.linalg.norm(a, axis=0)", "np.linalg.norm(a, axis=1, keepdims=True)", "np.linalg.norm(a, 'fro')",
         "np.linalg.norm(a, 1)", "np.linalg.norm(a, -1)", "np.linalg.norm(a, np.inf)", "np.linalg.norm(a, -np.inf, keepdims=True)",
         "np.linalg.norm(a, 0, axis=0)", "np.linalg.norm(a, 1, axis=1)", "np.linalg.norm(a, 3, axis=0)", "np.linalg.norm(a, 0.5, axis=-1, keepdims=True)",
         "np.linalg.norm(a, np.inf, axis=0)", "np.linalg.norm(a, -np.inf, axis=1)", "np.linalg.norm(a, axis=(0, 1), keepdims=True)",
         "np.linalg.norm(a[0])", "np.linalg.norm(a[0], 1)", "np.linalg.norm(a.T)", "np.linalg.norm(a, axis=(1, 0), ord=1)"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "complex128", "complex64", "int64", "uint8", "bool"])
def test_norms(dtype, tmp_path):
    assert fallbacks(tmp_path, calls(NORMS, [f"numbers('{dtype}', 5, 7)", f"numbers('{dtype}', 9, 300)[::2, ::3]", f"numbers('{dtype}', 7, 5).T"], "a")) == []


ELEMENTWISE = ["np.isclose(a, b)", "np.isclose(a, a + a, rtol=0.5)", "np.isclose(a, 1.0)", "np.isclose(2, a, atol=1, equal_nan=True)", "np.allclose(a, a) + 0",
               "np.round(a, 1)", "np.round(a, -1)", "np.round(a)", "np.clip(a, 1, None)", "np.clip(a, None, 2)", "np.clip(a, b, 3)", "np.where(a > b, a, 2)",
               "a // (b + b)", "a % 3", "np.astype(a, 'float16')", "np.astype(a, 'int64')", "np.astype(a, 'bool')", "a < 1000", "a == -1", "a >= 60000",
               "np.maximum(a, b) - np.abs(a)", "a ** 2", "a ** 3", "np.sqrt(np.abs(a)) * 1.5"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "uint8"])
def test_element_wise_functions(dtype, tmp_path):
    arguments = [f"numbers('{dtype}', 5, 7), numbers('{dtype}', 7)", f"numbers('{dtype}', 8, 14)[::2, ::2], numbers('{dtype}', 14)[::-2]",
                 f"numbers('{dtype}'), numbers('{dtype}')", f"numbers('{dtype}', 0, 3), numbers('{dtype}', 3)"]
    expressions = [text for text in ELEMENTWISE if "allclose" not in text]
    assert fallbacks(tmp_path, calls(expressions, arguments, "a, b")) == []


def test_halves_are_rounded_once(tmp_path):
    body = """
for bits in range(0, 65536, 4096):
    h = np.arange(bits, bits + 4096).astype('uint16').view('float16') if hasattr(np.arange(1), 'view') else numbers('float16', 4096)
    check('float32', lambda a: np.astype(a, 'float32') * 1.0, h)
    check('sqrt', lambda a: np.sqrt(np.abs(a)) + a, h)
x = np.random.default_rng(0).standard_normal(3000) * 10.0 ** np.random.default_rng(1).integers(-9, 6, 3000)
tie = np.array([1.0 + 2.0 ** -11, 1.0 + 2.0 ** -11 + 2.0 ** -40, 1.0 + 3 * 2.0 ** -11, 2.0 ** -25, 2.0 ** -25 * 1.0000000001, 65519.99999999, 65504.0, 1e-300, np.nan, -np.inf])
for v in (x, tie):
    check('float64 to float16', lambda a: np.astype(a, 'float16'), v)
check('sums', lambda a: (np.sum(a), np.mean(a, axis=0), np.max(a), np.min(a, axis=1))[1], numbers('float16', 300, 7))
check('sums', lambda a: np.sum(a), numbers('float16', 300, 7))
check('dots', lambda a: a @ a.T, numbers('float16', 5, 300))
"""
    assert fallbacks(tmp_path, body) == []


COMPLEX = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh",
           "arccosh", "arctanh", "sqrt", "abs", "angle", "conj", "square", "reciprocal", "sign", "negative", "isnan", "isfinite", "rint"]
POWERS = ["a ** 2", "a ** 3", "a ** -1", "a ** 0.5", "a ** 2.5", "2.0 ** a", "a ** a[0]", "np.power(a, np.array([0, 1, 2, 1j, 2.5, -3, 101], dtype='complex64'))"]


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_complex_functions(dtype, tmp_path):
    arguments = [f"numbers('{dtype}', 37)", f"numbers('{dtype}', 6, 8).T", f"numbers('{dtype}', 9, 9)[::2, ::-3]", f"numbers('{dtype}')"]
    body = calls([f"np.{name}(a)" for name in COMPLEX] + ["np.exp(a) * np.sin(a) + a", "np.abs(np.exp(1j * np.real(a)))"], arguments, "a")
    assert fallbacks(tmp_path, body) == []


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_complex_powers(dtype, tmp_path):
    arguments = [f"numbers('{dtype}', 7)", f"numbers('{dtype}', 5, 7)", f"numbers('{dtype}', 9, 14)[::2, ::-2]", f"numbers('{dtype}', 7) * 0.0"]
    assert fallbacks(tmp_path, calls(POWERS, arguments, "a")) == []


def test_angles_of_halves(tmp_path):
    assert fallbacks(tmp_path, calls(["np.angle(a)", "np.angle(a, deg=True)"], ["numbers('float16', 40)", "numbers('int8', 40)"], "a")) == []


def test_integer_divisions_by_zero_are_told(tmp_path):
    done = run_text(tmp_path, HEAD + """
f = autojit(lambda a, b: (a // b)[1] + np.sum(a % (b * b + 1)))
a = np.arange(1, 40)
f(a, a)
print('quiet')
f(a, a - a[7])
f(np.array(3) + np.zeros(2, dtype='int64'), np.zeros(2, dtype='int64'))
""")
    assert done.returncode == 0 and done.stdout == "quiet\n"
    assert done.stderr.count("divide by zero encountered in floor_divide") >= 1 and "remainder" not in done.stderr


def test_chains_of_products(tmp_path):
    body = calls(["np.linalg.multi_dot([a, b])", "np.linalg.multi_dot([a, b, a, b])", "np.linalg.multi_dot([a[0], b, a, b])",
                  "np.linalg.multi_dot([b[1], a, b, a[:, 0]])"],
                 ["numbers('float64', 3, 5), numbers('float64', 5, 3)", "numbers('complex64', 2, 7), numbers('float64', 7, 2)"], "a, b")
    assert fallbacks(tmp_path, body) == []


def test_covariances(tmp_path):
    body = calls(["np.cov(a)", "np.cov(a, rowvar=False)", "np.cov(a, a[:2], bias=True)", "np.cov(a[0])", "np.cov(a[0], a[1], ddof=0)"],
                 ["numbers('float64', 3, 7)", "numbers('complex128', 4, 6)", "numbers('float32', 4, 6).T", "numbers('int64', 4, 6)"], "a")
    assert fallbacks(tmp_path, body) == []


def test_norms_of_nothing_and_imaginary_parts(tmp_path):
    norms = ["np.linalg.norm(a, 1, axis=1)", "np.linalg.norm(a, 3, axis=1)", "np.linalg.norm(a, np.inf, axis=1)", "np.linalg.norm(a, axis=1, keepdims=True)",
             "np.linalg.norm(a)", "np.linalg.norm(a, 'fro')"]
    body = calls(norms, ["numbers('float64', 3, 0)", "numbers('complex64', 3, 0)"], "a")
    body += calls(["np.imag(a)", "np.imag(a) + a", "np.imag(a + 1.0)[1:]"], ["numbers('float64', 4)", "numbers('int64', 3, 2)"], "a")
    body += """
try:
    autojit(lambda a: np.imag(a + 1.0))(numbers('float64', 4))[0] = 1.0
    assert False
except ValueError as error:
    assert 'read-only' in str(error)
"""
    assert fallbacks(tmp_path, body) == []
