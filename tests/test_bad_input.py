"""Input that nobody should give: an error with its exit status, and never a crash, a hang, a leak or half a file."""
import io
import itertools
import os
import random
import struct
import subprocess
import time
import zipfile

import numpy as np
import pytest

from conftest import BINARY, ROOT, autoray

SANITIZED = "ASAN_OPTIONS" in os.environ


def run(tmp_path, text, *options, **kwargs):
    path = tmp_path / "script.ar"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = autoray("run", path, *options, **{"timeout": 120, **kwargs})
    assert done.returncode in (0, 1, 2, 3, 4, 5, 130), f"status {done.returncode}: {done.stderr[-2000:]}"
    assert done.returncode == 0 or "error[E" in done.stderr, done.stderr[-2000:]
    assert "E0901" not in done.stderr
    return done


# ---- text that is no program ----

N = 10_000
NOT_PROGRAMS = {
    "parentheses": "(" * N + "1" + ")" * N,
    "unclosed": "(" * N,
    "unopened": ")" * N,
    "lists": "x = " + "[" * N + "]" * N,
    "dicts": "x = " + "{1:" * N + "1" + "}" * N,
    "subscripts": "x[" * N + "]" * N,
    "calls in calls": "f(" * N + ")" * N,
    "minus": "x = " + "-" * N + "1",
    "tilde": "x = " + "~" * N + "1",
    "not": "x = " + "not " * N + "1",
    "not in comparisons": "x = " + "1 == not " * N + "1",
    "not in sums": "x = " + "1 + not " * N + "1",
    "in not": "x = " + "1 in not " * N + "1",
    "is not not": "x = " + "1 is not not " * N + "1",
    "stars": "x = [" + "*" * N + "[1]]",
    "lambda": "x = " + "lambda: " * N + "1",
    "if else": "x = " + "1 if 0 else " * N + "1",
    "if else over lines": "x = (\n" + "1 if 0 else\n" * N + "1)",
    "powers": "x = " + "1 ** " * N + "1",
    "plus": "x = " + "1 + " * 100_000 + "1",
    "and": "x = " + "1 and " * 100_000 + "1",
    "comparisons": "x = " + "1 < " * 100_000 + "1",
    "attributes": "x = y" + ".real" * 100_000,
    "call chain": "f" + "()" * 100_000,
    "index chain": "x" + "[0]" * 100_000,
    "signs in brackets": "x = " + ("(" + "-" * 199) * 199 + "1" + ")" * 199,
    "nots in brackets": "x = " + ("[" + "not " * 199) * 199 + "1" + "]" * 199,
    "blocks": "".join(" " * i + "if 1:\n" for i in range(300)),
    "functions": "".join(" " * i + "def f():\n" for i in range(300)),
    "f-string": 'x = 1\ny = f"{' + "(" * N + "x" + ")" * N + '}"',
    "f-string specs": "x = 1\ny = f'" + "{x:" * 200 + "}" * 200 + "'",
    "quotes": '"' * 10_001,
    "triple quote": '"""abc',
    "colons": "x = a[" + ":" * N + "]",
    "at": "@" * N,
    "yield": "x = yield 1",
    "await": "x = " + "await " * N + "1",
    "digits": "x = " + "9" * 100_000,
    "tabs and blanks": "if 1:\n\tx = 1\n        y = 2\n",
    "tabs again": "if 1:\n        x = 1\n\ty = 2\n",
    "NUL": "x = '\0'",
    "not UTF-8": b"x = '\xff\xfe'",
    "surrogate": b"x = '\xed\xa0\x80'",
    "UTF-16": "x = 1\n".encode("utf-16"),
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(range(256)),
    "bad escape": "x = '\\x4'",
    "dangling backslash": "x = \\",
    "walrus": "x := 1",
    "assignment to a literal": "1 = x",
    "duplicate argument": "def f(a, a): pass",
    "break outside": "break",
}


