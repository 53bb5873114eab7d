"""The command line as other programs depend on it: options, statuses, streams, files."""
import io
import json
import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest

from conftest import BACKENDS, BINARY, autoray

SANITIZED = "ASAN_OPTIONS" in os.environ


@pytest.fixture
def script(tmp_path):
    def write(text, name="script.ar"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


FUNCTIONS = """\
import numpy as np
def scale(x, factor=2.0):
    x[0] = -1.0
    return x * factor
def pair(x):
    return x.sum(), x.T
def ints(n):
    return n + 1
def rows(n):
    return [n, n + 1]
def nothing(x):
    x += 1
def text():
    return "words"
def boom(x):
    return 1 // 0
"""


# ---- run ----

def test_a_script_runs_with_its_arguments(script):
    done = autoray("run", script("import sys\nprint(sys.argv[1:], __name__)\n"), "--", "a", "--backend=x", "-")
    assert done.stdout == "['a', '--backend=x', '-'] __main__\n" and done.returncode == 0 and done.stderr == ""


def test_standard_input(script):
    assert autoray("run", "-", input="print(1 + 1)\n", stdin=None).stdout == "2\n"
    assert autoray("check", "-", input="x = (\n", stdin=None).returncode == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend(script, backend):
    path = script("import numpy as np\nimport autoray\nprint(autoray.infer_backend(np.ones(2)), np.ones(2).sum())\n")
    assert autoray("run", path, "--backend", backend).stdout == f"{backend} 2.0\n"


def test_call_loads_and_saves(script, tmp_path):
    path, out = script(FUNCTIONS), tmp_path / "out.npz"
    np.save(tmp_path / "x.npy", np.arange(3.0))
    done = autoray("run", path, "--call", "scale", "--load", f"x={tmp_path / 'x.npy'}", "--load", "factor=3", "--save", out)
    assert done.returncode == 0, done.stderr
    saved = dict(np.load(out))
    # Every array parameter as it stands after the call, the result, and nothing else.
    assert sorted(saved) == ["return", "x"]
    assert saved["x"].tolist() == [-1, 1, 2] and saved["return"].tolist() == [-3, 3, 6]


def test_load_an_archive_by_names(script, tmp_path):
    np.savez(tmp_path / "in.npz", x=np.ones((2, 3)), unrelated=np.zeros(1))
    out = tmp_path / "out.npz"
    done = autoray("run", script(FUNCTIONS), "--call", "pair", "--load", tmp_path / "in.npz", "--save", out)
    assert done.returncode == 0, done.stderr
    saved = dict(np.load(out))
    assert sorted(saved) == ["return0", "return1", "x"] and saved["return0"] == 6 and saved["return1"].shape == (3, 2)


@pytest.mark.parametrize("literal, dtype, value", [("3", np.int64, 4), ("2.5", np.float64, 3.5), ("True", np.int64, 2),
                                                   ("1j", np.complex128, 1 + 1j), ("2**70 - 2**70", np.int64, 1)])
def test_load_a_literal(script, tmp_path, literal, dtype, value):
    out = tmp_path / "out.npz"
    assert autoray("run", script(FUNCTIONS), "--call", "ints", "--load", f"n={literal}", "--save", out).returncode == 0
    saved = dict(np.load(out))
    assert list(saved) == ["return"] and saved["return"].dtype == dtype and saved["return"] == value


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "float16"])
def test_load_random_numbers(script, tmp_path, dtype):
    out = tmp_path / "out.npz"
    done = autoray("run", script("def f(x): return x\n"), "--call", "f", "--load", f"x=random:7:{dtype}[2,3]", "--save", out)
    assert done.returncode == 0, done.stderr
    if dtype == "float32":
        want = np.random.default_rng(7).standard_normal((2, 3), dtype=np.float32)
    else:
        want = np.random.default_rng(7).standard_normal((2, 3)).astype(dtype)
    got = np.load(out)["return"]
    assert got.dtype == want.dtype and np.array_equal(got, want)


