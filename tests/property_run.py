"""Runs generated expressions under CPython + numpy and under the program, each side in one process, and compares the results.

Both sides run the same script. Each expression is a case; its result is described on a line (array, numpy scalar, Python
value, sequence of these, or the exception's class) and its numbers go into one flat array a dtype, saved at the end.
"""
import dataclasses
import sys

import numpy

import both
from property_rules import difference

PRELUDE = '''
import sys
import numpy as np

DATA = np.load(sys.argv[1])
PARTS = {}


def describe(r):
    if isinstance(r, np.ndarray) or isinstance(r, np.generic):
        if r.dtype.kind not in "biufc":
            print("O")
            return
        name = str(r.dtype)
        print("A" if isinstance(r, np.ndarray) else "S", name, *r.shape)
        PARTS.setdefault(name, []).append(np.array(r).reshape(-1))
    elif isinstance(r, (tuple, list)):
        print("T", "tuple" if isinstance(r, tuple) else "list", len(r))
        for item in r:
            describe(item)
    elif r is None or isinstance(r, (bool, int, float, complex, str)):
        print("P", type(r).__name__, repr(r))
    else:
        print("P", "other", str(r))


def case(number, function):
    try:
        r = function()
        print(number)
        describe(r)
    except Exception as error:
        print(number)
        print("E", type(error).__name__, str(error).split(chr(10))[0])


def filled(function, out):
    """What an `out=` argument holds afterwards, and whether it is the result."""
    r = function(out)
    return r is out, out


def written(function, array):
    """An array after something has been done to it."""
    r = function(array)
    return r, array

'''

EPILOGUE = '''
np.savez(sys.argv[2], **{name: np.concatenate(parts) for name, parts in PARTS.items()})
'''


@dataclasses.dataclass
class Case:
    text: str
    operation: str = ""
    exact: bool = True  # all operands are small integers or dyadic
    keywords: tuple = ()  # which parameters it gives: what the counters count
    scale: str = ""  # text of the sum of the magnitudes of its terms
    terms: int = 1
    computed: object = None  # the dtype that rounds most on the way
    complex_operands: bool = False
    keys: str = ""  # text of what an unstable argsort is compared by
    zero_ties: bool = False  # which of two equal zeros comes out, or first, is nobody's promise


def script_of(arrays, cases, prelude):
    lines = [PRELUDE, prelude]
    lines += [f"{name} = DATA[{name!r}]" for name in arrays]
    lines.append('with np.errstate(all="ignore"):')
    lines += [f"    case({number}, lambda: {case.text})" for number, case in enumerate(cases)]
    lines.append(EPILOGUE)
    return "\n".join(lines)


class Results:
    """What one side printed and saved, case by case: ('raised', class, text) or a nested description with values."""

    def __init__(self, stdout, path):
        saved = numpy.load(path)
        self.flat = {name: saved[name] for name in saved.files}
        self.used = dict.fromkeys(self.flat, 0)
        self.lines = stdout.split("\n")
        self.at = 0
        self.cases = {}
        while self.at < len(self.lines) and self.lines[self.at]:
            number = int(self.lines[self.at])
            self.at += 1
            self.cases[number] = self.read()

    def read(self):
        line = self.lines[self.at]
        self.at += 1
        kind, _, rest = line.partition(" ")
        if kind == "O":
            return ("outside",)  # arrays of objects or text, which the language doesn't have
        if kind in "AS":
            name, *dims = rest.split()
            shape = tuple(map(int, dims))
            size = int(numpy.prod(shape, dtype=numpy.int64))
            begin = self.used[name]
            self.used[name] += size
            return ("array" if kind == "A" else "numpy scalar", self.flat[name][begin:begin + size].reshape(shape))
        if kind == "T":
            name, count = rest.split()
            items = []
            for _ in range(int(count)):
                item = self.read()
                items.append(item)
                if item[0] == "raised":
                    break
            return (name, items)
        name, _, text = rest.partition(" ")
        if kind == "E":
            return ("raised", name, text)
        return ("python", name, text)