@pytest.mark.parametrize("what", NOT_PROGRAMS)
def test_text_that_is_no_program(tmp_path, what):
    start = time.monotonic()
    done = run(tmp_path, NOT_PROGRAMS[what])
    assert done.returncode == 3, done.stderr[-500:]
    assert time.monotonic() - start < 60
    path = tmp_path / "script.ar"
    assert autoray("check", path).returncode == 3
    place = done.stderr.split("script.ar:")[1].split(":")
    assert int(place[0]) >= 1 and int(place[1]) >= 1


BIG_PROGRAMS = {
    "sums": "x = " + "1 + " * 15_000 + "1\nprint(x)",
    "elifs": "x = -1\nif x == 0: pass\n" + "".join(f"elif x == {i}: pass\n" for i in range(1, 5000)) + "else: print('else')",
    "brackets": "x = " + "(" * 199 + "1" + ")" * 199 + "\nprint(x)",
    "mixed brackets": "x = " + "([{1: (" * 49 + "1" + ")}])" * 49 + "\nprint(len(x))",
    "comprehensions": "x = " + "[" * 99 + "1" + " for i in range(1)]" * 99 + "\nprint(len(x))",
    "loops of a comprehension": "print([1 " + "for i in range(1) " * 1000 + "])",
    "list": "x = [" + "1, " * 100_000 + "]\nprint(len(x))",
    "text of 10 MB": "x = '" + "a" * 10_000_000 + "'\nprint(len(x))",
    "pieces of text": "x = " + "'a' " * 50_000 + "\nprint(len(x))",
    "f-string": "x = 1\nprint(len(f'" + "{x}" * 20_000 + "'))",
    "targets": "a = " * 20_000 + "1\nprint(a)",
    "arguments": "def f(*a): return len(a)\nprint(f(" + "1, " * 50_000 + "))",
    "parameters": "def f(" + ", ".join(f"a{i}=0" for i in range(5000)) + "): return 1\nprint(f())",
    "decorators": "@(lambda f: f)\n" * 5000 + "def g(): return 3\nprint(g())",
    "statements": "a = 1; " * 50_000 + "print(a)",
    "blank lines": "\n" * 300_000 + "print(1)",
    "continued lines": "x = " + "1 + \\\n" * 5000 + "1\nprint(x)",
    "blocks": "".join(" " * i + "if 1:\n" for i in range(99)) + " " * 99 + "print(1)\n",
}


@pytest.mark.parametrize("what", BIG_PROGRAMS)
def test_programs_that_are_only_big(tmp_path, what):
    assert run(tmp_path, BIG_PROGRAMS[what]).returncode == 0


def test_every_prefix_of_a_program(tmp_path):
    text = (ROOT / "examples/kmeans.ar").read_bytes()
    paths = []
    for i in range(0, len(text), 3):
        path = tmp_path / f"p{i}.ar"
        path.write_bytes(text[:i])
        paths.append(path)
    done = autoray("check", *paths, "--format=json")
    assert done.returncode == 3 and len(done.stdout.splitlines()) == len(paths)


# ---- scripts that never end, or nest what they make ----

ENDLESS = {
    "def": "def f(n): return f(n + 1)\nf(0)",
    "lambda": "f = lambda n: f(n + 1)\nf(0)",
    "mutual": "def f(): return g()\ndef g(): return f()\nf()",
    "key of sorted": "def k(x): return sorted([1, 2], key=k)\nk(1)",
    "key of max": "def k(x): return max([1, 2], key=k)\nk(1)",
    "map": "def f(): return list(map(lambda x: f(), [1]))\nf()",
    "reduce": "import functools\ndef f(a, b): return functools.reduce(f, [1, 2, 3])\nf(1, 2)",
    "comprehension": "def f(): return [f() for i in range(2)]\nf()",
    "keywords": "def f(**k): return f(**k)\nf()",
    "decorator": "def d(f): return d(f)\n@d\ndef g(): pass",
    "cached": "import functools\n@functools.lru_cache\ndef f(n): return f(n + 1)\nf(0)",
    "registered function": "from autoray import do, register_function\nimport numpy as np\n"
                           "register_function('numpy', 'sqrt', lambda x: do('sqrt', x))\ndo('sqrt', np.ones(3))",
    "equality": "x, y = [], []\nx.append(x)\ny.append(y)\nx == y",
    "ordering": "x, y = [], []\nx.append(x)\ny.append(y)\nx < y",
}


