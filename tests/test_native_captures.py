"""What a compiled function reads from outside of its arguments: each call means what the plain call means, which CPython says
(there `autojit` gives the function itself)."""
import json

import pytest

from both import run_cpython
from conftest import autoray

OURS, PLAIN = "import numpy as np\nfrom autoray import autojit\n", "import numpy as np\nautojit = lambda f: f\n"


def same(tmp_path, body):
    """The program's output, which is CPython's."""
    ours, plain = tmp_path / "script.ar", tmp_path / "plain.py"
    ours.write_text(OURS + body)
    plain.write_text(PLAIN + body)
    want = run_cpython(plain)
    assert want.returncode == 0, want.stderr
    got = autoray("run", ours)
    assert got.returncode == 0, got.stderr
    assert got.stdout == want.stdout
    # The same on the plan.
    ours.write_text(OURS + "native = autojit\ndef autojit(f): return native(f, backend='plan')\n" + body)
    got = autoray("run", ours)
    assert got.returncode == 0, got.stderr
    assert got.stdout == want.stdout
    return got.stdout


def kinds(tmp_path, body):
    """How each call of a compiled function ran: [(what, how)]."""
    path = tmp_path / "explained.ar"
    path.write_text(OURS + body)
    done = autoray("run", path, "--explain", "--format=json")
    assert done.returncode == 0, done.stderr
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    return [(e["library"], e["provider"]) for e in entries if e["op"].startswith("autojit ")]


