"""What is warned of, as CPython's numpy does: imaginary parts that a cast drops, numbers that a float16 or another dtype that was
asked for does not hold. Each case runs in an engine of its own, which tells a message once."""
import json
import subprocess
import sys

import pytest

from conftest import autoray

HEAD = "import numpy as np\nz = np.array([1+2j, 3-1j])\nr = np.zeros(2)\nm = np.arange(12.0).reshape(4, 3) + 1j * np.eye(4, 3)\ns = np.array([[2.0, 1], [1, 2]])\n"
CASES = [
    "np.asarray(z, dtype=float)", "np.asarray(z, dtype=int)", "np.array(z, dtype=float)", "np.array(z, dtype='float32')", "np.array(z, dtype=bool)",
    "np.array(z, dtype='complex64')", "np.asarray(z, dtype='complex64').astype('float64')", "z.astype(float)", "z.astype(bool)", "np.astype(z, 'int8')",
    "z[0].astype(float)", "np.array([z, z], dtype=float)", "np.array([z[0]], dtype=float)", "np.array(z[0], dtype=float)", "np.array([z[0]])",
    "np.array(np.array(1j), dtype=int)", "np.zeros(0, complex).astype(float)", "float(z[0])", "complex(z[0])", "np.float64(z[0])", "np.float32(z)",
    "np.int64(z[0])", "np.bool_(z[0])", "np.linspace(0, 1j, 3, dtype=float)", "np.linspace(0, 1j, 3)",
    # Writes.
    "r[:] = z", "r[0:1] = z[:1]", "r[0] = z[0]", "r[0] = np.array(1j)", "r[np.array([True, False])] = z[:1]", "r[np.array([1, 0])] = z", "r[::-1] = z[::-1]",
    "np.zeros(2, bool)[:] = z", "np.zeros(2, complex)[:] = z", "r.fill(z[0])", "r.real = z", "np.full((2,), z, dtype=float)", "np.full((2,), 1j, dtype=float)",
    "np.full_like(r, z)", "np.full_like(r, 2.0)",
    # Reductions, joins and ufuncs that are asked for a dtype.
    "np.sum(z, dtype=float)", "np.mean(z, dtype=float)", "np.cumsum(z, dtype=float)", "np.prod(z, dtype=float)", "np.sum(z, out=np.zeros(()))", "np.sum(z)",
    "np.stack([z, z], dtype=float, casting='unsafe')", "np.concatenate([z, z], dtype=float, casting='unsafe')", "np.concatenate([z, r])",
    "np.add(z, z, dtype=float, casting='unsafe')", "np.add(z, z, out=np.zeros(2), casting='unsafe')", "np.take(z, [0, 1], out=np.zeros(2), mode='clip')",
    # What computes real numbers of complex ones.
    "np.abs(z); np.angle(z); z.real; z.imag; np.var(z); np.std(z); np.linalg.norm(z); np.linalg.norm(m, axis=0); np.isclose(z, z); np.sort(z); str(z)",
    "for order in (None, 1, 2, 'fro', 'nuc', -2, np.inf):\n    np.linalg.norm(m, order)\n    np.linalg.cond(m[:3], order) if order != 'nuc' else None",
    "np.linalg.svd(m); np.linalg.eigh(m.conj().T @ m); np.linalg.eig(s); np.linalg.eigvals(s.astype('float32')); np.linalg.eig(m[:3])",
    "np.linalg.lstsq(m, np.ones(4)); np.linalg.pinv(m); np.linalg.matrix_rank(m); np.linalg.slogdet(m[:3]); np.linalg.qr(m)",
]


@pytest.fixture(scope="module")
def expected():
    program = ("import json, sys, warnings\nanswers = []\nfor case in json.loads(sys.argv[2]):\n    with warnings.catch_warnings(record=True) as told:\n"
               "        warnings.simplefilter('always')\n        exec(sys.argv[1] + case, {})\n"
               "    answers.append(any('discards the imaginary part' in str(w.message) for w in told))\nprint(json.dumps(answers))\n")
    done = subprocess.run([sys.executable, "-c", program, HEAD, json.dumps(CASES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout)))


@pytest.mark.parametrize("case", CASES)
def test_casts_of_complex_numbers(tmp_path, expected, case):
    path = tmp_path / "script.ar"
    path.write_text(HEAD + case + "\n")
    done = autoray("run", path)
    assert done.returncode == 0, done.stderr
    assert ("discards the imaginary part" in done.stderr) == expected[case], done.stderr