@pytest.mark.parametrize("what", ENDLESS)
def test_endless_recursion(tmp_path, what):
    done = run(tmp_path, ENDLESS[what])
    assert done.returncode == 5 and "RecursionError" in done.stderr, done.stderr[-500:]
    # A script may catch it and go on.
    caught = "try:\n" + "".join("    " + line + "\n" for line in ENDLESS[what].splitlines())
    done = run(tmp_path, caught + "except RecursionError:\n    print('caught')\n")
    assert done.returncode == 0 and done.stdout == "caught\n"


NEST = "x = %s\nfor i in range(100000): x = %s\n"
DEEP = {
    "repr of a list": NEST % ("[]", "[x]") + "repr(x)",
    "repr of a dict": NEST % ("{}", "{1: x}") + "str(x)",
    "repr of a slice": NEST % ("slice(1)", "slice(x)") + "repr(x)",
    "repr of an exception": NEST % ("Exception()", "Exception(x)") + "repr(x)",
    "str of an exception": NEST % ("Exception()", "Exception(x)") + "str(x)",
    "raised": NEST % ("ValueError()", "ValueError(x)") + "raise x",
    "hash": NEST % ("()", "(x,)") + "hash(x)",
    "equality of lists": NEST % ("[]", "[x]") + "y = []\nfor i in range(100000): y = [y]\nx == y",
    "ordering of tuples": NEST % ("()", "(x,)") + "y = (1,)\nfor i in range(100000): y = (y,)\nx < y",
    "isinstance": NEST % ("int", "(x,)") + "isinstance('a', x)",
    "partial": "import functools\n" + NEST % ("len", "functools.partial(x)") + "x([])",
    "closures": "def wrap(f): return lambda: f()\n" + NEST % ("lambda: 1", "wrap(x)") + "x()",
    "map": NEST % ("[1]", "map(abs, x)") + "list(x)",
    "filter": NEST % ("[1]", "filter(None, x)") + "list(x)",
    "enumerate": NEST % ("[1]", "enumerate(x)") + "next(x)",
    "zip": NEST % ("[1]", "zip(x)") + "next(x)",
    "generators": NEST % ("[1]", "(y for y in x)") + "list(x)",
    "chain": "import itertools\n" + NEST % ("[1]", "itertools.chain(x, [])") + "list(x)",
    "array of lists": "import numpy as np\n" + NEST % ("[1]", "[x]") + "np.array(x)",
    "array of itself": "import numpy as np\nx = []\nx.append(x)\nnp.array(x)",
    "axis": "import numpy as np\n" + NEST % ("(0,)", "(x,)") + "np.sum(np.ones(3), axis=x)",
    "pad width": "import numpy as np\n" + NEST % ("(0,)", "(x,)") + "np.pad(np.ones(3), x)",
    "concatenate": "import numpy as np\n" + NEST % ("[1]", "[x]") + "np.concatenate(x)",
    "index": "import numpy as np\n" + NEST % ("[1]", "[x]") + "np.ones(3)[x]",
    "shape": "import numpy as np\n" + NEST % ("(1,)", "(x,)") + "np.zeros(x)",
    "tree_map": "import autoray\n" + NEST % ("{}", "{'a': x}") + "autoray.tree_map(abs, x)",
    "do": "import autoray\n" + NEST % ("[1]", "[x]") + "autoray.do('sum', x)",
    "startswith": NEST % ("('a',)", "(x,)") + "'a'.startswith(x)",
    "percent": NEST % ("(1,)", "(x,)") + "'%s' % x",
    "format": NEST % ("[]", "[x]") + "f'{x}'",
    "print": NEST % ("[]", "[x]") + "print(x)",
    "freed": NEST % ("[]", "[x]") + "x = None",
    "freed dicts": NEST % ("{}", "{1: x}") + "x = None",
    "freed closures": "def wrap(f): return lambda: f()\n" + NEST % ("lambda: 1", "wrap(x)") + "x = None",
    "freed iterators": NEST % ("[1]", "map(abs, x)") + "x = None",
    "in": NEST % ("[]", "[x]") + "y = []\nfor i in range(100000): y = [y]\ny in [x]",
    "sum": NEST % ("[]", "[x]") + "sum(x)",
    "sorted": NEST % ("()", "(x,)") + "y = (1,)\nfor i in range(100000): y = (y,)\nsorted([x, y])",
    "set": NEST % ("()", "(x,)") + "{x}",
    "kept at the end": NEST % ("[]", "[x]"),
    "cycles": "for i in range(10000):\n    x = []\n    y = {1: x}\n    x.append(y)\n    x.append(lambda: x)\n",
}


