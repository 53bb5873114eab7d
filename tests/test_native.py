"""Compiled calls against plain ones: generated programs bit for bit, the examples, and what autojit promises of its arguments."""
import json
import re

import numpy as np
import pytest

import native_programs
from conftest import ROOT, autoray

CHUNKS, CHUNK = 8, 125


def run_text(tmp_path, text, *options):
    script = tmp_path / "script.ar"
    script.write_text(text)
    return autoray("run", script, *options)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_generated_programs_are_bit_equal(chunk, tmp_path):
    done = run_text(tmp_path, native_programs.program(1000 * chunk, CHUNK), *(["--check-bounds"] if chunk < 2 else []))
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "done\n"


def test_generated_programs_are_compiled(tmp_path):
    """Not by falling back: every function is compiled, and what the runtime does is on the list."""
    done = run_text(tmp_path, native_programs.program(0, 60), "--explain", "--format=json")
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    calls = [t for t in told if t["op"].startswith("autojit ")]
    compiled = {t["op"] for t in calls if t["library"].startswith("compiled")}
    plain = {t["op"] for t in calls if t["library"] == "plain call"}
    assert len(compiled | plain) == 60 and len(compiled) >= 55
    assert {t["provider"] for t in calls if t["library"] == "plain call"} <= {"nothing is computed on arrays"}
    reasons = {t["provider"] for t in told if t["library"] == "fallback"}
    assert reasons <= {"a large product"}, reasons


def decorated(text):
    """Every function of the module through autojit."""
    lines = []
    for line in text.split("\n"):
        if re.match(r"def \w+\(", line) and not (lines and lines[-1].startswith("@")):
            lines.append("@_autojit")
        lines.append(line)
    return "from autoray import autojit as _autojit\n" + "\n".join(lines)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.ar")), ids=lambda p: p.stem)
def test_examples_print_the_same(path, tmp_path):
    plain = autoray("run", path)
    done = run_text(tmp_path, decorated(path.read_text()))
    if "the truth value of a lazy array" in done.stderr:
        # What branches on values is refused, where it branches.
        assert re.search(r"script\.ar:\d+:\d+: error\[E0405\]", done.stderr)
        return
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout), done.stderr[-3000:]


def check(tmp_path, body, *options):
    """A script that asserts; its errors are the test's."""
    done = run_text(tmp_path, "import numpy as np\nfrom autoray import autojit, do\n\n" + body + "\nprint('ok')\n", *options)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
    return done


def test_what_an_argument_was_before_it_is_written(tmp_path):
    check(tmp_path, '''
def f(u):
    old = np.conj(u)
    u[0] = 5.0
    return old, u

def g(u):
    u[1:-1] += u[2:]
    u[:] = u * 2
    return u

jit, u, v = autojit(f), np.arange(4.0), np.arange(5.0)
for turn in range(2):
    u[:] = np.arange(4.0)
    old, new = jit(u)
    assert old.tolist() == [0, 1, 2, 3] and u.tolist() == [5, 1, 2, 3] and new is u, (old, u)
jit = autojit(g)
assert jit(v) is v and v.tolist() == [0, 6, 10, 14, 8]
''')


def test_arguments_written_in_place(tmp_path):
    check(tmp_path, """
@autojit
def f(u, r):
    u[1:-1] += r * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u.sum()

u = np.arange(6.0) ** 2
v = u.copy()
want = (v[1:-1] + 0.25 * (v[2:] - 2 * v[1:-1] + v[:-2]))
for turn in range(2):
    u = v.copy()
    s = f(u, 0.25)
    assert np.array_equal(u[1:-1], want) and s == u.sum()
""")


def test_an_error_leaves_arguments_alone(tmp_path):
    check(tmp_path, """
@autojit
def f(u, m):
    u += 1.0
    return np.linalg.inv(m)

u = np.zeros(3)
for turn in range(2):
    try:
        f(u, np.zeros((2, 2)))
    except np.linalg.LinAlgError:
        pass
    assert np.array_equal(u, np.zeros(3))
""")


def test_results_that_are_views_and_arguments(tmp_path):
    check(tmp_path, """
f = autojit(lambda x: (x, x.T, x[0], x + 0.0))
x = np.arange(6.0).reshape(2, 3)
for turn in range(2):
    a, b, c, d = f(x)
    assert a is x
    x[0, 1] += 10.0
    assert b[1, 0] == x[0, 1] and c[1] == x[0, 1] and d[0, 1] == x[0, 1] - 10.0
""")


def test_equal_results_are_arrays_of_their_own(tmp_path):
    check(tmp_path, """
f = autojit(lambda x: (x * 2, x * 2, x * 1.0))
x = np.arange(3.0)
a, b, c = f(x)
a += 1.0
c += 1.0
assert np.array_equal(b, np.arange(3.0) * 2) and np.array_equal(x, np.arange(3.0))
""")


