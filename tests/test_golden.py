"""What errors look like: each program of tests/golden/errors fails, with exactly the text and status that stand beside it.

    # arguments: --timeout 0.2    of the command, instead of none
    # command: check              instead of `run`

AUTORAY_REGENERATE=1 writes the texts anew: read them before you commit them.
"""
import os
import pathlib
import re
import shlex

import pytest

from conftest import ROOT, autoray

FOLDER = ROOT / "tests/golden/errors"
PROGRAMS = [p for p in sorted(FOLDER.glob("*.ar")) if not p.name.startswith("helper")]


def answer(path: pathlib.Path) -> str:
    # Bytes: one of the programs is no valid text.
    source = path.read_bytes()
    option = lambda name: re.search(rb"^# %s: (.*)$" % name, source, re.M)
    command, arguments = option(b"command"), option(b"arguments")
    given = shlex.split(arguments[1].decode()) if arguments else []
    done = autoray(command[1].decode() if command else "run", path.name, *given, cwd=FOLDER, errors="replace")
    return f"{done.stderr}status: {done.returncode}\n"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_error_text(path):
    expected = path.with_suffix(".txt")
    got = answer(path)
    if os.environ.get("AUTORAY_REGENERATE"):
        expected.write_text(got)
    assert expected.exists(), f"{expected.name} is missing; AUTORAY_REGENERATE=1 writes it"
    assert got == expected.read_text()
    assert not got.endswith("status: 0\n"), "the program does not fail"


def test_no_text_without_a_program():
    assert {p.stem for p in FOLDER.glob("*.txt")} == {p.stem for p in PROGRAMS}