@pytest.mark.parametrize("what", DEEP)
def test_what_scripts_nest(tmp_path, what):
    run(tmp_path, DEEP[what])


@pytest.mark.parametrize("text", [
    "[0] * 10**12", "'a' * 10**12", "(1,) * 10**15", "b'a' * 10**14", "list(range(10**11))", "1 << 10**12", "10 ** 10**10", "'%0*d' % (10**11, 1)",
    "f'{1:{10**9}}'", "'a'.ljust(10**12)", "'a'.zfill(10**13)", "'a'.center(10**13)", "bytes(10**14)", "'a,' * 10**5 * 10**9",
    "[x for x in range(10**11)]", "'x'.join(['a' * 10**6] * 10**8)"])
def test_values_that_fit_no_memory(tmp_path, text):
    """The limit counts what a script makes of itself too; without it the machine's memory ends first."""
    done = subprocess.run(["sh", "-c", 'ulimit -v 4000000; exec "$@"', "sh", BINARY, "run", "-", "--timeout", "5", "--max-memory", "100M"]
                          if not SANITIZED else [BINARY, "run", "-", "--timeout", "5", "--max-memory", "100M"],
                          input=f"x = {text}\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (1, 5), done.stderr[-500:]
    assert any(name in done.stderr for name in ("MemoryError", "OverflowError", "TimeoutError", "ValueError")), done.stderr[-500:]


# ---- arrays ----

@pytest.mark.parametrize("text", [
    "np.zeros(2**27)", "np.ones((2**14, 2**13))", "np.empty(2**30, dtype=bool)", "np.arange(2.0**27)", "np.full((2**13, 2**14), 1.5)",
    "np.eye(12000)", "np.linspace(0, 1, 2**27)", "np.repeat(np.ones(2**10), 2**17)", "np.tile(np.ones(2**10), 2**17)",
    "np.broadcast_to(1.0, (2**14, 2**13)) + 1", "np.outer(np.ones(2**14), np.ones(2**13))", "np.random.default_rng(0).random(2**27)",
    "np.ones(2**20).reshape(-1, 1) + np.ones(2**10)", "np.indices((2**13, 2**13))", "np.meshgrid(np.ones(2**13), np.ones(2**14))"])
def test_a_gibibyte_against_the_limit(tmp_path, text):
    done = run(tmp_path, f"import numpy as np\nx = {text}\n", "--max-memory", "64M")
    assert done.returncode == 5 and "E0703" in done.stderr


@pytest.mark.parametrize("text", [
    "np.zeros(2**60)", "np.zeros((2**40, 2**40))", "np.zeros(-1)", "np.ones((3, -2))", "np.zeros(2**63)", "np.zeros(10**30)", "np.arange(1e30)",
    "np.empty((2**31,) * 3)", "np.zeros((2**40, 2**40, 0))", "np.zeros([2] * 70)", "np.ones(3).reshape(2**62, 4)", "np.tile(1, 2**62)", "np.repeat([1, 2], 2**62)",
    "np.linspace(0, 1, 10**17)", "np.eye(2**40)", "np.pad(np.ones(3), 2**61)", "np.broadcast_to(1, (2**40, 2**40)) + 1",
    "np.outer(np.ones(2**20), np.ones(2**20))", "np.random.default_rng(0).random(2**55)", "np.random.default_rng(0).integers(0, 5, (2**50, 2**50))",
    "np.bincount([2**60])", "np.bincount([-1])", "np.histogram([1.0], bins=2**60)", "np.identity(2**33)", "np.full(2**61, 1j)",
    "np.ones(3)[5]", "np.ones(3)[-4]", "np.ones((2, 2))[0, 0, 0]", "np.ones(3)[[0, 7]]", "np.ones(3)['a']", "np.ones(3)[1.5]",
    "np.ones(3)[np.array([True, False])]", "np.take(np.ones(3), 3)", "np.ones((2, 3)) @ np.ones((2, 3))", "np.ones(2) + np.ones(3)",
    "np.ones(3).reshape(2, 2)", "np.ones(3).sum(axis=1)", "np.concatenate([])", "np.stack([np.ones(2), np.ones(3)])", "np.array([[1], [1, 2]])",
    "np.array(['a', 'b']) + 1", "np.sqrt('a')", "np.ones(2, dtype='float65')", "np.ones(2, dtype='>f8')", "np.ones(2).astype(object)",
    "np.einsum('ij,jk', np.ones((2, 3)), np.ones((2, 3)))", "np.einsum('i' * 100, np.ones(3))", "np.einsum('->->', 1)", "np.einsum('ab', 1)",
    "np.repeat([1, 2], [2**62, 2**62])", "np.split(np.ones(5), 2)", "np.transpose(np.ones((2, 2)), (0, 0))", "np.moveaxis(np.ones(3), 0, 5)", "np.searchsorted([1, 2], 'x')",
    "np.random.default_rng(-1)", "np.random.default_rng(0).choice(0, 5)", "np.random.default_rng(0).normal(scale=-1)", "np.trace(np.ones(3))",
    "np.max([])", "np.argmin(np.ones((0, 3)))", "np.left_shift(1.5, 2)", "~np.ones(2)"])
@pytest.mark.parametrize("backend", ["numpy", "eigen"])
def test_arrays_that_cannot_be(tmp_path, text, backend):
    done = run(tmp_path, f"import numpy as np\nx = {text}\n", f"--backend={backend}", "--max-memory", "2G")
    assert done.returncode in (1, 5), f"{text} gave an answer"


# ---- files ----

def npy_bytes(array, **kwargs):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **kwargs)
    return buffer.getvalue()


