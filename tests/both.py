"""Runs one generated script under the program and under CPython, for the tests that compare the two."""
import subprocess
import sys

from conftest import autoray


def run_cpython(script, *args, timeout=300, options=()):
    return subprocess.run([sys.executable, *options, str(script), *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout)


def run_ours(script, *args, backend="numpy", timeout=300):
    return autoray("run", script, f"--backend={backend}", "--", *args, timeout=timeout)


def both(script, *args, backend="numpy", timeout=300):
    """(ours, CPython's), each of which must have succeeded."""
    theirs = run_cpython(script, *args, timeout=timeout)
    assert theirs.returncode == 0, f"the script fails under CPython: {theirs.stderr[-3000:]}"
    ours = run_ours(script, *args, backend=backend, timeout=timeout)
    assert ours.returncode == 0, f"status {ours.returncode}: {ours.stderr[-3000:]}"
    return ours.stdout, theirs.stdout
