"""What all tests share: the binary under test, running it, and where generated files go."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("AUTORAY", ROOT / "build/release/autoray"))
BACKENDS = ("numpy", "eigen")


def pytest_configure(config):
    config.addinivalue_line("markers", "release_only: reads the release binary itself, not what it does")


def autoray(*args, timeout=120, **kwargs):
    """Runs the program under test; never raises for its status."""
    kwargs.setdefault("text", True)
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([str(BINARY), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, **kwargs)


@pytest.fixture(scope="session", autouse=True)
def binary():
    assert BINARY.exists(), f"{BINARY} is missing: ./dev build"
    return BINARY
