"""Random programs (random_programs.py): CPython with numpy, the eager run, and runs with every operation recorded (as it stands,
with equal ones shared, with constants folded, with each pass alone, with all of them) give the same arrays, bit for bit; the
programs that can be traced as functions of lazy arrays too. AUTORAY_SEED=n makes others, AUTORAY_PROGRAMS=n another number of them.
"""
import os
import re

import numpy
import pytest

from both import run_cpython
from conftest import autoray
from property_cases import rows
from property_data import seed
from random_programs import PRELUDE, Program

PROGRAMS = int(os.environ.get("AUTORAY_PROGRAMS", 2000))
CHUNK = 100
SANITIZED = "ASAN_OPTIONS" in os.environ


def modes():
    """All ways to defer, as the program itself lists them: its own five, and each pass alone. Under sanitizers thousands of small
    compilations take longer than a run may: there the programs of the language's tests are compiled."""
    told = autoray("run", "-", "--defer=?").stderr
    return [mode for mode in re.search(r"defer '\?': (.*)", told)[1].split(", ") if mode != "native" or not SANITIZED]


# Results go to one file: a line a result on standard output, the elements in one array a dtype.
DRIVER = '''
PARTS = {}


def tell(name, r):
    r = np.array(r)
    r.tobytes()  # has it computed, before other programs run
    print(" ", name, r.dtype, *r.shape)
    PARTS.setdefault(str(r.dtype), []).append(r.reshape(-1))


def run(number, program):
    print("program", number)
    try:
        with np.errstate(all="ignore"):
            results = program()
        for name in results:
            tell(name, results[name])
    except Exception as error:
        print("  raised", type(error).__name__)
'''
SAVE = 'np.savez(sys.argv[1], **{name: np.concatenate(PARTS[name]) for name in PARTS})\n'


def script(texts):
    """{number: text of a function program{number}} as one script."""
    calls = "".join(f"run({number}, program{number})\n" for number in texts)
    return PRELUDE + DRIVER + "\n".join(texts.values()) + calls + SAVE


def results(stdout, path):
    """{number: [(name, array) or ('raised', class)]}"""
    flat = dict(numpy.load(path))
    used = dict.fromkeys(flat, 0)
    programs, current = {}, None
    for line in stdout.splitlines():
        words = line.split()
        if words[0] == "program":
            current = programs.setdefault(int(words[1]), [])
        elif words[0] == "raised":
            current.append(tuple(words))
        else:
            name, dtype, *shape = words
            shape = tuple(map(int, shape))
            begin = used[dtype]
            used[dtype] += int(numpy.prod(shape, dtype=int))
            current.append((name, flat[dtype][begin:used[dtype]].reshape(shape)))
    return programs


def difference(a, b, bits):
    """None, or the first result that differs."""
    if len(a) != len(b):
        return f"{[name for name, _ in a]} and {[name for name, _ in b]}"
    for (name, x), (other, y) in zip(a, b):
        if isinstance(x, str) or isinstance(y, str) or name != other:
            if (name, str(x)) != (other, str(y)):
                return f"{name} {x} and {other} {y}"
        elif x.dtype != y.dtype or x.shape != y.shape:
            return f"{name}: {x.dtype}{x.shape} and {y.dtype}{y.shape}"
        elif (x.tobytes() != y.tobytes()) if bits else not numpy.array_equal(x, y, equal_nan=True):
            return f"{name}:\n{x}\n{y}"
    return None


class Runs:
    """One set of programs under numpy and under every mode."""

    def __init__(self, texts, directory, name="programs"):
        self.texts, self.directory, self.name = texts, directory, name
        self.path = directory / f"{name}.ar"
        self.path.write_text(script(texts))

    def numpy(self):
        saved = self.directory / f"{self.name}-numpy.npz"
        done = run_cpython(self.path, saved, options=("-Wignore",))
        assert done.returncode == 0, done.stderr[-3000:]
        return results(done.stdout, saved)

    def ours(self, mode=None):
        saved = self.directory / f"{self.name}-{mode}.npz"
        done = autoray("run", self.path, *([f"--defer={mode}"] if mode else []), "--", saved)
        assert done.returncode == 0, f"{mode}: status {done.returncode}: {done.stderr[-3000:]}"
        return results(done.stdout, saved)


def fails(text, number, mode, directory):
    """Whether this program alone still shows the difference (and numpy still runs it)."""
    runs = Runs({number: text}, directory, "shrunk")
    try:
        reference = runs.numpy() if mode is None else runs.ours()
        if reference[number] and reference[number][-1][0] == "raised":
            return False
        return difference(reference[number], runs.ours(mode)[number], mode is not None) is not None
    except AssertionError:
        return mode is not None


def shrunk(program, number, mode, directory):
    """The program without the statements that do not matter."""
    statements = list(program.statements)
    for at in reversed(range(len(statements))):
        fewer = statements[:at] + statements[at + 1:]
        if fails(program.text(number, fewer), number, mode, directory):
            statements = fewer
    return program.text(number, statements)


@pytest.fixture(scope="module")
def table():
    return rows()


@pytest.mark.parametrize("chunk", range(PROGRAMS // CHUNK))
def test_lazy_is_eager_is_numpy(chunk, table, tmp_path):
    first = seed() * 1_000_000 + chunk * CHUNK
    programs = {number: Program(first + number, table) for number in range(CHUNK)}
    runs = Runs({number: p.text(number) for number, p in programs.items()}, tmp_path)
    theirs, eager = runs.numpy(), runs.ours()
    problems = []

    def check(a, b, mode):
        for number, program in programs.items():
            found = difference(a[number], b[number], mode is not None)
            if found and len(problems) < 3:
                problems.append(f"{'numpy and eager' if mode is None else 'eager and ' + mode} differ in {found}\n"
                                f"{shrunk(program, number, mode, tmp_path)}")

    check(theirs, eager, None)
    for mode in modes():
        check(eager, runs.ours(mode), mode)
    assert not problems, f"AUTORAY_SEED={seed()}, chunk {chunk}\n" + "\n".join(problems)


def test_the_programs_are_many_and_different(table, tell):
    """What the programs of one chunk do: operations by name, writes, draws."""
    first = seed() * 1_000_000
    text = "\n".join(Program(first + number, table).text(number) for number in range(CHUNK))
    operations = set(re.findall(r"np\.([a-z_0-9.]+)\(", text))
    tell(f"random programs: AUTORAY_SEED={seed()}, {PROGRAMS} programs, {len(modes())} ways to record; {len(operations)} operations in the first "
         f"{CHUNK}, {text.count('rng.')} draws, {len(re.findall(r'[])] [-+*/]?= ', text))} writes")
    assert len(operations) > 90