# A name, what stands there, what is done with it, and what changes between two calls.
CHANGES = {
    "float": ("c = 2.0", "x * c", "c = 3.0"),
    "int": ("c = 2", "x * c", "c = 3"),
    "int and float": ("c = 3", "np.arange(3) * c", "c = 3.0"),
    "int and bool": ("c = 1", "np.arange(3) + (c == 1) * 1 + (c is True)", "c = True"),
    "negative zero": ("c = 0.0", "x / c if c else np.arctan2(x, -1.0) + np.copysign(x, c)", "c = -0.0"),
    "bool": ("c = True", "x + 1 if c else x - 1", "c = False"),
    "string": ("c = 'sum'", "x.sum() if c == 'sum' else x.max()", "c = 'max'"),
    "none": ("c = None", "x if c is None else x * c", "c = 4"),
    "complex": ("c = 1j", "x * c", "c = 2j"),
    "numpy scalar": ("c = np.float64(2.0)", "x * c", "c = np.float64(5.0)"),
    "numpy scalar's dtype": ("c = np.float64(2.0)", "np.ones(2, 'float32') * c", "c = np.float32(2.0)"),
    "big int": ("c = 2 ** 70", "x * (c // 2 ** 69)", "c = 2 ** 71"),
    "tuple": ("c = (1.0, 2)", "x * c[0] + c[1]", "c = (1.0, 3)"),
    "list item": ("c = [1.0, 2.0]", "sum([x * v for v in c])", "c[0] = 9.0"),
    "list append": ("c = [1.0, 2.0]", "sum([x * v for v in c])", "c.append(4.0)"),
    "list length": ("c = [1.0, 2.0]", "x * len(c)", "c.pop()"),
    "dict value": ("c = {'a': 1.0}", "x + c['a']", "c['a'] = 4.0"),
    "dict key": ("c = {'a': 1.0}", "x + sum([len(k) for k in c])", "c['long'] = 1.0"),
    "dict key's value": ("c = {1.0: 2.0}", "x + sum([k for k in c])", "c = {3.0: 2.0}"),
    "set": ("c = {1, 2}", "x + sum(c)", "c.add(7)"),
    "nested": ("c = {'w': [1.0, (2.0, {'z': 3.0})]}", "x * c['w'][1][1]['z']", "c['w'][1][1]['z'] = 9.0"),
    "array written": ("c = np.ones(3)", "x + c", "c[1] = 5.0"),
    "array rebound": ("c = np.ones(3)", "x + c", "c = np.full(3, 7.0)"),
    "array shape": ("c = np.ones(3)", "(x + c).sum()", "c = np.ones((4, 3))"),
    "array dtype": ("c = np.ones(3)", "x.astype('int64') + c", "c = np.array([1, 2, 3])"),
    "array strides": ("c = np.arange(6.0)[::2]", "x + c", "c = np.arange(9.0)[::-3]"),
    "array and number": ("c = np.ones(3)", "x + c", "c = 5"),
    "array's item": ("c = np.ones(3)", "x + c[0]", "c[0] = 5.0"),
    "array's sum": ("c = np.ones(3)", "x * c.sum() + (c * 2)[1]", "c[1] = 5.0"),
    "array's rows": ("c = np.ones((2, 3))", "sum([x * row for row in c])", "c[1, 2] = 5.0"),
    "array as a branch": ("c = np.ones(3)", "x if c[0] > 0 else -x", "c[0] = -1.0"),
    "array as a number": ("c = np.ones(3)", "x * float(c[1])", "c[1] = 8.0"),
    "array as a mask": ("c = np.array([True, False, True])", "x[c]", "c[1] = True"),
    "array as an index": ("c = np.array([0, 2])", "x[c]", "c[1] = 1"),
    "array as a size": ("c = np.array([2])", "np.zeros(int(c[0])) + x[0]", "c[0] = 4"),
    "array in a list": ("c = [np.ones(3), np.ones(3)]", "sum(c) + x", "c[1] = np.arange(3.0)"),
    "array in a list written": ("c = [np.ones(3), np.ones(3)]", "sum(c) + x", "c[1][0] = 4.0"),
    "list of arrays": ("c = [np.ones(3)]", "sum(c) + x", "c.append(np.arange(3.0))"),
    "two names of one array": ("c = np.ones(3); d = c", "x + c * d", "d = np.full(3, 2.0)"),
    "function": ("def c(x): return x * 2", "c(x)", "def c(x): return x - 100"),
    "a function's global": ("k = 1.0\ndef c(x): return x * k", "c(x) + 1", "k = 2.0"),
    "lambda's global": ("k = 1.0\nc = lambda x: x * k", "c(x) + 1", "k = 2.0"),
    "compiled function's global": ("k = 1.0\nc = autojit(lambda x: x * k)", "c(x) + 1", "k = 2.0"),
    "attribute of a function": ("def c(): pass\nc.a = 2.0", "x * c.a", "c.a = 3.0"),
    "builtin": ("c = 1", "abs(x) + c", "def abs(v): return v * 100"),
    "default argument": ("def c(x, p=[1.0]):\n    return x * p[0]\np = [2.0]\ndef d(x, p=p): return x * p[0]", "c(x) + d(x)", "p[0] = 7.0"),
    "default array": ("p = np.ones(3)\ndef d(x, p=p): return x * p", "d(x)", "p[0] = 7.0"),
    "array of a partial": ("from functools import partial\ndef g(w, x, k=None): return x * w[0] + w.sum() + k[1]\n"
                           "p = np.ones(3)\nc = partial(g, p, k=p)", "c(x)", "p[:2] = 7.0, 5.0"),
    "list of a partial": ("from functools import partial\np = [1.0]\nc = partial(lambda w, x: x * w[0], p)", "c(x)", "p[0] = 7.0"),
    "list of a method": ("p = [1.0]\nc = p.index", "x + c(1.0)", "p.insert(0, 3.0)"),
    "views of a dictionary": ("d = {'a': 1.0}; c = d.values(); k = d.keys()", "x * sum(c) + len(k)", "d['b'] = 4.0"),
    "counter": ("from collections import Counter\nc = Counter('aab')", "x * c['a'] + c['z']", "c.update('aaz')"),
    "namedtuple": ("from collections import namedtuple\nP = namedtuple('P', 'a b')\nc = P(1.0, 2.0)", "x * c.a + c.b", "c = P(5.0, 2.0)"),
    "range": ("c = range(3)", "sum([x * i for i in c])", "c = range(5)"),
    "comprehension": ("c = 2", "sum([x * i for i in range(c)])", "c = 4"),
    "generator": ("c = 2", "sum(x * i for i in range(c))", "c = 4"),
    "a module's new function": ("np.c = lambda v: v * 2; c = 0", "np.c(x)", "np.c = lambda v: v * 3"),
    "a module's own function": ("keep = np.cos; np.sin = np.tan; c = 0", "np.sin(x)", "np.sin = keep"),
    "a module's function set later": ("c = 0", "np.sin(x) + np.linalg.norm(x)", "np.linalg.norm = lambda v: v * 7"),
    "a module's number": ("import math; math.tau = 3.0; c = math", "x * c.tau", "math.tau = 4.0"),
    "a module's array": ("np.c = np.ones(3); c = 0", "x * np.c", "np.c[1] = 4.0"),
    "a module's list": ("np.c = [1.0]; c = 0", "x * len(np.c)", "np.c.append(4.0)"),
    "what a module has not": ("c = 0", "x * np.d if hasattr(np, 'd') else -x", "np.d = 4.0"),
    "a module under another name": ("la = np.linalg; la.c = 2.0; c = 0", "x * la.c", "np.linalg.c = 5.0"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_between_calls(tmp_path, what):
    before, expression, after = CHANGES[what]
    same(tmp_path, f"{before}\nx = np.arange(3.0) - 1\ndef f(x):\n    return {expression}\nf = autojit(f)\n"
                   f"print(f(x))\nprint(f(x))\n{after}\nprint(f(x))\nprint(f(x))\n{before}\nprint(f(x))\n")


@pytest.mark.parametrize("what", [name for name, (before, _, after) in CHANGES.items()
                                  if ";" not in before and "\n" not in before and "def " not in after])
def test_what_changes_in_an_enclosing_function(tmp_path, what):
    before, expression, after = CHANGES[what]
    same(tmp_path, f"""
def make():
    {before}
    def f(x):
        return {expression}
    def change():
        nonlocal c
        {after}
    return autojit(f), change
x = np.arange(3.0) - 1
f, change = make()
g, _ = make()
print(f(x), g(x))
change()
print(f(x), g(x))
""")


def test_a_name_that_goes_and_comes(tmp_path):
    same(tmp_path, """
c = 3.0
f = autojit(lambda x: x * c)
x = np.ones(2)
print(f(x))
del c
try:
    print(f(x))
except NameError as error:
    print(error)
c = 5.0
print(f(x))
""")


def test_a_module_of_the_scripts(tmp_path):
    (tmp_path / "helper.py").write_text("k = 2.0\ndef h(x):\n    return x * k\n")
    same(tmp_path, """
import helper
f = autojit(lambda x: helper.h(x) + helper.k)
x = np.ones(2)
print(f(x))
helper.k = 5.0
print(f(x))
""")


@pytest.mark.parametrize("body", [
    # Writes into captured arrays are seen, each call's once.
    "acc = np.zeros(3)\n@autojit\ndef f(x):\n    acc[:] = acc + x\n    return acc * 2\n",
    "acc = [np.zeros(3)]\n@autojit\ndef f(x):\n    acc[0][1:] += x[1:]\n    return acc[0].sum()\n",
    # Arguments that are captured too.
    "acc = x\n@autojit\ndef f(x):\n    x += 1\n    return acc * 2\n", "acc = x\n@autojit\ndef f(x):\n    acc[1] = 7\n    return x * 2\n",
    "acc = x[1:]\n@autojit\ndef f(x):\n    acc[:] = 7\n    return x * 2\n",
    # Variables that are not its own.
    "acc = 0\n@autojit\ndef f(x):\n    global acc\n    acc += 1\n    return x * acc\n",
    "acc = 0\n@autojit\ndef f(x):\n    global acc\n    try:\n        acc += 1\n    except Exception:\n        acc = -5\n    return x * acc\n",
    "def make():\n    n = 0\n    @autojit\n    def f(x):\n        nonlocal n\n        n += 1\n        return x * n\n    return f\nf = make()\nacc = 0\n",
    # Containers.
    "acc = []\n@autojit\ndef f(x):\n    acc.append(1)\n    return x * len(acc)\n",
    "acc = []\n@autojit\ndef f(x):\n    acc.append(x.sum())\n    return x * 2\n",
    "acc = {}\n@autojit\ndef f(x):\n    acc['last'] = x.sum()\n    return x * 2\n",
    "acc = [[1]]\n@autojit\ndef f(x):\n    acc[0].append(2)\n    return x * sum(acc[0])\n",
    "acc = set()\n@autojit\ndef f(x):\n    acc.add(len(acc))\n    return x * len(acc)\n",
    "def g(): pass\ng.n = 0\nacc = 0\n@autojit\ndef f(x):\n    g.n += 1\n    return x * g.n\n",
    "acc = 0\ndef g(x, log=[]):\n    log.append(1)\n    return x * len(log)\nf = autojit(g)\n",
    "acc = iter(range(9))\n@autojit\ndef f(x):\n    return x * next(acc)\n",
    "from collections import deque\nacc = deque([1])\n@autojit\ndef f(x):\n    acc.append(2)\n    return x * len(acc)\n",
    "acc = []\nadd = acc.append\n@autojit\ndef f(x):\n    add(1)\n    return x * len(acc)\n",
    "from collections import defaultdict\nacc = dict(defaultdict(list))\nd = defaultdict(list)\n@autojit\ndef f(x):\n    return x * len(d['b']) + len(d)\n",
    # A cache would hold what is of the trace.
    "from functools import lru_cache\nacc = 0\n@lru_cache\ndef w(n): return np.ones(n) * 2\n@autojit\ndef f(x):\n    return x * w(3) + w(2)[0]\n"
    "print(f(x))\nprint(w(3), w(2))\n",
    # Shapes.
    "acc = np.arange(6.0).reshape(2, 3)\n@autojit\ndef f(x):\n    acc.shape = acc.shape[::-1]\n    return x * acc[0, 0]\n",
    "acc = np.arange(6.0).reshape(2, 3)\n@autojit\ndef g(x):\n    x.shape = x.shape[::-1]\n    x.real = 3.0\n    return x * 2\nf = lambda x: g(acc)\n",
    # Methods that were bound outside.
    "acc = x.copy()\nsort = acc.sort\n@autojit\ndef f(x):\n    sort()\n    return x * acc\n",
    "acc = x.copy()\nfill = acc.fill\n@autojit\ndef f(x):\n    fill(acc[0] + 7)\n    return x * 2\n",
    "acc = x.copy()\ntotal = acc.sum\n@autojit\ndef f(x):\n    acc[0] += 1\n    return x * total()\n",
    "acc = {}\nupdate = acc.update\n@autojit\ndef f(x):\n    update({len(acc): 1})\n    return x * len(acc)\n",
    "acc = set()\nadd = acc.add\n@autojit\ndef f(x):\n    add(len(acc))\n    return x * 2\n",
    "from collections import deque\nacc = deque()\nadd = acc.append\n@autojit\ndef f(x):\n    add(1)\n    return x * 2\n",
    "from functools import lru_cache\n@lru_cache\ndef w(n): return n\nacc = w(1)\nask, clear = w.cache_info, w.cache_clear\n@autojit\ndef f(x):\n"
    "    n = ask().currsize\n    clear()\n    return x * n\n",
    # Its own variables are nobody's business.
    "from collections import deque\nacc = 0\n@autojit\ndef f(x):\n    y = x.copy()\n    fill, q = y.fill, deque()\n    add = q.append\n    add(2)\n    fill(q[0])\n    return x + y\n",
    "acc = 0\n@autojit\ndef f(x):\n    n = 0\n    def add():\n        nonlocal n\n        n += 1\n        return n\n    add.k = 3\n    return x * add() * add() * add.k\n",
])
def test_what_a_call_changes(tmp_path, body):
    same(tmp_path, "x = np.arange(3.0) - 1\n" + body + "for _ in range(4):\n    print(f(x))\n    print('' if str(acc)[0] == '<' else acc)\nprint(x)\n")


def test_lists_that_are_given_are_the_callers(tmp_path):
    same(tmp_path, """
@autojit
def f(x, log):
    log.append(2.0)
    return x * len(log)
log = []
for _ in range(3):
    print(f(np.ones(2), log), log)
s = {1}
g = autojit(lambda x, s: x * len(s))
print(g(np.ones(2), s))
s.add(5)
print(g(np.ones(2), s))
h = autojit(lambda x, d: x * sum([k for k in d]))
print(h(np.ones(2), {1.0: 0}), h(np.ones(2), {3.0: 0}))
""")


def test_captured_results_are_the_captured_ones(tmp_path):
    same(tmp_path, """
A = np.ones(3)
params = {'a': 1}
@autojit
def f(x):
    return A, x + A
@autojit
def g():
    return params
for _ in range(3):
    print(f(np.ones(3))[0] is A, g() is params)
""")


def test_a_captured_array_is_an_argument(tmp_path):
    """Rebinding it does not compile again; another number does, and the explanation names it."""
    how = kinds(tmp_path, """
W, rate, kind = np.ones(3), 0.5, 'a'
@autojit
def step(x):
    return W - rate * x if kind == 'a' else W + x
for k in range(4):
    W = step(np.ones(3))
assert W.tolist() == [-1.0] * 3
rate = 0.25
W = step(np.ones(3))
kind = 'b'
step(np.ones(3))
kind = 'a'
step(np.ones(3))
""")
    what = [library for library, _ in how]
    assert what == ["compiled", "hit", "hit", "hit", "compiled: 'rate' was float 0.500000, is float 0.250000",
                    "compiled: 'kind' was 'a', is 'b'", "hit"]


def test_a_float_that_changes_is_an_argument(tmp_path):
    """From the second value on; what needs the value is compiled for each."""
    how = kinds(tmp_path, """
t, p = 0.0, 2.0
f = autojit(lambda x: x * t + x ** p)
g = autojit(lambda x: x * 2 if t > 3 else x * t)
x = np.full(3, 3.0)
for k in range(5):
    t = float(k)
    assert f(x)[0] == 3 * k + 9 and g(x)[0] == (6 if k > 3 else 3 * k)
""")
    assert [what.split(":")[0] for what, _ in how] == ["compiled"] * 4 + ["hit", "compiled"] * 3


def test_plain_calls_say_why(tmp_path):
    how = kinds(tmp_path, "n, big = 0, list(range(100000))\n@autojit\ndef f(x):\n    global n\n    n += 1\n    return x\n"
                          "g = autojit(lambda x: x * len(big))\nf(np.ones(2))\ng(np.ones(2))\nassert n == 1\n")
    assert how == [("plain call", "a traced function assigns 'n', which is not its own"),
                   ("plain call", "a traced function reads 'big', which has more items than each call could compare")]


def test_values_that_change_with_every_call(tmp_path):
    how = kinds(tmp_path, "n = 0\nf = autojit(lambda x: x * n)\nfor n in range(80):\n    assert f(np.ones(2))[0] == n\n")
    assert [what.split(":")[0] for what, _ in how] == ["compiled"] * 64 + ["plain call"] * 16


@pytest.mark.parametrize("body", [
    "f = autojit(lambda x: x + np.random.default_rng(3).random(2))\nprint(f(x), f(x))\n",
    "f = autojit(lambda x: (np.random.seed(3), x + np.random.rand(2))[1])\nprint(f(x), f(x))\n",
    "g = np.random.default_rng(3)\nx = np.arange(4.0)\nf = autojit(lambda x: (g.shuffle(x), x * 2)[1])\nfor k in range(3):\n    print(f(x), x)\n",
    "g, y = np.random.default_rng(3), np.arange(4.0)\nshuffle = g.shuffle\nf = autojit(lambda x: (shuffle(y), x * 2)[1])\nfor k in range(3):\n    print(f(x), y)\n",
    "g, y = np.random.RandomState(3), [1, 2, 3]\nf = autojit(lambda x: (g.shuffle(y), x * 2)[1])\nfor k in range(3):\n    print(f(x), y)\n",
    "g = np.random.default_rng(3)\nbits = g.bit_generator\nf = autojit(lambda x: x * (bits.random_raw() % 100))\nprint(f(x), f(x), g.random())\n",
    "g = np.random.default_rng(3)\nf = autojit(lambda x: x * g.spawn(1)[0].random())\nprint(f(x), f(x))\n",
    "s = np.random.SeedSequence(3)\nf = autojit(lambda x: x * int(s.spawn(1)[0].generate_state(1)[0]))\nprint(f(x), f(x))\n",
    "f = autojit(lambda x: x + np.load('file.npy'))\nnp.save('file.npy', np.ones(2))\nprint(f(x))\nnp.save('file.npy', np.zeros(2))\nprint(f(x))\n",
    "def g(x):\n    np.savetxt('file.txt', x)\n    return x * 2\nf = autojit(g)\nfor k in range(3):\n    f(x * k)\n    print(np.loadtxt('file.txt'))\n",
    "import sys\nf = autojit(lambda x: x * len(sys.argv))\nn = len(sys.argv)\nprint(f(x) / n)\nsys.argv.append('a')\nprint(f(x) - n)\n",
    "import time\nf = autojit(lambda x: x * time.perf_counter())\nprint(f(x)[0] == f(x)[0])\n",
])
def test_what_is_outside_of_every_script(tmp_path, monkeypatch, body):
    monkeypatch.chdir(tmp_path)
    same(tmp_path, "x = np.ones(2)\n" + body)


def test_what_is_told_is_told_by_each_call(tmp_path):
    path = tmp_path / "script.ar"
    path.write_text(OURS + "import sys\nf = autojit(lambda x: (print('one', file=sys.stderr), sys.stderr.write('two\\n'), x + 1)[2])\n"
                           "f(np.ones(2))\nf(np.ones(2))\n")
    assert autoray("run", path).stderr == "one\ntwo\n" * 2


# State of numpy and of autoray: x = [0, 1, 2], and what the script prints.
STATE = {
    "seterr": "@autojit\ndef f(x):\n    np.seterr(divide='ignore')\n    return 1 / x\nfor k in range(2):\n    np.seterr(divide='warn')\n"
              "    print(np.seterr()['divide'], f(x), np.seterr()['divide'])\n",
    "errstate that raises": "@autojit\ndef f(x):\n    with np.errstate(divide='raise'):\n        try:\n            return 1 / x\n"
                            "        except FloatingPointError:\n            return x * 100\nprint(f(x), f(x), f(x + 1))\n",
    "set_backend": "@autojit\ndef f(x):\n    autoray.set_backend('numpy')\n    return do('sin', x)\nfor k in range(3):\n"
                   "    print(autoray.get_backend(), f(x), autoray.get_backend())\n    autoray.set_backend(None)\n",
    "backend_like": "@autojit\ndef f(x):\n    with autoray.backend_like('numpy'):\n        return do('zeros', 3) + x, autoray.get_backend()\n"
                    "print(f(x), f(x), autoray.get_backend())\n",
    "the caller's backend": "f = autojit(lambda x: do('sin', x) if autoray.get_backend() is None else x * 100)\nprint(f(x))\nautoray.set_backend('numpy')\n"
                            "print(f(x))\nautoray.set_backend(None)\nprint(f(x))\nwith autoray.backend_like('numpy'):\n    print(f(x))\nprint(f(x))\n",
    "the caller's backend and names": "f = autojit(lambda x: do('mine', x))\nautoray.register_function('numpy', 'mine', lambda v: v * 2)\n"
                                      "autoray.register_function('eigen', 'mine', lambda v: v * 3)\nautoray.register_function('lazy', 'mine', lambda v: v * 4)\n"
                                      "print(f(x))\nwith autoray.backend_like('eigen'):\n    print(f(x))\nprint(f(x), do('mine', x, like='eigen'))\n",
    "the backend of an argument": "f = autojit(lambda x: x + 1 if autoray.infer_backend(x) == 'numpy' else x * 100)\nprint(f(x), f(x))\n"
                                  "f = autojit(lambda x: x + 1 if autoray.infer_backend_multi(1.0, x, [x]) == 'numpy' else x * 100)\nprint(f(x))\n"
                                  "f = autojit(lambda x: autoray.get_namespace(x).pi * autoray.get_namespace(x).sin(x))\nprint(f(x))\n",
    "like an argument": "f = autojit(lambda x, y: (do('zeros', 3, like=x), do('ones', 2, like=y)))\nprint(f(x.astype('float32'), x), f(x, x.astype('int64')))\n"
                        "print(f(x.astype('float32'), x)[0].dtype)\n",
    "register_function": "@autojit\ndef f(x):\n    autoray.register_function('numpy', 'mine', lambda v: v * len(v))\n    return x + 1\n"
                         "f(x)\nautoray.register_function('numpy', 'mine', lambda v: v)\nprint(do('mine', x))\nf(x)\nprint(do('mine', x))\n",
    # Registered functions.
    "prints": "def mine(v):\n    print('called')\n    return v * 2\nautoray.register_function('numpy', 'sin', mine)\nf = autojit(lambda x: do('sin', x) + 1)\n"
              "for k in range(3):\n    print(f(x))\n",
    "changes": "log = []\ndef mine(v):\n    log.append(len(log))\n    return v * len(log)\nautoray.register_function('numpy', 'sin', mine)\n"
               "f = autojit(lambda x: do('sin', x) + do('sin', x))\ng = autojit(lambda x: (do('sin', x), x * 2)[1])\n"
               "for k in range(3):\n    print(f(x), g(x), log)\n",
    "reads": "c = 0\nautoray.register_function('numpy', 'sin', lambda v: v * c)\nf = autojit(lambda x: do('sin', x) + 1)\n"
             "for c in range(3):\n    print(f(x))\nautoray.register_function('numpy', 'sin', lambda v: v - c)\nprint(f(x))\n",
    "a new name": "autoray.register_function('numpy', 'mine', lambda v, k=1: v * k)\nf = autojit(lambda x: do('mine', x, k=3) + do('mine', x))\nprint(f(x), f(x))\n"
                  "autoray.register_function('numpy', 'mine', lambda v, k=1: v - k)\nprint(f(x))\n",
    "a wrapper": "def wrap(old):\n    return lambda v: old(v) * 2\nf = autojit(lambda x: do('sin', x))\nprint(f(x))\n"
                 "autoray.register_function('numpy', 'sin', wrap, wrap=True)\nprint(f(x), f(x))\n",
    "a composed function": "@autoray.compose\ndef mine(v, k):\n    return do('sin', v) * k\nf = autojit(lambda x: mine(x, 2))\nprint(f(x), f(x))\n"
                           "mine.register('numpy', lambda v, k: v - k)\nprint(f(x))\n",
    "a dispatcher": "from autoray.autoray import register_dispatch\nf = autojit(lambda x: do('mine', 1.0, x))\nautoray.register_function('numpy', 'mine', lambda k, v: v * k)\nautoray.register_function('builtins', 'mine', lambda k, v: v - k)\n"
                    "register_dispatch('mine', lambda k, v: autoray.infer_backend(v))\nprint(f(x), f(x))\n",
}


@pytest.mark.parametrize("what", STATE)
def test_state_outside_of_the_script(tmp_path, what):
    same(tmp_path, "import autoray\nfrom autoray import do\nx = np.arange(3.0)\n" + STATE[what])


def test_state_of_the_engine_is_read_and_not_set(tmp_path):
    how = kinds(tmp_path, """
import autoray
from autoray import do
x = np.ones(2)
@autojit
def f(x):
    with np.errstate(divide='ignore'):
        return 1 / x
f(x)
f = autojit(lambda x: (autoray.set_backend(None), x + 1)[1])
f(x)
# The same on the backend that the arguments have; another one when the default is.
f = autojit(lambda x: do('sin', x))
f(x)
with autoray.backend_like('numpy'):
    f(x)
    f(x)
f(x)
autoray.register_function('numpy', 'sin', lambda x: do('cos', x) * 2)
f(x)
f(x)
""")
    assert [what.split(" (")[0] if what.startswith("compiled") else (what, why) for what, why in how] == [
        ("plain call", "a traced function enters np.errstate"), ("plain call", "a traced function sets the default backend"),
        "compiled", "compiled: 'the default backend' was nothing, is 'numpy'", ("hit", how[4][1]), ("hit", how[5][1]),
        "compiled: another key", ("hit", how[7][1])]


def test_types_of_arguments(tmp_path):
    """In a trace an argument has the type that it has in the plain call."""
    same(tmp_path, """
@autojit
def f(x, c, s):
    what = 0
    for k, t in enumerate((np.ndarray, float, int, np.float64, np.float32, (int, np.ndarray))):
        what = what + 10 ** k * isinstance(x, t) + 2 * 10 ** k * isinstance(c, t) + 4 * 10 ** k * isinstance(s, t)
    exact = (type(x) is np.ndarray) + 2 * (type(c) is float) + 4 * (type(s) is np.float64) + 8 * (type(x.sum()) is np.float64)
    return x * c + s, what, exact, type(x * c).__name__, type(x[0]).__name__, isinstance(x[0], float)
for _ in range(2):
    print(f(np.arange(3.0), 2.0, np.float64(3)))
print(f(np.arange(3, dtype='float32'), 2.0, np.float32(3)))
print(f(np.arange(3), 2.0, np.float64(3)))
""")
