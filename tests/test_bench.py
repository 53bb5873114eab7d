"""autoray bench: what it tells of a function on each executor. Its figures are looked at for their order alone."""
import json
import re
import xml.etree.ElementTree

import numpy as np
import pytest

from conftest import autoray

FUNCTIONS = """\
import numpy as np
print('loading')
calls = []
def double(x, factor=2.0):
    return x * factor
def branch(x):
    if x.sum() > 0:
        return x
    return -x
def talk(x):
    print('hello')
    return x + 1
def grow(x, n=3):
    for _ in range(n):
        x += 1
    assert x.max() == n if isinstance(x, np.ndarray) else True
    return x
def both(a, b):
    return a + b
def ends(x):
    return x[9]
def count(x):
    calls.append(1)
    return len(calls)
"""


@pytest.fixture
def bench(tmp_path):
    path = tmp_path / "script.ar"
    path.write_text(FUNCTIONS)

    def bench(*arguments):
        return autoray("bench", path, *arguments, *(() if {"--repeat", "--seconds"} & set(arguments) else ("--seconds", "0.01")))
    return bench


def results(done):
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["script"] == "script.ar" and document["backend"] == "numpy"
    return {(row.pop("function"), row.pop("executor")): row for row in document["results"]}


def test_three_executors(bench):
    done = bench("--call", "double", "--load", "x=random:1:float64[1000]", "--format=json")
    rows = results(done)
    assert list(rows) == [("double", "eager"), ("double", "plan"), ("double", "native")]
    for (_, executor), row in rows.items():
        assert set(row) == {"seconds", "lower_quartile", "upper_quartile", "least", "runs", "compile_seconds", "ratio", "note"}
        assert 0 < row["least"] <= row["lower_quartile"] <= row["seconds"] <= row["upper_quartile"] < 1
        assert row["runs"] >= 10 and (row["compile_seconds"] == 0) == (executor == "eager")
        assert row["ratio"] == pytest.approx(row["seconds"] / rows["double", "eager"]["seconds"], rel=1e-6)
    assert "kernel" in rows["double", "native"]["note"]
    # What the script prints is no data.
    assert done.stderr == "loading\n"


def test_the_table(bench):
    done = bench("--call", "double", "--call", "branch", "--arg", "x=float64[3]")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["function", "executor", "median", "25", "%", "75", "%", "calls", "compile", "ratio"]
    assert [line[:6].strip() for line in lines[1:]] == ["double", "", "", "branch", "", ""]
    assert all(re.search(r"\d (ns|us|ms|s)  ", line) for line in lines[1:5])
    # A branch on data is refused, with the line, and the others are timed all the same.
    for line in lines[5:]:
        assert "refused: TypeError: the truth value of a lazy array" in line and line.endswith("(line 7)")


def test_repeat(bench):
    done = bench("--call", "double", "--arg", "x=float32[4]", "--repeat", "7", "--format=json")
    assert [row["runs"] for row in results(done).values()] == [7, 7, 7]


def test_inputs_are_as_they_were_given(bench, tmp_path):
    # `grow` writes its argument and asserts, eagerly, where it began.
    np.save(tmp_path / "zeros.npy", np.zeros(2))
    rows = results(bench("--call", "grow", "--load", f"x={tmp_path / 'zeros.npy'}", "--arg", "n=2", "--format=json"))
    assert rows["grow", "eager"]["runs"] > 10


def test_functions_take_the_arguments_that_they_have(bench, tmp_path):
    np.savez(tmp_path / "in.npz", a=np.ones(2), b=np.ones(2), x=np.ones(3), unrelated=np.zeros(1))
    rows = results(bench("--call", "both", "--call", "double", "--load", tmp_path / "in.npz", "--format=json"))
    assert len(rows) == 6 and not any("refused" in row for row in rows.values())