def test_a_list_is_one_array_and_none_is_none(script, tmp_path):
    out = tmp_path / "out.npz"
    assert autoray("run", script(FUNCTIONS), "--call", "rows", "--load", "n=1", "--save", out).returncode == 0
    assert np.load(out)["return"].tolist() == [1, 2]
    assert autoray("run", script(FUNCTIONS), "--call", "nothing", "--load", "x=random:1:float64[2]", "--save", out).returncode == 0
    assert list(np.load(out)) == ["x"]
    done = autoray("run", script(FUNCTIONS), "--call", "text", "--save", out)
    assert done.returncode == 1 and "str" in done.stderr
    # Without a file to write there is nothing wrong with a text.
    assert autoray("run", script(FUNCTIONS), "--call", "text").returncode == 0


def test_expect(script, tmp_path):
    path, want = script(FUNCTIONS), tmp_path / "want.npz"

    def run(*options, **arrays):
        np.savez(want, **arrays)
        return autoray("run", path, "--call", "scale", "--load", "x=[1.0, 2.0, 3.0]", "--load", "factor=1",
                       "--expect", want, *options)

    path.write_text("import numpy as np\ndef scale(x, factor=2.0):\n    return np.array(x) * factor\n")
    assert run(**{"return": np.array([1.0, 2, 3])}).returncode == 0
    assert run(**{"return": np.array([1.0, 2, 3 + 1e-10])}).returncode == 0
    done = run(**{"return": np.array([1.0, 2.5, 300])})
    assert done.returncode == 4
    lines = done.stderr.splitlines()
    assert "2 of 3 elements" in lines[0] and "[2]: got 3, expected 300" in lines[1] and "[1]: got 2, expected 2.5" in lines[2]
    assert run("--rtol=0.3", "--atol=0", **{"return": np.array([1.0, 2.5, 3])}).returncode == 0
    assert run("--atol=0.6", **{"return": np.array([1.0, 2.5, 3])}).returncode == 0
    done = run(**{"return": np.array([1, 2, 3])})
    assert done.returncode == 4 and "float64[3]" in done.stderr and "int64[3]" in done.stderr
    done = run(**{"return": np.array([[1.0, 2, 3]])})
    assert done.returncode == 4 and "float64[1,3]" in done.stderr
    done = run(**{"return": np.array([1.0, 2, 3]), "other": np.zeros(1)})
    assert done.returncode == 4 and "'other'" in done.stderr
    assert run(**{"return": np.array([1.0, 2, np.inf])}).returncode == 4
    assert run(**{"return": np.array([1.0, 2, np.nan])}).returncode == 4


def test_expect_takes_nan_and_infinity_as_equal_to_themselves(script, tmp_path):
    want = tmp_path / "want.npz"
    np.savez(want, **{"return": np.array([np.nan, np.inf, -np.inf])})
    text = "import numpy as np\ndef f(): return np.array([np.nan, np.inf, %snp.inf])\n"
    assert autoray("run", script(text % "-"), "--call", "f", "--expect", want).returncode == 0
    assert autoray("run", script(text % "+"), "--call", "f", "--expect", want).returncode == 4


def test_repeat_starts_from_the_loaded_inputs(script, tmp_path):
    out, times = tmp_path / "out.npz", tmp_path / "time.json"
    path = script("calls = []\ndef f(x):\n    calls.append(1)\n    x += 1\n    return x * 1.0 + 0 * len(calls)\n")
    np.save(tmp_path / "x.npy", np.zeros(2))
    done = autoray("run", path, "--call", "f", "--load", f"x={tmp_path / 'x.npy'}", "--repeat", 5, "--save", out, "--time", times)
    assert done.returncode == 0, done.stderr
    assert np.load(out)["return"].tolist() == [1, 1]
    timing = json.loads(times.read_text())
    assert sorted(timing) == ["compile_seconds", "runs", "seconds"] and timing["runs"] == 5 and timing["seconds"] >= 0
    assert json.loads(autoray("run", path, "--call", "f", "--load", "x=1", "--time", "-").stdout)["runs"] == 1


