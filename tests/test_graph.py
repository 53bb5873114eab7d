"""`autoray graph` and plot(): every format of every example, golden texts, the same bytes twice, bad input.

AUTORAY_REGENERATE=1 writes the golden texts anew: read them before you commit them.
"""
import ast
import collections
import json
import os
import re
import xml.etree.ElementTree

import pytest

from conftest import ROOT, autoray

GOLDEN = ROOT / "tests/golden/graphs"
FORMATS = ("txt", "dot", "svg", "html", "json")
# A function of each example that needs no values, and what it is called with.
EXAMPLES = {
    "gram_schmidt": ("modified_gram_schmidt", "X=float64[5,5]"),
    "heat": ("simulate", "u=float64[9,9]", "r=0.2", "steps=3"),
    "kmeans": ("inertia", "points=float64[240,2]", "centres=float64[3,2]", "label=int64[240]"),
    "logistic_regression": ("gradient", "w=float64[6]", "X=float64[400,6]", "y=float64[400]", "penalty=1e-3"),
    "mandelbrot": ("escape_times", "c=complex128[27,70]", "limit=5"),
    "nbody": ("simulate", "x=float64[5,3]", "v=float64[5,3]", "dt=0.002", "steps=2"),
    "pagerank": ("follow", "M=float64[7,7]", "rank=float64[7]", "damping=0.85"),
    "tensor_network": ("overlap", "bra=[complex128[1,2,2], complex128[2,2,2], complex128[2,2,1]]",
                       "ket=[complex128[1,2,2], complex128[2,2,2], complex128[2,2,1]]"),
}


def arguments(name):
    function, *values = EXAMPLES[name]
    return ["graph", f"examples/{name}.ar", "--call", function, *(part for v in values for part in ("--arg", v))]


def graph(*args, status=0, **kwargs):
    done = autoray(*args, cwd=kwargs.pop("cwd", ROOT), **kwargs)
    assert done.returncode == status, done.stderr
    return done


