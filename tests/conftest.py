"""What all tests share: the binary under test, running it, and where generated files go."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / os.environ.get("AUTORAY", "build/release/autoray")
BACKENDS = ("numpy", "eigen")


# Each process of pytest has a directory of its own: its compiled kernels stay among themselves, and what a script writes under
# a relative path is not what the same script writes in another process at the same time.
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="autoray-tests-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
os.environ["AUTORAY_CACHE_DIR"] = str(SCRATCH / "cache")
os.environ.pop("AUTORAY_CACHE", None)


def pytest_configure(config):
    config.addinivalue_line("markers", "release_only: reads the release binary itself, not what it does")


# The status of a process in which a sanitizer found something (./dev).
SANITIZER_STATUS = 77


def autoray(*args, timeout=120, **kwargs):
    """Runs the program under test; its status is the caller's to judge, unless a sanitizer set it."""
    kwargs.setdefault("text", True)
    kwargs.setdefault("cwd", SCRATCH)
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(BINARY), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, **kwargs)
    assert done.returncode != SANITIZER_STATUS, done.stderr[-20000:]
    return done


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert BINARY.exists(), f"{BINARY} is missing: ./dev build"
    return BINARY


@pytest.fixture
def tell(record_property):
    """tell(TEXT): a line under the run's summary, whichever process the test ran in."""
    return lambda text: record_property("told", text)


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, text in report.user_properties:
            if name == "told" and report.when == "call":
                terminalreporter.write_line(text)