@pytest.mark.parametrize("backend, library", [("numpy", "autoray"), ("eigen", "Eigen")])
def test_explain_says_who_computed(script, backend, library):
    path = script("import numpy as np\nx = np.ones((4, 4))\nnp.sqrt(x)\nprint(np.sort(x)[0, 0])\n")
    done = autoray("run", path, "--explain", f"--backend={backend}")
    assert done.returncode == 0 and done.stdout == "1.0\n"
    lines = {line.split()[1]: line for line in done.stderr.splitlines() if line.startswith("explain:")}
    assert f"{backend}: {library}" in lines["sqrt"]
    # What eigen inherits is said to be numpy's.
    assert lines["sort"].endswith("(numpy)")
    entries = [json.loads(line) for line in autoray("run", path, "--explain", "--format=json", "--backend", backend).stderr.splitlines()]
    assert {"op", "operands", "backend", "library", "provider"} == set(entries[0])
    assert autoray("explain", path, f"--backend={backend}").stderr == done.stderr


def test_timeout(script):
    start = time.monotonic()
    done = autoray("run", script("print('begun')\nwhile True:\n    pass\n"), "--timeout", "0.3")
    assert done.returncode == 5 and "E0704" in done.stderr and done.stdout == "begun\n"
    assert time.monotonic() - start < 10
    assert autoray("run", script("print(1)\n"), "--timeout", "100").returncode == 0


@pytest.mark.parametrize("text", ["import numpy as np\nx = np.ones(10**7)\n", "import numpy as np\nx = np.ones(10**6)\ny = x + x\n"])
def test_max_memory(script, text):
    for limit in ("9000000", "9M", "9MB", "9MiB", "8788K"):
        done = autoray("run", script(text), "--max-memory", limit)
        assert done.returncode == 5 and "E0703" in done.stderr, limit
    assert autoray("run", script(text), "--max-memory", "1G").returncode == 0


# ---- statuses ----

def test_statuses(script):
    assert autoray("run", script("pass\n")).returncode == 0
    assert autoray("run", script("x = 1 / 0\n")).returncode == 1
    assert autoray("run", script("x = (\n")).returncode == 3
    assert autoray("run", script("import sys\nsys.exit(9)\n")).returncode == 9
    assert autoray("run", script("import sys\nsys.exit('bye')\n")).returncode == 1
    assert autoray("run", script("def f(): f()\nf()\n")).returncode == 5
    assert autoray("run", script("import sys\ndef f():\n    sys.exit(6)\n"), "--call", "f").returncode == 6
    assert autoray("run", "/nowhere/script.ar").returncode == 2
    assert autoray("run", "/").returncode == 2
    assert autoray("run", script(FUNCTIONS), "--call", "boom", "--load", "x=1").returncode == 1


@pytest.mark.parametrize("options", [
    ["--save", "out.npz"], ["--repeat", "2"], ["--expect", "x.npz"], ["--load", "x=1"], ["--time", "-"],  # without --call
    ["--call", "nope"], ["--call", "scale"], ["--call", "scale", "--load", "y=1"], ["--call", "scale", "--load", "x=(1,"],
    ["--call", "scale", "--load", "x=random:1:float64"], ["--call", "scale", "--load", "x=random:x:float64[2]"],
    ["--call", "scale", "--load", "x=random:1:float64[-2]"], ["--call", "scale", "--load", "x=lambda: 0"],
    ["--call", "scale", "--load", "x=a.npz"], ["--call", "scale", "--load", "x=1", "--repeat", "0"],
    ["--call", "scale", "--load", "x=1", "--repeat", "x"], ["--max-memory", "lots"], ["--max-memory", "1X"], ["--timeout", "soon"],
    ["--timeout", "-1"], ["--rtol", "x"], ["--call", "scale", "--rtol", "-1"], ["--nonsense"], ["--backend", "eigne"], ["extra"],
    ["--format=xml"]])
def test_usage_errors(script, options):
    done = autoray("run", script(FUNCTIONS), *options)
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" and "error" in done.stderr


@pytest.mark.parametrize("command, hint", [
    (["rnu", "x.ar"], "did you mean 'run'"), (["chekc"], "did you mean 'check'"), (["--verison"], "did you mean '--version'"),
    (["run", "SCRIPT", "--bakend=eigen"], "did you mean '--backend'"), (["run", "SCRIPT", "--backend=eign"], "did you mean 'eigen'"),
    (["run", "SCRIPT", "--call", "scael"], "did you mean 'scale'"),
    (["run", "SCRIPT", "--call", "scale", "--load", "factr=1"], "did you mean 'factor'"),
    (["ops", "tensordto"], "did you mean 'tensordot'"), (["ops", "absolut"], "did you mean 'absolute'"),
    (["backends", "nunpy"], "did you mean 'numpy'"), (["ops", "--formt=json"], "did you mean '--format'"),
    (["check", "--hepl"], "did you mean '--help'")])