def write(tmp_path, text, name="script.ar"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_every_example_is_here():
    assert set(EXAMPLES) == {p.stem for p in (ROOT / "examples").glob("*.ar")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_format_twice(name, tmp_path):
    outputs = [tmp_path / f"{run}.{ending}" for run in (1, 2) for ending in FORMATS]
    for run in (outputs[:len(FORMATS)], outputs[len(FORMATS):]):
        graph(*arguments(name), *(part for path in run for part in ("-o", path)))
    for ending in FORMATS:
        first, second = ((tmp_path / f"{run}.{ending}").read_bytes() for run in (1, 2))
        assert first == second and len(first) > 100, ending
    data = json.loads((tmp_path / "1.json").read_text())
    assert data["format"] == "autoray graph" and data["version"] == 1
    assert data["totals"]["nodes"] == len(data["nodes"]) > 2
    for i, node in enumerate(data["nodes"]):
        assert all(0 <= k < i for k in node["inputs"]), "inputs stand before their users"
        assert all(0 <= s < len(data["stacks"]) for s in node["stacks"])
        assert node["kind"] != "call" or node["stacks"], f"{node['name']} has no line"
    assert data["totals"]["flops"] == sum(n["flops"] for n in data["nodes"])
    assert data["totals"]["peak_bytes"] >= max(n["live"] for n in data["nodes"])
    assert data["results"] and all(r < len(data["nodes"]) for r in data["results"])
    # Each line of a stack is one of the file's.
    for stack in data["stacks"]:
        assert 1 <= stack["line"] <= data["files"][stack["file"]]["text"].count("\n") + 1
        assert stack.get("caller") != data["stacks"].index(stack)
        text = "".join(data["files"][stack["file"]]["text"].splitlines(True)[stack["line"] - 1:])[stack["column"] - 1:]
        ast.parse("(" + text[:stack["length"]] + ")" if "=" not in text[:stack["length"]] else text[:stack["length"]])
    root = xml.etree.ElementTree.fromstring((tmp_path / "1.svg").read_text())
    assert len([g for g in root.iter("{http://www.w3.org/2000/svg}g")]) == 1 + len(data["nodes"])
    dot = (tmp_path / "1.dot").read_text()
    assert dot.count(" -> ") == sum(len(n["inputs"]) for n in data["nodes"])
    page = (tmp_path / "1.html").read_text()
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:)|https?://(?!www\.w3\.org)""", page.split('<script id="data"')[0])


@pytest.mark.parametrize("ending", ("txt", "dot", "json"))
@pytest.mark.parametrize("name", ("gram_schmidt", "heat", "tensor_network"))
def test_golden(name, ending):
    got = graph(*arguments(name), "--format", ending).stdout
    path = GOLDEN / f"{name}.{ending}"
    if os.environ.get("AUTORAY_REGENERATE"):
        path.write_text(got)
    assert got == path.read_text()


@pytest.mark.parametrize("name", EXAMPLES)
def test_statistics(name):
    table = graph(*arguments(name), "--stats").stdout
    data = json.loads(graph(*arguments(name), "--stats", "--format=json").stdout)
    assert f"{data['totals']['nodes']:,}" in table and "peak memory" in table and "most expensive" in table
    assert sum(row["nodes"] for row in data["operations"]) == data["totals"]["nodes"]
    assert [n["flops"] for n in data["expensive"]] == sorted((n["flops"] for n in data["expensive"]), reverse=True)


def test_the_reference_counts():
    nodes = json.loads(graph(*arguments("gram_schmidt"), "--format=json").stdout)["nodes"]
    assert collections.Counter(n["op"] for n in nodes) == {"stack": 1, "truediv": 5, "norm": 5, "sub": 10, "mul": 10, "getitem": 5,
                                                           "None": 1, "tensordot": 10, "conjugate": 10}
    shared = json.loads(graph(*arguments("gram_schmidt"), "--format=json", "--shared").stdout)["nodes"]
    assert len(shared) == 51
    after = json.loads(graph(*arguments("gram_schmidt"), "--format=json", "--passes").stdout)
    assert after["stage"] == "after passes"
    assert "conjugate" not in {n["op"] for n in after["nodes"]}


def test_figures_are_exact():
    """A product of matrices and a sum, by hand."""
    text = "import numpy as np\ndef f(a, b):\n    return (a @ b).sum()\n"
    data = json.loads(graph("graph", "-", "--call", "f", "--arg", "a=float32[20,30]", "--arg", "b=float32[30,40]", "--format=json",
                            input=text, stdin=None).stdout)
    a, b, product, total = (next(n for n in data["nodes"] if n["name"] == name) for name in ("a", "b", "matmul", "sum"))
    assert (a["bytes"], b["bytes"], product["bytes"], total["bytes"]) == (2400, 4800, 3200, 4)
    assert product["flops"] in (2 * 20 * 30 * 40, 20 * (2 * 30 - 1) * 40)
    assert data["totals"]["peak_bytes"] == 2400 + 4800 + 3200 + 4
    assert [n["live"] for n in data["nodes"][2:]] == [2400 + 4800 + 3200, 2400 + 4800 + 4]
    assert data["stacks"][total["stacks"][0]]["line"] == 3


def test_prints_go_to_standard_error():
    done = graph("graph", "-", "--call", "f", "--arg", "x=float64[3]", input="print('module')\ndef f(x):\n    print('f', x.shape)\n    return x + 1\n",
                 stdin=None)
    assert done.stderr == "module\nf (3,)\n"
    assert done.stdout.endswith("# float64[3], 3 FLOPs, line 4, result\n")


def test_rows_iterate_in_a_traced_function():
    done = graph("graph", "-", "--call", "f", "--arg", "x=float64[3,2]", "--format=json",
                 input="def f(x):\n    total = 0.0\n    for row in x:\n        total = total + row\n    return total\n", stdin=None)
    assert collections.Counter(n["op"] for n in json.loads(done.stdout)["nodes"]) == {"None": 1, "getitem": 3, "add": 3}


def test_what_is_written_in_place_is_a_result():
    data = json.loads(graph("graph", "-", "--call", "f", "--arg", "x=float64[4]", "--format=json", input="def f(x):\n    x[1:] = 0.0\n",
                            stdin=None).stdout)
    assert data["nodes"][data["results"][0]]["op"] == "setitem"


def test_module_without_call():
    text = "from autoray import lazy\nimport numpy as np\nx = lazy.array(np.ones(3))\ny = x + 1\nz = [y * 2]\ndef f(q):\n    return q\n"
    data = json.loads(graph("graph", "-", "--format=json", input=text, stdin=None).stdout)
    assert [n["name"] for n in data["nodes"]] == ["x", "y", "mul"]
    done = graph("graph", "-", input="def f(q):\n    return q\n", stdin=None, status=2)
    assert "no global variable" in done.stderr and "--call FN traces a function: f" in done.stderr


def test_empty_and_one_node(tmp_path):
    for body, nodes in (("return 2.0", 0), ("return x", 1)):
        script = write(tmp_path, f"def f(x):\n    {body}\n")
        for ending in FORMATS:
            path = tmp_path / f"g.{ending}"
            graph("graph", script, "--call", "f", "--arg", "x=float64[3]", "-o", path)
            if ending == "json":
                assert len(json.loads(path.read_text())["nodes"]) == nodes
            if ending == "svg":
                assert ("nothing was recorded" in path.read_text()) == (nodes == 0)
        graph("graph", script, "--call", "f", "--arg", "x=float64[3]", "--stats")


def test_large_graph(tmp_path):
    """Past what a drawing can hold: whole as DOT and JSON, by lines with a notice as SVG and as a page."""
    script = write(tmp_path, "def f(x, n):\n    for k in range(n):\n        x = x + k\n    return x\n")
    paths = [tmp_path / f"g.{ending}" for ending in FORMATS]
    graph("graph", script, "--call", "f", "--arg", "x=float64[3]", "--arg", "n=100000", *(part for p in paths for part in ("-o", p)))
    text, dot, svg, page, data = (p.read_text() for p in paths)
    assert text.count("\n") == 100002 and dot.count(" -> ") == 100000 and len(json.loads(data)["nodes"]) == 100001
    assert "drawn by source lines" in svg and len(svg) < 10000
    assert "this page shows groups alone" in page and len(page) < 300000


@pytest.mark.parametrize("args, what", [
    (["--call", "g", "--arg", "x=float64[3]"], "has no function 'g'"),
    (["--call", "f"], "'f' needs 'x'"),
    (["--call", "f", "--arg", "x"], "--arg takes NAME=VALUE"),
    (["--call", "f", "--arg", "y=float64[3]"], "has no parameter 'y'"),
    (["--call", "f", "--arg", "x=float64[3]", "--arg", "x=float64[3]"], "gives 'x' twice"),
    (["--call", "f", "--arg", "x=float65[3]"], "float65"),
    (["--call", "f", "--arg", "x=float64[-3]"], "--arg x:"),
    (["--call", "f", "--arg", "x=float64[3"], "--arg x:"),
    (["--call", "f", "--arg", "x=__import__('os')"], "--arg x:"),
    (["--arg", "x=float64[3]"], "--arg needs --call"),
    (["--call", "f", "--arg", "x=float64[3]", "-o", "graph.png"], "does not say which format"),
    (["--call", "f", "--arg", "x=float64[3]", "--format=svgg"], "did you mean 'svg'?"),
    (["--call", "f", "--arg", "x=float64[3]", "--colour=flop"], "did you mean 'flops'?"),
    (["--call", "f", "--arg", "x=float64[3]", "--sharde"], "--shared"),
    (["--call", "f", "--arg", "x=float64[3]", "--stats", "--format=dot"], "--stats is a table"),
])
def test_usage_errors(tmp_path, args, what):
    script = write(tmp_path, "def f(x):\n    return x + 1\n")
    done = graph("graph", script, *args, status=2, cwd=tmp_path)
    assert what in done.stderr and done.stdout == ""


def test_errors_of_the_function(tmp_path):
    script = write(tmp_path, "import numpy as np\ndef f(x):\n    if x.sum() > 0:\n        return x\n    return -x\n")
    done = graph("graph", script, "--call", "f", "--arg", "x=float64[3]", status=1)
    assert "error[E0405]" in done.stderr and "script.ar:3:8" in done.stderr
    script = write(tmp_path, "def f(a, b):\n    return a + b\n")
    done = graph("graph", script, "--call", "f", "--arg", "a=float64[3]", "--arg", "b=float64[4]", status=1)
    assert "operands could not be broadcast together" in done.stderr
    graph("graph", write(tmp_path, "def f(:\n"), status=3)
    graph("graph", "missing.ar", status=2)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    script = write(tmp_path, "def f(x):\n    return x + 1\n")
    old = tmp_path / "there" / "g.svg"
    done = graph("graph", script, "--call", "f", "--arg", "x=float64[3]", "-o", old, status=1)
    assert "error[E0601]" in done.stderr
    full = graph("graph", script, "--call", "f", "--arg", "x=float64[3]", "-o", "/dev/full", "--format=svg", status=1)
    assert "No space left" in full.stderr
    old.parent.mkdir()
    old.write_text("old")
    bad = write(tmp_path, "def f(x):\n    return x + nothing\n")
    graph("graph", bad, "--call", "f", "--arg", "x=float64[3]", "-o", old, status=1)
    assert old.read_text() == "old" and [p.name for p in old.parent.iterdir()] == ["g.svg"]


# ---- plots of scripts ----

PLOTS = """\
from autoray import lazy
import numpy as np
x = lazy.array(np.ones((3, 4)))
y = (x * 2 + 1).sum(axis=0)
"""


def run_plot(tmp_path, line, status=0):
    script = write(tmp_path, PLOTS + line + "\n", "plots.ar")
    done = autoray("run", script, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    return done


def test_plot_writes_every_format(tmp_path):
    run_plot(tmp_path, "\n".join(f"y.plot('g.{ending}')" for ending in FORMATS) + "\nprint(y.plot('h.svg', color_by='flops', show_labels=False))")
    for ending in FORMATS:
        assert (tmp_path / f"g.{ending}").stat().st_size > 100
    root = xml.etree.ElementTree.fromstring((tmp_path / "g.svg").read_text())
    assert any(e.text == "sum" for e in root.iter("{http://www.w3.org/2000/svg}text"))
    assert (tmp_path / "h.svg").read_text() != (tmp_path / "g.svg").read_text()


def test_plot_prints_without_a_file(tmp_path):
    done = run_plot(tmp_path, "y.plot()")
    assert done.stdout.startswith("# y: 4 nodes") and "multiply(x, 2)" in done.stdout


def test_plot_of_the_same_graph_as_the_command(tmp_path):
    run_plot(tmp_path, "y.plot('g.json')")
    data = json.loads((tmp_path / "g.json").read_text())
    assert [n["name"] for n in data["nodes"]] == ["x", "mul", "add", "y"]
    assert data["files"][0]["text"].startswith("from autoray import lazy")


def test_colours_of_plots(tmp_path):
    run_plot(tmp_path, "y.plot('g.dot', colors={'sum': (1.0, 0.0, 0.0), 'mul': '#123456'})")
    dot = (tmp_path / "g.dot").read_text()
    assert "#ff0000" in dot and "#123456" in dot


@pytest.mark.parametrize("line", [
    "y.plot_graph('c.svg')", "y.plot_circuit('c.svg')", "y.plot_history_size_footprint('c.svg', log=2)",
    "y.plot_history_functions('c.svg')", "y.plot_history_functions('c.svg', fn=lambda n: n.size, kind='lines')",
    "y.plot_history_functions_scatter('c.svg')", "y.plot_history_functions_lines('c.svg')", "y.plot_history_functions_image('c.svg')",
    "y.plot_history_stats('c.svg')", "y.plot_history_stats('c.svg', fn=lambda n: n.ndim)", "y.plot_history_stats_counts('c.svg')",
    "y.plot_history_stats_sizein('c.svg', colors={'mul': 'teal'})"])
def test_charts(tmp_path, line):
    run_plot(tmp_path, line)
    xml.etree.ElementTree.fromstring((tmp_path / "c.svg").read_text())


@pytest.mark.parametrize("line, what", [
    ("y.plot('g.png')", "ValueError: 'g.png' is no format of pictures"),
    ("y.plot('g.svg', color_by='colour')", "ValueError: color_by must be"),
    ("y.plot('g.svg', figsize=(3, 3))", "TypeError: 'figsize' is an invalid keyword argument for plot()"),
    ("y.plot('missing/g.svg')", "FileNotFoundError"),
    ("y.plot_history_stats()", "TypeError: plot_history_stats() needs a file"),
    ("y.plot_history_stats('g.html')", "ValueError: charts are SVG"),
    ("y.plot_history_functions('c.svg', kind='pie')", "ValueError: kind must be"),
    ("y.plot('g.svg', colors={'mul': 3})", "ValueError: a colour is"),
])
def test_bad_plots(tmp_path, line, what):
    assert what in run_plot(tmp_path, line, status=1).stderr