def test_aliases_and_overlaps(tmp_path):
    done = check(tmp_path, """
def f(a, b):
    a += 1.0
    return b * 2.0

g = autojit(f)
x, y = np.arange(4.0), np.arange(4.0)
assert np.array_equal(g(x, x), f(y, y)) and np.array_equal(x, y)
x, y = np.arange(4.0), np.arange(4.0)
assert np.array_equal(g(x, y), np.arange(4.0) * 2)
x, y = np.arange(5.0), np.arange(5.0)
assert np.array_equal(g(x[1:], x[:-1]), f(y[1:], y[:-1])) and np.array_equal(x, y)
""", "--explain")
    assert "arguments overlap and one of them is written" in done.stderr


def test_keys(tmp_path):
    done = check(tmp_path, """
@autojit
def f(x, axis, scale=1.0, flag=True):
    return np.sum(x, axis=axis) * scale if flag else x

x = np.arange(6.0).reshape(2, 3)
assert np.array_equal(f(x, 0), x.sum(0)) and np.array_equal(f(x, 1), x.sum(1))
assert np.array_equal(f(x, axis=0, scale=2.0), f(x, scale=2.0, axis=0))
assert np.array_equal(f(x, 0, 3.5), x.sum(0) * 3.5) and np.array_equal(f(x, 0, 4.5), x.sum(0) * 4.5)
assert f(x, 0, flag=False) is x
assert f(x.astype('float32'), 0).dtype == np.float32
assert np.array_equal(f(x.T, 0), x.T.sum(0))
assert np.array_equal(f(np.arange(8.0).reshape(4, 2), 0), np.arange(8.0).reshape(4, 2).sum(0))
""", "--explain")
    told = [line for line in done.stderr.splitlines() if "autojit f" in line]
    # Another float is no other key; another axis, dtype, shape or layout is one, and the difference is told.
    assert any("float" in line and "native: hit" in line for line in told), told
    assert any("argument 1 was 0, is 1" in line for line in told), told
    assert any("was float64 (2, 3), is float32 (2, 3)" in line for line in told), told


def test_floats_that_the_trace_needs(tmp_path):
    check(tmp_path, """
import math

@autojit
def f(x, t):
    return x * math.sqrt(t) if t > 1.0 else x

x = np.arange(3.0)
for t in (4.0, 9.0, 0.25, 4.0):
    assert np.array_equal(f(x, t), x * math.sqrt(t) if t > 1.0 else x)
""")


def test_what_the_reference_gets_wrong(tmp_path):
    check(tmp_path, """
a = np.arange(5.0)
assert autojit(lambda a: a[-1] + a[-2])(a) == 7.0
assert autojit(lambda a: a ** -1 + a ** -2)(np.array([2.0]))[0] == 0.75
f = autojit(lambda a: np.sum(a, axis=-1) + np.sum(a, axis=-2))
m = np.arange(9.0).reshape(3, 3)
assert np.array_equal(f(m), m.sum(-1) + m.sum(-2))
g = autojit(lambda x: x.sum())
assert g(np.ones(3)) == 3.0 and g(np.ones((2, 5))) == 10.0
h = autojit(lambda x, y: x - y)
assert np.array_equal(h(y=np.ones(2), x=np.zeros(2)), -np.ones(2)) and np.array_equal(h(x=np.ones(2), y=np.zeros(2)), np.ones(2))
k = autojit(lambda x: {'same': [x, x], 'scalar': 3, 'text': 'a', 'sum': x.sum()})
r = k(np.ones(2))
assert r['same'][0] is r['same'][1] and r['scalar'] == 3 and r['text'] == 'a' and r['sum'] == 2.0
rng = np.random.default_rng(1)
d = autojit(lambda x: x + rng.random(2))
first, second = d(np.zeros(2)), d(np.zeros(2))
again = np.random.default_rng(1)
assert np.array_equal(first, again.random(2)) and np.array_equal(second, again.random(2))
""")


def test_casts_by_method_and_values_that_do_not_fit(tmp_path):
    check(tmp_path, """
def cast(a):
    return a.astype('int8'), a.T.astype('float32', order='C'), a.astype('float64', copy=False), a.astype('c16', order='F')

x = np.arange(6.0).reshape(2, 3)
for want, got in zip(cast(x), autojit(cast)(x)):
    assert want.dtype == got.dtype and np.array_equal(want, got)

for f in (lambda a: a + np.full(3, 300, dtype='int8'), autojit(lambda a: a + np.full(3, 300, dtype='int8'))):
    try:
        f(x)
        assert False
    except OverflowError as error:
        assert 'out of bounds for int8' in str(error)
""")