def test_did_you_mean(script, command, hint):
    path = script(FUNCTIONS)
    done = autoray(*[path if part == "SCRIPT" else part for part in command])
    assert done.returncode == 2 and hint in done.stderr, done.stderr


@pytest.mark.parametrize("text, hint", [
    ("import numpy as np\nnp.tensordto(1)\n", "tensordot"), ("import numpy as np\nnp.sum([1], axs=0)\n", "axis"), ("foobar = 1\nfobar\n", "foobar"),
    ("import numpy as np\nnp.zeros(2, dtype='flaot64')\n", "float64"), ("import nunpy\n", "numpy"),
    ("import autoray as ar\nar.do('sqrtt', 1.0, like='numpy')\n", "sqrt"),
    ("import autoray as ar\nar.do('sqrt', 1.0, like='eigne')\n", "eigen"), ("prnt(1)\n", "print"), ("[].apend(1)\n", "append")])
def test_did_you_mean_in_scripts(script, text, hint):
    done = autoray("run", script(text))
    assert done.returncode == 1 and f"did you mean '{hint}'" in done.stderr.lower(), done.stderr


# ---- the other commands ----

def test_version_and_help():
    assert re.fullmatch(r"autoray \d+\.\d+\.\d+\n", autoray("--version").stdout)
    for command in [[], ["run"], ["graph"], ["compile"], ["bench"], ["check"], ["ops"], ["backends"], ["explain"], ["completion"]]:
        done = autoray(*command, "--help")
        assert done.returncode == 0 and done.stderr == "" and "examples:" in done.stdout, command
    assert autoray().returncode == 2
    text = autoray("run", "--help").stdout
    for option in "backend call load save expect rtol atol repeat time explain timeout max-memory format".split():
        assert f"--{option} " in text, option


def test_version_and_help_in_other_words():
    version = json.loads(autoray("--version", "--format=json").stdout)["version"]
    assert autoray("--version").stdout == f"autoray {version}\n"
    assert autoray("--version", "extra").returncode == 2
    assert autoray("help", "run").stdout == autoray("run", "--help").stdout
    done = autoray("help", "rnu")
    assert done.returncode == 2 and "did you mean 'run'" in done.stderr


def test_check(script):
    good, bad = script("x = 1\n", "good.ar"), script("x = (\n", "bad.ar")
    done = autoray("check", good)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = autoray("check", good, bad)
    assert done.returncode == 3 and f"{bad}:1:5: error[E0103]" in done.stderr
    rows = [json.loads(line) for line in autoray("check", good, bad, "--format=json").stdout.splitlines()]
    assert rows[0] == {"file": str(good), "ok": True} and rows[1]["code"] == "E0103" and rows[1]["column"] == 5
    assert autoray("check").returncode == 2
    assert autoray("check", "/nowhere").returncode == 2


def test_check_runs_nothing(script, tmp_path):
    assert autoray("check", script(f"open_ = 1\nprint('side effect')\nimport numpy as np\nnp.save('{tmp_path}/x.npy', 1)\n")).stdout == ""
    assert not (tmp_path / "x.npy").exists()


def test_ops_and_backends():
    ops = json.loads(autoray("ops", "--format=json").stdout)
    names = {op["name"] for op in ops}
    assert {"sqrt", "tensordot", "random.normal"} <= names
    assert all(set(op) == {"name", "signature", "class", "operands", "aliases"} for op in ops)
    assert autoray("ops", "sqrt").stdout.split()[1] == "sqrt(x,"
    assert autoray("ops", "absolute").stdout == autoray("ops", "abs").stdout
    backends = json.loads(autoray("backends", "--format=json").stdout)
    assert [b["name"] for b in backends] == [*BACKENDS, "autoray.lazy"]
    for b in backends:
        assert set(b["operations"]) == names
        assert b["own"] == sum(provider == b["name"] for provider in b["operations"].values())
    assert "inherited" in autoray("backends", "eigen").stdout