def run(pool, cases, directory, backends=("numpy", "eigen"), timeout=600, prelude=""):
    """(numpy's results, {backend: ours})."""
    directory.mkdir(parents=True, exist_ok=True)
    numpy.savez(directory / "data.npz", **pool.arrays)
    script = directory / "cases.py"
    script.write_text(script_of(pool.arrays, cases, prelude))
    done = both.run_cpython(script, directory / "data.npz", directory / "numpy.npz", timeout=timeout, options=("-Wignore",))
    assert done.returncode == 0, f"the script fails under CPython: {done.stderr[-3000:]}"
    theirs = Results(done.stdout, directory / "numpy.npz")
    ours = {}
    for backend in backends:
        saved = directory / f"ours-{backend}.npz"
        done = both.run_ours(script, directory / "data.npz", saved, backend=backend, timeout=timeout)
        assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-3000:]}"
        ours[backend] = Results(done.stdout, saved)
    return theirs, ours


def shown(result):
    if result[0] == "outside":
        return "an array of objects or text"
    if result[0] == "raised":
        return f"raised {result[1]}: {result[2]}"
    if result[0] == "python":
        return f"{result[1]} {result[2]}"
    if result[0] in ("array", "numpy scalar"):
        value = result[1]
        return f"{result[0]} {value.dtype}{value.shape} {numpy.array2string(value.reshape(-1)[:24], max_line_width=200)}"
    return f"{result[0]} [" + "; ".join(map(shown, result[1])) + "]"


def is_unsupported(result):
    return result[0] == "raised" and result[1] == "NotImplementedError"


def disagreement(pool, case, ours, theirs, backend):
    """None, or what differs."""
    if theirs[0] == "outside":
        return None if ours[0] == "raised" else "not raised"
    if ours[0] == "raised" or theirs[0] == "raised":
        if ours[0] == theirs[0]:
            return None if ours[1] == theirs[1] else "another exception"
        return "raised" if ours[0] == "raised" else "not raised"
    if ours[0] != theirs[0]:
        return "another kind of result"
    if ours[0] in ("tuple", "list"):
        if len(ours[1]) != len(theirs[1]):
            return "another length"
        for mine, other in zip(ours[1], theirs[1]):
            found = disagreement(pool, case, mine, other, backend)
            if found:
                return found
        return None
    if ours[0] == "python":
        if ours[1] != theirs[1]:
            return "another Python type"
        if ours[2] == theirs[2]:
            return None
        if ours[1] in ("float", "complex"):
            a, b = (numpy.asarray(eval(x, {"nan": numpy.nan, "inf": numpy.inf, "nanj": complex(0, numpy.nan)}))
                    for x in (ours[2], theirs[2]))
            return difference(pool, case, a, b, backend)
        return "another value"
    mine, other = ours[1], theirs[1]
    if mine.dtype != other.dtype:
        return f"dtype {mine.dtype}, not {other.dtype}"
    if mine.shape != other.shape:
        return "another shape"
    return difference(pool, case, mine, other, backend)


@dataclasses.dataclass
class Report:
    agreed: int = 0
    unsupported: list = dataclasses.field(default_factory=list)
    failures: list = dataclasses.field(default_factory=list)

    def text(self, most=40):
        groups = {}
        for case, why, ours, theirs in self.failures:
            groups.setdefault((case.operation, why), []).append((case, ours, theirs))
        lines = [f"{len(self.failures)} cases disagree, {len(self.unsupported)} unsupported, {self.agreed} agree"]
        for (operation, why), found in sorted(groups.items(), key=lambda g: -len(g[1]))[:most]:
            case, ours, theirs = min(found, key=lambda f: len(f[0].text) + len(shown(f[1])))
            lines.append(
                f"--- {operation}: {why} ({len(found)} cases)\n  {case.text}\n  ours:  {shown(ours)}\n  numpy: {shown(theirs)}")
        for case, ours in self.unsupported[:most]:
            lines.append(f"unsupported: {case.text}: {ours[2]}")
        return "\n".join(lines)


def compare(pool, cases, theirs, ours, backend):
    report = Report()
    for number, case in enumerate(cases):
        mine, other = ours.cases[number], theirs.cases[number]
        if is_unsupported(mine) and not is_unsupported(other):
            report.unsupported.append((case, mine))
            continue
        why = disagreement(pool, case, mine, other, backend)
        if why:
            report.failures.append((case, why, mine, other))
        else:
            report.agreed += 1
    return report