def header(text, data=b"", version=b"\x01\x00"):
    text = text.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H" if version[0] == 1 else "<I", len(text)) + text + data


LOAD = "import numpy as np\nimport sys\nx = np.load(sys.argv[1])\nprint(x.dtype, x.shape, x.sum())\n"


def load_many(tmp_path, contents, suffix=".npy"):
    """What np.load says of each content: one process for all, so that thousands of files take a second."""
    names = []
    for i, content in enumerate(contents):
        path = tmp_path / f"f{i}{suffix}"
        path.write_bytes(content)
        names.append(str(path))
    (tmp_path / "names.txt").write_text("\n".join(names))
    script = ("import numpy as np\nimport sys\nfor i in range(%d):\n    try:\n        x = np.load(sys.argv[1] + '/f' + str(i) + '%s')\n"
              "        if '%s' == '.npz':\n            for name in x.files:\n                x[name]\n"
              "        print('ok')\n    except (ValueError, OSError, EOFError, MemoryError, NotImplementedError, RuntimeError, KeyError) as e:\n"
              "        print(type(e).__name__)\n")
    done = run(tmp_path, script % (len(names), suffix, suffix), "--max-memory", "1G", "--", tmp_path)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == len(names)
    return answers


@pytest.mark.parametrize("dtype", ["?", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "u1", ">u2", ">u4", ">u8", "<f2", ">f2", "<f4",
                                   ">f4", "<f8", ">f8", "<c8", ">c8", "<c16", ">c16"])