# x: float16 with 60000; y: float64 with 1e300; o: ones, of which nothing is to be told afterwards.
EVENTS_HEAD = ("import numpy as np\nx = np.array([60000.0, 1.0, 2.0], dtype='float16')\ny = np.array([1e300, 1.0, 2.0])\no = np.ones(3)\n"
               "def store(a, b):\n    a[:] = b\n    return a + 1\ndef f(x, y):\n    return ")
EVENTS = [
    "x + x", "x - np.float16(-60000)", "x * x", "x * np.float16(2)", "x / np.float16(0.001)", "np.square(x)", "x ** 2", "np.hypot(x, x)", "np.outer(x, x)",
    "np.mean(x * x)", "x[1:] + x[1:]", "-x", "np.maximum(x, x)", "np.where(x > 1, x, -x)", "np.sqrt(-x)", "np.isnan(x)", "x.sum()", "np.cumsum(x)",
    "(x.astype('float32') * 4).astype('float16')", "y.astype('float32')", "y.astype('float16')", "(y * np.nan).astype(int)", "y * y", "y.astype('float64')",
    "np.asarray(y, dtype='float32')", "np.array(y, dtype='float16')", "store(np.ones(3, 'float32'), y)", "store(np.ones(3, int), y * np.nan)",
    "np.concatenate([y, y], dtype='float32', casting='same_kind')",
    "np.array([1e6, 1.0], dtype='float16')", "np.array([1e300], dtype='float32')", "np.float16(1e6)", "np.float32(1e300)", "store(np.ones(3, 'float32'), 1e300)",
    "np.full(2, 1e300, dtype='float32')", "np.full_like(x, 1e6)", "np.linspace(0, 1e6, 3, dtype='float16')", "np.arange(0, 1e6, 3e5, dtype='float16')",
    "np.array([1 + 1e300j]).astype('complex64')", "np.vdot(x, x)", "np.einsum('i,i', x, x)",
]


@pytest.fixture(scope="module")
def events():
    program = ("import json, sys, warnings\nanswers = []\nfor case in json.loads(sys.argv[2]):\n    with warnings.catch_warnings(record=True) as told:\n"
               "        warnings.simplefilter('always')\n        exec(sys.argv[1] + case + '\\nf(x + 0, y)', {})\n"
               "    answers.append(sorted({'RuntimeWarning: ' + str(w.message) for w in told}))\nprint(json.dumps(answers))\n")
    done = subprocess.run([sys.executable, "-c", program, EVENTS_HEAD, json.dumps(EVENTS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(zip(EVENTS, json.loads(done.stdout)))


@pytest.mark.parametrize("how", ["f", "autojit(f)", "autojit(f, backend='plan')"])
@pytest.mark.parametrize("case", EVENTS)
def test_events_of_conversions(tmp_path, events, case, how):
    path = tmp_path / "script.ar"
    path.write_text(EVENTS_HEAD + case + f"\nfrom autoray import autojit\nf = {how}\nf(x + 0, y)\nf(x + 0, y)\nnp.cos(o)\n")
    done = autoray("run", path)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stderr.splitlines()) == events[case]


CASTS = '''
def told(make):
    try:
        with np.errstate(all='raise'):
            make()
    except FloatingPointError as e:
        return str(e)
for source in ('float64', 'float32', 'complex128'):
    for value in (np.nan, np.inf, -np.inf, 1e30, 2.0 ** 63, 5.0, -1.0, 1e10, -1e10, 3e9, -3e9, 1e19, 0.5):
        for to in ('int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8', 'bool'):
            if to in ('uint32', 'uint64') and value not in (5.0, 0.5) and value == value:
                continue  # numpy's own answer depends on the length
            x = np.array([1.0, value, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).astype(source)
            print(source, value, to, told(lambda: x.astype(to)), told(lambda: x[:2].astype(to)), told(lambda: x[::2].astype(to)))
'''


def test_casts_to_integers(tmp_path):
    """What no integer of the conversion is, is told of; nothing else is, whatever the vectors' other lanes do."""
    path = tmp_path / "script.ar"
    path.write_text("import numpy as np\n" + CASTS)
    done = autoray("run", path)
    assert done.returncode == 0, done.stderr
    want = subprocess.run([sys.executable, "-W", "ignore", path], capture_output=True, text=True)
    assert want.returncode == 0, want.stderr
    assert done.stdout == want.stdout
