"""The programs of tests/lang and examples, on every native backend, against CPython and against their own comments.

    # expect: TEXT                one line of standard output (all of them together are the whole output)
    # expect error E0123 at 2:7   found before anything runs, there
    # expect error: TypeError     the script ends with that exception
    # oracle: cpython             CPython + numpy + autoray print the same (`numpy` and `math` say what the program is about)
    # exact                       text for text on the numpy backend; otherwise numbers in the text by tolerance
    # backends: numpy             only there
    # call: main                  main()'s result, saved with --save, equals the oracle's too
"""
import pathlib
import re
import shlex

import numpy
import pytest

import compare
import oracle
from conftest import BACKENDS, BINARY, ROOT, autoray

# A neighbour that another program imports (helper_*.ar) is no program.
PROGRAMS = [p for p in sorted([*ROOT.glob("tests/lang/**/*.ar"), *ROOT.glob("examples/*.ar")])
            if not p.name.startswith("helper")]


class Expectations:
    def __init__(self, path):
        text = path.read_text()
        self.lines = re.findall(r"^# expect: ?(.*)$", text, re.M)
        self.code = re.search(r"^# expect error (E\d{4})(?: at (\d+):(\d+))?$", text, re.M)
        self.exception = re.search(r"^# expect error: (\w+)$", text, re.M)
        self.oracle = re.search(r"^# oracle: (cpython|numpy|math)$", text, re.M)
        self.exact = re.search(r"^# exact$", text, re.M)
        self.call = re.search(r"^# call: (\w+)$", text, re.M)
        only = re.search(r"^# backends: (.*)$", text, re.M)
        self.backends = only[1].split() if only else BACKENDS


def cases():
    for path in PROGRAMS:
        for backend in Expectations(path).backends:
            yield pytest.param(path, backend, id=f"{path.relative_to(ROOT)}-{backend}")


@pytest.fixture(scope="session")
def answers():
    wanted = [p for p in PROGRAMS if Expectations(p).oracle]
    return oracle.answers(wanted, ROOT / "build/oracle")


def same_values(ours, theirs):
    problems = []
    if sorted(ours) != sorted(theirs):
        problems.append(f"names: ours {sorted(ours)}, expected {sorted(theirs)}")
    for name in set(ours) & set(theirs):
        a, b = ours[name], theirs[name]
        if a.dtype != b.dtype or a.shape != b.shape:
            problems.append(f"{name}: ours {a.dtype}{a.shape}, expected {b.dtype}{b.shape}")
        elif a.dtype.kind in "fc":
            single = a.dtype.itemsize <= (4 if a.dtype.kind == "f" else 8)
            rtol, atol = (1e-5, 1e-6) if single else (1e-9, 1e-12)
            if not numpy.allclose(a, b, rtol, atol, equal_nan=True):
                problems.append(f"{name}: largest difference {numpy.nanmax(abs(a - b))}")
        elif not numpy.array_equal(a, b):
            problems.append(f"{name}: values differ")
    return problems


@pytest.mark.parametrize("path, backend", list(cases()))
def test_program(path, backend, answers, tmp_path):
    want = Expectations(path)
    assert want.lines or want.code or want.exception or want.oracle, "the program expects nothing"
    command = ["run", path, f"--backend={backend}"]
    saved = tmp_path / "out.npz"
    if want.call:
        command += ["--call", want.call[1], "--save", saved]
    done = autoray(*command)
    repeat = f"\nrepeat: {shlex.join([str(BINARY), *map(str, command)])}\nstderr: {done.stderr[-2000:]}"

    if want.code:
        assert done.returncode in (1, 3), repeat
        assert f"error[{want.code[1]}]" in done.stderr, repeat
        if want.code[2]:
            assert f":{want.code[2]}:{want.code[3]}:" in done.stderr, f"not at {want.code[2]}:{want.code[3]}" + repeat
        return
    answer = answers.get(path)
    if answer and answer["error"]:
        assert want.exception, f"the oracle itself raised {answer['error']}"
    if want.exception:
        if answer:
            assert answer["error"] and answer["error"]["class"] == want.exception[1], f"the oracle says {answer['error']}"
        status = 5 if want.exception[1] in ("RecursionError", "MemoryError") else 1  # a limit
        assert done.returncode == status, f"status {done.returncode}, expected {status}" + repeat
        assert want.exception[1] in done.stderr, f"no {want.exception[1]}" + repeat
    else:
        assert done.returncode == 0, f"status {done.returncode}" + repeat

    expected = [answer["stdout"]] if answer else []
    if want.lines:
        expected.append("".join(line + "\n" for line in want.lines))
    for text in expected:
        same = done.stdout == text if want.exact and backend == "numpy" else compare.same_text(done.stdout, text)
        assert same, "\n" + (compare.difference(done.stdout, text) or f"{done.stdout!r}\n{text!r}") + repeat
    if want.call:
        key = oracle.cache_key(path)
        ours, theirs = dict(numpy.load(saved)), dict(numpy.load(ROOT / f"build/oracle/{key}.npz"))
        problems = same_values(ours, theirs)
        assert not problems, "\n".join(problems) + repeat


def test_there_are_enough_programs():
    assert len([p for p in PROGRAMS if "lang" in p.parts]) >= 120
    assert {p.stem for p in PROGRAMS if "examples" in p.parts} >= {
        "gram_schmidt", "pagerank", "kmeans", "heat", "nbody", "logistic_regression", "tensor_network", "mandelbrot"}