@pytest.mark.parametrize("order", "CF")
def test_files_that_numpy_wrote(tmp_path, dtype, order):
    array = np.asarray(np.arange(-3, 9).reshape(3, 4).astype(dtype), order=order)
    np.save(tmp_path / "x.npy", array)
    np.savez_compressed(tmp_path / "x.npz", x=array, y=array[::2, ::-1])
    script = ("import numpy as np\nimport sys\nx = np.load(sys.argv[1] + '/x.npy')\nnp.save(sys.argv[1] + '/back.npy', x)\n"
              "z = np.load(sys.argv[1] + '/x.npz')\nnp.savez(sys.argv[1] + '/back.npz', x=z['x'], y=z['y'])\n")
    assert run(tmp_path, script, "--", tmp_path).returncode == 0
    back, archive = np.load(tmp_path / "back.npy"), np.load(tmp_path / "back.npz")
    assert back.dtype == array.dtype.newbyteorder("=") and np.array_equal(back, array)
    assert np.array_equal(archive["x"], array) and np.array_equal(archive["y"], array[::2, ::-1])


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_truncated_at_every_byte(tmp_path, version):
    content = npy_bytes(np.arange(6.0).reshape(2, 3), version=version)
    answers = load_many(tmp_path, [content[:i] for i in range(len(content) + 1)])
    assert answers[-1] == "ok" and "ok" not in answers[:-1]


@pytest.mark.parametrize("compressed", [False, True])
def test_npz_truncated_at_every_byte(tmp_path, compressed):
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, x=np.arange(3.0), y=np.array(1))
    content = buffer.getvalue()
    answers = load_many(tmp_path, [content[:i] for i in range(len(content) + 1)], ".npz")
    assert answers[-1] == "ok" and "ok" not in answers[:-1]


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_damaged_bytes(tmp_path, suffix):
    """Any byte changed: an error or an array, and for an archive never another array (its sums are checked)."""
    buffer = io.BytesIO()
    (np.save if suffix == ".npy" else np.savez)(buffer, np.arange(5.0))
    content, generator = buffer.getvalue(), random.Random(1)
    damaged = [content[:i] + bytes([content[i] ^ bit]) + content[i + 1:] for i in range(len(content)) for bit in (1, 128)]
    damaged += [bytes(b if generator.random() > 0.05 else generator.randrange(256) for b in content) for _ in range(300)]
    load_many(tmp_path, damaged, suffix)


MALFORMED = {
    "empty": b"", "text": b"1 2 3\n", "magic alone": b"\x93NUMPY", "bad magic": b"\x93NUMPZ\x01\x00" + b"v\x00" + b" " * 118,
    "future version": header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", bytes(8), b"\x09\x00"),
    "no dict": header("[]"), "empty header": header(""), "code": header("__import__('os').system('true')"),
    "missing key": header("{'descr': '<f8', 'shape': (1,)}"), "extra key": header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}", bytes(8)),
    "negative": header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"),
    "huge": header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
    "overflowing": header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4)}"),
    "huge digits": header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 400 + ",)}"),
    "many dimensions": header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 100 + ")}", bytes(8)),
    "shape of text": header("{'descr': '<f8', 'fortran_order': False, 'shape': ('a',)}"),
    "order of text": header("{'descr': '<f8', 'fortran_order': 'no', 'shape': (1,)}", bytes(8)),
    "nested": header("{'descr': " + "(" * 3000 + ")" * 3000 + ", 'fortran_order': False, 'shape': (1,)}"),
    "unknown dtype": header("{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
    "object": header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
    "structured": npy_bytes(np.zeros(2, [("a", "<f8"), ("b", "<i4")])), "characters": npy_bytes(np.array(["ab", "c"])),
    "bytes": npy_bytes(np.array([b"ab"])), "dates": npy_bytes(np.array(["2020-01-01"], "M8[D]")), "long double": npy_bytes(np.zeros(1, np.longdouble)),
    "long header": b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xfffffff0) + b"{", "pickle": b"\x80\x04N.",
    "directory": None,
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_npy(tmp_path, what):
    path = tmp_path / "x.npy"
    path.mkdir() if MALFORMED[what] is None else path.write_bytes(MALFORMED[what])
    done = run(tmp_path, LOAD, "--", path)
    assert done.returncode == 1 and done.stdout == "", done.stdout
    script = tmp_path / "f.ar"
    script.write_text("def f(x): return x\n")
    done = autoray("run", script, "--call", "f", "--load", f"x={path}")
    assert done.returncode == 1 and "error[E" in done.stderr