def test_backends_of_a_call(tmp_path):
    check(tmp_path, """
f = autojit(lambda x: np.exp(x).sum())
x = np.linspace(0.0, 1.0, 7)
assert f(x) == f(x, backend='plan') == f(x, backend='eager') == np.exp(x).sum()

@autojit(backend='plan')
def g(x):
    return x @ x
assert g(x) == x @ x
try:
    f(x, backend='nothing')
except ValueError as error:
    assert 'no backend' in str(error)
""")


def test_floating_point_events_are_told(tmp_path):
    done = check(tmp_path, """
f = autojit(lambda x: 1.0 / x)
x = np.array([0.0, 1.0])
f(x)
with np.errstate(divide='raise'):
    try:
        f(x)
        assert False
    except FloatingPointError:
        pass
with np.errstate(divide='ignore'):
    f(x)
""")
    assert "divide by zero encountered in divide" in done.stderr


def test_events_of_compiled_calls_are_theirs_alone(tmp_path):
    done = check(tmp_path, """
f, g = autojit(lambda x: 1.0 / x), autojit(lambda x, i: np.take(1.0 / x, i))
x, bad = np.array([0.0, 1.0]), np.array([5])
f(x)
with np.errstate(all='raise', divide='ignore'):
    f(x)
with np.errstate(all='raise'):
    np.sin(x)
try:
    g(x, bad)
    assert False
except IndexError:
    pass
with np.errstate(all='raise'):
    np.sin(x)
""")
    assert done.stderr.count("RuntimeWarning") == 1


def test_events_before_a_compiled_call_are_not_its_own(tmp_path):
    """Python's numbers set the processor's flags and tell of nothing; whoever finds them set runs the program once more."""
    done = check(tmp_path, """
@autojit
def f(x, y):
    y += x
    x[0] = x[1] * 2.0
    return x * x
def overflow(a):
    return a * 10.0
for k in range(4):
    for big in (1.0, 1e308):
        x, y = np.arange(3.0) + 1, np.zeros(3)
        overflow(big)
        with np.errstate(all='raise'):
            assert f(x, y).tolist() == [16.0, 4.0, 9.0]
        assert x.tolist() == [4.0, 2.0, 3.0] and y.tolist() == [1.0, 2.0, 3.0]
for k in range(3):
    overflow(1e308)
    with np.errstate(over='raise'):
        try:
            f(np.full(3, 1e200), np.zeros(3))
            assert False
        except FloatingPointError:
            pass
for k in range(3):
    f(np.full(3, 1e200), np.zeros(3))
""")
    assert done.stderr.count("RuntimeWarning: overflow encountered in multiply") == 1


def test_registered_functions_take_part(tmp_path):
    check(tmp_path, """
from autoray import register_function
f = autojit(lambda x: do('sqrt', x))
x = np.array([4.0])
assert f(x)[0] == 2.0
register_function('numpy', 'sqrt', lambda x: x * 10.0)
assert f(x)[0] == 40.0
""")


def test_branching_on_values_is_refused_with_its_place(tmp_path):
    done = run_text(tmp_path, "import numpy as np\nfrom autoray import autojit\n\n\n@autojit\ndef f(x):\n    if x[0] > 0:\n"
                              "        return x\n    return -x\n\n\nf(np.ones(2))\n")
    assert done.returncode == 1 and "script.ar:7:" in done.stderr and "E0405" in done.stderr


def test_run_jit(tmp_path):
    for n in (5, 50):
        plain, jit = tmp_path / "plain.npz", tmp_path / "jit.npz"
        common = ("run", ROOT / "examples/gram_schmidt.ar", "--call", "modified_gram_schmidt", "--load", f"X=random:1:float64[{n},{n}]")
        assert autoray(*common, "--save", plain).returncode == 0
        assert autoray(*common, "--save", jit, "--jit").returncode == 0
        assert np.load(plain)["return"].tobytes() == np.load(jit)["return"].tobytes()
    done = autoray(*common, "--jit", "--repeat", "3", "--time", "-")
    timed = json.loads(done.stdout.splitlines()[-1])
    assert timed["runs"] == 3 and timed["compile_seconds"] > timed["seconds"] > 0
    assert autoray("run", ROOT / "examples/gram_schmidt.ar", "--jit").returncode == 2


def test_many_functions_compiled_and_freed(tmp_path):
    """Every function has its code, and code goes with the last function that runs it."""
    check(tmp_path, """
for k in range(200):
    f = autojit(lambda x: x * 2.0 + 1.0)
    assert f(np.ones(3))[0] == 3.0
""")