def test_explain_a_code():
    done = autoray("explain", "E0401")
    assert done.returncode == 0 and done.stdout.startswith("E0401: shapes do not fit")
    assert json.loads(autoray("explain", "e0401", "--format=json").stdout)["code"] == "e0401"
    assert json.loads(autoray("explain", "--format=json", "E0401").stdout)["code"] == "E0401"
    assert autoray("explain", "E0999").returncode == 2
    assert autoray("explain").returncode == 2
    # A script may have a name of five letters.
    assert autoray("explain", "exact").returncode == 2


@pytest.mark.parametrize("line, words", [
    ("co", "compile completion"), ("run --backe", "--backend"), ("run --backend ei", "eigen"), ("run --backend = ei", "eigen"),
    ("bench --se", "--seconds"), ("cache ", "ls verify clear"), ("ops tensord", "tensordot"), ("completion z", "zsh"),
    ("graph --format = j", "json"), ("run scri", "")])
def test_completion(line, words):
    done = subprocess.run(["bash", "--norc", "-c", 'source <("$1" completion bash); COMP_WORDS=("${@:1}"); COMP_CWORD=$(($# - 1)); '
                           '_autoray "$1"; echo "${COMPREPLY[*]}"', "bash", BINARY, *line.split(" ")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (words + "\n", "")


def test_completion_of_shells():
    for shell in ("bash", "zsh", "fish"):
        text = autoray("completion", shell).stdout
        names = re.findall(r"^  (\w+) ", autoray("--help").stdout.partition("--version")[0], re.M)
        assert " ".join(names) in text and "COMMANDS" not in text
    assert autoray("completion").returncode == 2
    done = autoray("completion", "bahs")
    assert done.returncode == 2 and "did you mean 'bash'" in done.stderr


def test_errors_as_json(script):
    done = autoray("run", script("def f(x):\n    return x[3]\nf([1])\n"), "--format=json")
    error = json.loads(done.stderr)
    assert done.returncode == 1 and error["code"] == "E0305" and error["line"] == 2
    assert [frame["function"] for frame in error["stack"]] == ["<module>", "f"]


def test_colour_is_for_terminals(script):
    path = script("x = (\n")
    assert "\x1b" not in autoray("run", path).stderr

    def on_a_terminal(**environment):
        main, terminal = os.openpty()
        subprocess.run([BINARY, "run", path], stderr=terminal, stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        os.close(terminal)
        text = os.read(main, 65536).decode()
        os.close(main)
        return text

    plain = {k: "" for k in ("NO_COLOR",)}
    assert "\x1b[1;31m" in on_a_terminal(**plain)
    assert "\x1b" not in on_a_terminal(NO_COLOR="1")


# ---- streams and files ----

@pytest.mark.parametrize("command", [["--version"], ["--help"], ["ops"], ["backends"], ["explain", "E0401"], ["run", "SCRIPT"],
                                     ["run", "--help"], ["check", "--format=json", "SCRIPT"]])
def test_output_that_does_not_arrive(script, command):
    command = [script("print('x' * 10)\n") if part == "SCRIPT" else part for part in command]
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, *command], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "cannot write to standard output: No space left on device" in done.stderr
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", BINARY, *command], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "cannot write to standard output" in done.stderr


def test_a_reader_that_goes_away(script):
    path = script("for i in range(10**6):\n    print(i)\n")
    child = subprocess.Popen([BINARY, "run", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"0\n"
    child.stdout.close()
    assert child.wait(60) in (-signal.SIGPIPE, 1)


def test_a_failed_save_leaves_the_old_file(script, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    out = folder / "out.npz"
    assert autoray("run", script(FUNCTIONS), "--call", "ints", "--load", "n=1", "--save", out).returncode == 0
    before = out.read_bytes()
    # No space: a file size limit stops the writing halfway.
    big = script("import numpy as np\ndef f():\n    return np.ones(10**6)\n", "big.ar")
    done = subprocess.run(["sh", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "sh", BINARY, "run", big, "--call", "f", "--save", out],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "File too large" in done.stderr, done.stderr
    assert out.read_bytes() == before and os.listdir(folder) == ["out.npz"]
    # A call that fails writes nothing.
    assert autoray("run", script(FUNCTIONS), "--call", "boom", "--load", "x=1", "--save", out).returncode == 1
    assert out.read_bytes() == before and os.listdir(folder) == ["out.npz"]


@pytest.mark.parametrize("option", ["--save", "--time"])
def test_outputs_that_cannot_be_written(script, tmp_path, option):
    for target in ("/nowhere/out", str(tmp_path), "/dev/full"):
        done = autoray("run", script(FUNCTIONS), "--call", "ints", "--load", "n=1", option, target)
        assert done.returncode == 1 and "error" in done.stderr, (target, done.stderr)
    assert os.path.exists("/dev/full")


def test_save_to_standard_output(script, tmp_path):
    done = autoray("run", script(FUNCTIONS), "--call", "ints", "--load", "n=1", "--save", "-", text=False)
    assert done.returncode == 0, done.stderr
    assert np.load(io.BytesIO(done.stdout))["return"] == 2


# ---- Ctrl-C ----

BUSY = {
    "loop": "while True:\n    pass\n",
    "calls": "def f(n):\n    return n\nwhile True:\n    f(1)\n",
    "comprehension": "x = [i for i in range(10**12) if i < 0]\n",
    "sum": "sum(range(10**12))\n",
    "elementwise": "import numpy as np\nx = np.ones(4 * 10**6)\nwhile True:\n    x = np.sin(x)\n",
    "one elementwise": "import numpy as np\nx = np.zeros((1, 40000)) + np.zeros((20000, 1)) ** np.zeros((1, 40000))\n",
    "matmul": "import numpy as np\nx = np.ones((9000, 9000))\ny = x @ x\ny = x @ x\n",
    "sort": "import numpy as np\nx = np.random.default_rng(0).random(6 * 10**7)\nx.sort()\nx = np.argsort(x[::-1])\n",
    "draws": "import numpy as np\nx = np.random.default_rng(0).standard_normal(10**9)\n",
    "big integers": "x = 3 ** 2000000\nwhile True:\n    x = x * x % (10 ** 600000)\n",
    "sorted": "x = sorted(range(5 * 10**6, 0, -1), key=lambda v: -v)\nwhile True:\n    x = sorted(x, key=lambda v: -v)\n",
    "finally": "try:\n    while True:\n        pass\nfinally:\n    print('finally')\n",
    # One kernel each, of 4 * 10^10 points.
    **{f"native {what}": "import numpy as np\nfrom autoray import autojit\nf = autojit(lambda x: "
       f"np.{what})\nf(np.zeros(200000))\n"
       for what in ("sum(np.sqrt(np.broadcast_to(x[0], 4 * 10**10)))", "max(np.sqrt(np.broadcast_to(x[0], 4 * 10**10)))", "sum(np.sqrt(x + x[:, None]), axis=0)",
                    "max(np.sqrt(x + x[:, None]), axis=0)", "sum(np.sqrt(x + x[:, None]), axis=1)")},
}


@pytest.mark.parametrize("what", BUSY)
def test_interrupt(script, what):
    path = script("import sys\nprint('begun')\nsys.stdout.flush()\n" + BUSY[what])
    child = subprocess.Popen([BINARY, "run", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    time.sleep(1.0)
    assert child.poll() is None, f"the script is not busy: {child.stderr.read()}"
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, error = child.communicate(timeout=60)
    seconds = time.monotonic() - start
    assert child.returncode == 130 and "E0705" in error, error
    # Freeing gigabytes and a loaded machine take their time; the stop itself is bounded by a second.
    assert seconds < (10 if SANITIZED else 2.5)
    assert ("finally" in out) == (what == "finally")


def test_a_script_may_catch_the_interrupt(script):
    path = script("import sys\nprint('begun')\nsys.stdout.flush()\ntry:\n    while True:\n        pass\n"
                  "except KeyboardInterrupt:\n    print('caught')\n")
    child = subprocess.Popen([BINARY, "run", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60)[0] == "caught\n" and child.returncode == 0


@pytest.mark.parametrize("text", ["import numpy as np\nx = np.ones((9000, 9000))\nx = x @ x\nx = x @ x\n",
                                  "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n",
                                  "try:\n    while True:\n        pass\nfinally:\n    while True:\n        pass\n"])
def test_timeout_holds_everywhere(script, text):
    start = time.monotonic()
    done = autoray("run", script(text), "--timeout", "0.5")
    assert done.returncode == 5 and "E0704" in done.stderr
    assert time.monotonic() - start < (20 if SANITIZED else 4)
