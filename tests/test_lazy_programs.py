"""Every program and example once more with its operations recorded and computed where values are needed (`autoray run --defer`):
the text must be that of the eager run, character for character, on the same backend, whatever is done to the graph: nothing
(plain), equal operations shared while recording, constants folded, all passes.

Where data decide what a script does next, it asks for a value, which is computed then. How many scripts
do is told at the end: a trace of those would end there.
"""
import re

import pytest

from conftest import BACKENDS, ROOT, autoray
from test_lang import PROGRAMS, Expectations

MODES = ("plain", "shared", "folded", "passes", "native")
TOLD = re.compile(r"^deferred: (\d+) recorded, (\d+) at once, (\d+) computed, (\d+) values needed$", re.M)


def cases():
    for path in PROGRAMS:
        for backend in Expectations(path).backends:
            yield pytest.param(path, backend, id=f"{path.relative_to(ROOT)}-{backend}")


def exception(done):
    """The class of what ended the script; where it was raised may differ: an operation fails where its value is needed."""
    found = re.search(r"error\[E\d+\]: (\w+)", done.stderr)
    return found and found[1]


@pytest.mark.parametrize("path, backend", list(cases()))
def test_deferred_equals_eager(path, backend):
    eager = autoray("run", path, f"--backend={backend}")
    for mode in MODES:
        if mode == "native" and backend != "numpy":
            continue  # its bits are those of the numpy backend
        lazy = autoray("run", path, f"--backend={backend}", f"--defer={mode}")
        assert (lazy.returncode, exception(lazy)) == (eager.returncode, exception(eager)), f"{mode}: {lazy.stderr[-2000:]}"
        assert lazy.stdout == eager.stdout, f"{mode}\n" + "\n".join(
            f"eager {a!r}\n{mode} {b!r}" for a, b in zip(eager.stdout.splitlines(), lazy.stdout.splitlines()) if a != b)


def test_most_operations_are_recorded(tell):
    recorded = at_once = 0
    programs, asking = 0, []
    for path in PROGRAMS:
        found = TOLD.search(autoray("run", path, "--defer=passes", "--explain").stderr)
        if not found or found[1] == "0":
            continue
        programs += 1
        recorded += int(found[1])
        at_once += int(found[2])
        if int(found[4]):
            asking.append(str(path.relative_to(ROOT)))
    tell(f"deferred: {recorded} operations recorded, {at_once} computed at once, in {programs} programs of arrays; "
         f"{len(asking)} ask for values other than to print them: {' '.join(asking)}")
    assert at_once < 0.02 * recorded
    assert programs >= 70 and set(BACKENDS) == {"numpy", "eigen"}