def archive(*entries, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as z:
        for name, content in entries:
            z.writestr(name, content)
    return buffer.getvalue()


def bomb():
    """An array of 256 MB, all zero, in 256 KB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z, z.open("x.npy", "w", force_zip64=True) as member:
        member.write(header("{'descr': '|u1', 'fortran_order': False, 'shape': (268435456,)}"))
        for _ in range(64):
            member.write(bytes(1 << 22))
    return buffer.getvalue()


def wrong_sum():
    content = bytearray(archive(("x.npy", npy_bytes(np.arange(4.0)))))
    content[content.index(b"NUMPY") + 130] ^= 1
    return bytes(content)


@pytest.mark.parametrize("content, status", [
    (b"PK", 1), (b"PK\x05\x06" + bytes(18), 0), (b"PK\x05\x06" + b"\xff" * 18, 1), (archive(), 0), (archive(("x.npy", b"")), 1),
    (archive(("x.npy", b"\x93NUMPY")), 1), (wrong_sum(), 1)], ids=["PK", "nothing", "ff", "empty", "empty member", "short member", "sum"])
def test_malformed_npz(tmp_path, content, status):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    done = run(tmp_path, "import numpy as np\nimport sys\nz = np.load(sys.argv[1])\nfor n in z.files:\n    z[n] + 0\n", "--", path)
    assert done.returncode == status, done.stderr


def test_an_archive_cannot_outgrow_the_limit(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(bomb())
    done = run(tmp_path, "import numpy as np\nimport sys\nx = np.load(sys.argv[1])['x']\n", "--max-memory", "100M", "--", path)
    assert done.returncode == 5 and "E0703" in done.stderr


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicate_members(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(archive(("x.npy", npy_bytes(np.arange(2.0))), ("x.npy", npy_bytes(np.arange(3.0)))))
    want = np.load(path)["x"].tolist()
    done = run(tmp_path, "import numpy as np\nimport sys\nprint(np.load(sys.argv[1])['x'].tolist())\n", "--", path)
    assert done.returncode == 0 and done.stdout == f"{want}\n"


@pytest.mark.parametrize("target", ["/nowhere/x", "/proc/x"])
@pytest.mark.parametrize("call", ["np.save(p + '.npy', x)", "np.savez(p + '.npz', x=x)", "np.savetxt(p, x)"])
def test_unwritable_outputs(tmp_path, target, call):
    done = run(tmp_path, f"import numpy as np\np = '{target}'\nx = np.ones((3, 3))\n{call}\n")
    assert done.returncode == 1 and "E0601" in done.stderr, done.stderr


def test_a_folder_is_no_output(tmp_path):
    for name in ("x.npy", "x.npz", "x.txt"):
        (tmp_path / name).mkdir()
    for call in ("np.save('x.npy', 1.0)", "np.savez('x.npz', x=1.0)", "np.savetxt('x.txt', [1.0])"):
        done = run(tmp_path, f"import numpy as np\n{call}\n", cwd=tmp_path)
        assert done.returncode == 1 and "E0601" in done.stderr, done.stderr
    assert sorted(os.listdir(tmp_path)) == ["script.ar", "x.npy", "x.npz", "x.txt"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    for call, name in [("np.save(p, x)", "x.npy"), ("np.savez(p, x=x)", "x.npz"), ("np.savetxt(p, x)", "x.txt"),
                       ("np.savez_compressed(p, x=np.random.default_rng(0).random(10**5))", "y.npz")]:
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(b"old")
        script = tmp_path / "s.ar"
        script.write_text(f"import numpy as np\np = '{folder / name}'\nx = np.ones((10**5, 1))\n{call}\n")
        done = subprocess.run(["sh", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "sh", BINARY, "run", script], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "Errno 27" in done.stderr, (call, done.stderr)
        assert (folder / name).read_bytes() == b"old" and os.listdir(folder) == [name]


@pytest.mark.parametrize("text", ["1 2\n3\n", "1 x\n", "1,2\n", "\0\0\n", "1e\n", "1 2 # 3\n4\n", "--1\n", "0x10\n", "1_000\n"])
def test_malformed_tables(tmp_path, text):
    path = tmp_path / "t.txt"
    path.write_bytes(text.encode())
    try:
        want = np.loadtxt(path).tolist()
    except ValueError:
        want = None
    done = run(tmp_path, "import numpy as np\nimport sys\nprint(np.loadtxt(sys.argv[1]).tolist())\n", "--", path)
    assert (done.returncode == 1) if want is None else (done.stdout == f"{want}\n")


# ---- what the fuzzers found, and what they start from ----

def corpus(name):
    return sorted((ROOT / "tests/fuzz/corpus" / name).iterdir())


def test_replay_scripts(tmp_path):
    paths = corpus("parser_fuzz") + corpus("script_fuzz")
    done = autoray("check", *paths, "--format=json")
    assert done.returncode == 3 and len(done.stdout.splitlines()) == len(paths)
    for path in corpus("script_fuzz"):
        done = autoray("run", path, "--max-memory", "32M", "--timeout", "5")
        assert done.returncode in (0, 1, 3, 5), (path, done.stderr[-500:])


def test_replay_files(tmp_path):
    load_many(tmp_path, [p.read_bytes() for p in corpus("npy_fuzz")])
    load_many(tmp_path, [p.read_bytes() for p in corpus("npz_fuzz")], ".npz")
    for path in corpus("text_fuzz"):
        (tmp_path / "t.txt").write_bytes(path.read_bytes()[3:])
        run(tmp_path, "import numpy as np\nimport sys\nnp.loadtxt(sys.argv[1])\n", "--", tmp_path / "t.txt")


def test_mutated_programs(tmp_path):
    """Programs with pieces cut, doubled and swapped: parsed in one process, a fixed seed."""
    generator = random.Random(5)
    programs = [p.read_text() for p in sorted(ROOT.glob("tests/lang/**/*.ar"))]
    pieces = "( ) [ ] { } : , . ; = == := -> ** // @ not in is lambda if else for def class try \n \t ' \" ''' f' {} \\ # 0x 1e9 \u00e9 \0 \ufeff".split(" ")
    paths = []
    for i in range(600 if SANITIZED else 1500):
        text = generator.choice(programs)[:1500]
        for _ in range(generator.randrange(1, 8)):
            at, to = sorted(generator.randrange(len(text) + 1) for _ in range(2))
            text = generator.choice([lambda: text[:at] + text[to:], lambda: text[:at] + text[at:to] * 2 + text[to:],
                                     lambda: text[:at] + generator.choice(pieces) + text[at:],
                                     lambda: text[:at] + generator.choice(pieces) * generator.randrange(300) + text[at:]])()
        path = tmp_path / f"m{i}.ar"
        path.write_text(text)
        paths.append(path)
    for group in itertools.batched(paths, 300) if hasattr(itertools, "batched") else [paths[i:i + 300] for i in range(0, len(paths), 300)]:
        done = autoray("check", *group, "--format=json", timeout=300)
        assert done.returncode in (0, 3), done.stderr[-2000:]
        assert len(done.stdout.splitlines()) == len(group)