def test_what_a_function_prints_is_seen_once(bench):
    done = bench("--call", "talk", "--arg", "x=float64[3]", "--format=json")
    rows = results(done)
    assert done.stderr == "loading\nhello\nhello\n"  # the calls that warm up
    assert {e: row.get("refused") for (_, e), row in rows.items()} == {
        "eager": None, "plan": "a traced function prints", "native": "a traced function prints"}


def test_a_function_that_the_script_compiles(tmp_path):
    path = tmp_path / "script.ar"
    path.write_text("from autoray import autojit\n@autojit\ndef f(x):\n    return (x * 2 + 1).sum()\n")
    rows = results(autoray("bench", path, "--call", "f", "--arg", "x=float64[8]", "--repeat", "3", "--format=json"))
    assert rows["f", "eager"]["note"] == "" and rows["f", "eager"]["compile_seconds"] == 0
    assert "kernel" in rows["f", "native"]["note"]


def test_standard_input():
    done = autoray("bench", "-", "--call", "f", "--arg", "x=float64[3]", "--repeat", "3", input="def f(x):\n    return x + 1\n", stdin=None)
    assert done.returncode == 0 and "native" in done.stdout


def test_the_plot(bench, tmp_path):
    plot = tmp_path / "plot.svg"
    done = bench("--call", "double", "--call", "branch", "--arg", "x=float64[3]", "-o", plot)
    assert done.returncode == 0 and done.stdout.startswith("function"), done.stderr
    root = xml.etree.ElementTree.fromstring(plot.read_text())
    texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"double", "branch", "eager", "plan", "native"} <= set(texts)
    assert sum(t.startswith("refused: ") for t in texts) == 2
    # The ground, and a bar for each that ran.
    assert len(list(root.iter("{http://www.w3.org/2000/svg}rect"))) == 1 + 4
    done = bench("--call", "double", "--arg", "x=float64[3]", "-o", "-")
    assert done.returncode == 0 and done.stdout.startswith("<svg")


def test_statuses(bench, tmp_path):
    one = ("--call", "double", "--arg", "x=float64[3]")
    # What fails eagerly is the script's error.
    done = bench("--call", "ends", "--arg", "x=float64[3]")
    assert done.returncode == 1 and "IndexError" in done.stderr and done.stdout == ""
    done = bench("--call", "ends", "--arg", "x=float64[3]", "--format=json")
    assert done.returncode == 1 and json.loads(done.stderr.partition("\n")[2])["line"] == 21
    assert bench(*one, "-o", "/nowhere/plot.svg").returncode == 1
    assert autoray("bench", "-", "--call", "f", input="x = (\n", stdin=None).returncode == 3
    assert autoray("bench", "-", "--call", "f", "--timeout", "0.3", stdin=None,
                   input="def f():\n    while True:\n        pass\n").returncode == 5
    assert autoray("bench", "/nowhere/script.ar", "--call", "f").returncode == 2


@pytest.mark.parametrize("options, hint", [
    ([], "--call"), (["--call", "duoble"], "did you mean 'double'"), (["--call", "double"], "--load x=..."),
    (["--call", "double", "--call", "double", "--arg", "x=1"], "twice"),
    (["--call", "double", "--arg", "x=1", "--arg", "factr=2"], "did you mean 'factor'"),
    (["--call", "double", "--load", "x=1", "--arg", "x=2"], "twice"), (["--call", "double", "--arg", "x=int64[3]"], "float64"),
    (["--call", "double", "--arg", "x=1", "-o", "plot.png"], ".svg"), (["--call", "double", "--arg", "x=1", "--format=xml"], "json"),
    (["--call", "double", "--arg", "x=1", "--repeat", "0"], "--repeat"), (["--call", "double", "--arg", "x=1", "--repet=2"], "'--repeat'"),
    (["--call", "double", "--arg", "x=1", "--seconds", "-1"], "positive"), (["--call", "double", "--load", "x=a.npz"], "archive")])
def test_usage_errors(bench, options, hint):
    done = bench(*options)
    assert done.returncode == 2 and done.stdout == "" and hint in done.stderr, done.stderr
