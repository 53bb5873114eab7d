"""Compiled kernels on disk: found by the next process, never believed when something is wrong with them."""
import json
import os
import re
import subprocess

import pytest

from conftest import BINARY, autoray

SCRIPT = """
import numpy as np
from autoray import autojit

@autojit
def f(x, y):
    return (x * y + 1.5, np.sqrt(x) - y, (x + y).sum())

for part in f(np.arange(6.0), np.ones(6)):
    print(part)
"""
WANT = "[1.5 2.5 3.5 4.5 5.5 6.5]\n[-1.          0.          0.41421356  0.73205081  1.          1.23606798]\n21.0\n"


@pytest.fixture
def run(tmp_path):
    """run(**environment): the script's standard output, and where its kernels came from as (kernels, compiled, cached)."""
    script = tmp_path / "script.ar"
    script.write_text(SCRIPT)

    def run(**environment):
        env = {**os.environ, "AUTORAY_CACHE_DIR": str(tmp_path / "cache"), **environment}
        done = autoray("run", script, "--explain", env=env)
        assert done.returncode == 0, done.stderr
        assert done.stdout == WANT
        kernels, new = map(int, re.search(r"(\d+) kernels, (\d+) new", done.stderr).groups())
        cached = re.search(r"(\d+) from the cache", done.stderr)
        problem = re.search(r"no cache \((.*)\)\)", done.stderr)
        return kernels, new, int(cached[1]) if cached else 0, problem[1] if problem else ""

    return run


@pytest.fixture
def command(tmp_path):
    def command(*arguments, **environment):
        return autoray("cache", *arguments, env={**os.environ, "AUTORAY_CACHE_DIR": str(tmp_path / "cache"), **environment})

    return command


def entries(tmp_path):
    return sorted((tmp_path / "cache").glob("*.kernel"))


def test_the_next_process_has_them(run, tmp_path):
    kernels, new, cached, _ = run()
    assert kernels == new > 0 and cached == 0
    assert run() == (kernels, 0, kernels, "")
    assert len(entries(tmp_path)) == kernels
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in entries(tmp_path))
    assert not [p for p in (tmp_path / "cache").iterdir() if p.suffix != ".kernel"]


def test_other_options_are_other_kernels(run, tmp_path):
    kernels = run()[0]
    script = tmp_path / "script.ar"
    done = autoray("run", script, "--explain", "--check-bounds", env={**os.environ, "AUTORAY_CACHE_DIR": str(tmp_path / "cache")})
    assert done.stdout == WANT and f"{kernels} new" in done.stderr


def damaged(data):
    """The same bytes, wrong in many ways."""
    yield "empty", b""
    yield "text", b"#!/bin/sh\n" * 100
    yield "zeros", bytes(len(data))
    yield "twice", data + data
    yield "longer", data + b"\0"
    for size in (1, 8, 31, 32, 40, len(data) // 2, len(data) - 1):
        yield f"cut at {size}", data[:size]
    for place in (0, 8, 16, 20, 24, 31, 32, 100, len(data) // 2, len(data) - 1):
        yield f"byte {place}", data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1:]
    yield "sizes", data[:16] + b"\xff" * 16 + data[32:]


def test_damaged_entries_are_compiled_again(run, tmp_path):
    kernels = run()[0]
    target = entries(tmp_path)[0]
    good = target.read_bytes()
    for what, data in damaged(good):
        target.write_bytes(data)
        assert run() == (kernels, 1, kernels - 1, ""), what
        assert target.read_bytes() == good, what
    target.unlink()
    target.mkdir()
    assert run()[1] == 1
    target.rmdir()
    target.symlink_to("/dev/zero")
    assert run()[:3] == (kernels, 1, kernels - 1)
    assert not target.is_symlink()
    os.unlink(target)
    os.mkfifo(target)
    assert run()[:3] == (kernels, 1, kernels - 1)


def test_another_kernels_file_is_not_believed(tmp_path, run):
    """As if two keys had one hash: the whole key is compared."""
    kernels = run()[0]
    (tmp_path / "script.ar").write_text(SCRIPT.replace("+ 1.5", "- 1.5").replace("print(part)", "pass"))
    done = autoray("run", tmp_path / "script.ar", env={**os.environ, "AUTORAY_CACHE_DIR": str(tmp_path / "other")})
    assert done.returncode == 0
    other = sorted((tmp_path / "other").glob("*.kernel"))
    (tmp_path / "script.ar").write_text(SCRIPT)
    for target in entries(tmp_path):
        target.write_bytes(other[0].read_bytes())
    assert run()[:2] in {(kernels, kernels), (kernels, kernels - 1)}


@pytest.mark.parametrize("where", ["a file", "under a file", "open to all", "missing parents", "off"])
def test_a_directory_that_cannot_be_used_is_no_cache(where, run, tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    place = {"a file": "file", "under a file": "file/cache", "open to all": "open", "missing parents": "a/b/c", "off": "x"}[where]
    environment = {"AUTORAY_CACHE_DIR": str(tmp_path / place), "AUTORAY_CACHE": "off" if where == "off" else ""}
    for _ in range(2):
        kernels, new, cached, problem = run(**environment)
        if where == "missing parents":
            assert not problem
        else:
            assert new == kernels and not cached
            assert problem == "off" if where == "off" else str(tmp_path) in problem
    assert (tmp_path / "file").read_text() == "text" and not list((tmp_path / "open").iterdir())
    assert not (tmp_path / "x").exists()


def test_where_it_is(run, tmp_path):
    base = {"AUTORAY_CACHE_DIR": ""}
    kernels = run(**base, XDG_CACHE_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path))[0]
    assert len(list((tmp_path / "xdg/autoray").glob("*.kernel"))) == kernels
    run(**base, XDG_CACHE_HOME="", HOME=str(tmp_path / "home"))
    assert len(list((tmp_path / "home/.cache/autoray").glob("*.kernel"))) == kernels
    assert run(**base, XDG_CACHE_HOME="", HOME="")[3] == "off"


def test_it_is_bounded_and_the_oldest_go_first(run, tmp_path):
    kernels = run()[0]
    size = sum(p.stat().st_size for p in entries(tmp_path))
    for number in range(20):
        old = tmp_path / "cache" / f"{number:016x}.kernel"
        old.write_bytes(bytes(1000))
        os.utime(old, (1000 + number, 1000 + number))
    (tmp_path / "cache/mine.txt").write_text("kept")
    entries(tmp_path)[-1].unlink()
    assert run(AUTORAY_CACHE_BYTES=str(size + 9_000))[1:3] in {(1, kernels - 1), (0, kernels)}
    entries(tmp_path)[-1].unlink()
    run(AUTORAY_CACHE_BYTES=str(size + 9_000))
    left = entries(tmp_path)
    assert sum(p.stat().st_size for p in left) <= size + 9_000
    numbers = [int(p.stem, 16) for p in left if int(p.stem, 16) < 20]
    assert numbers == list(range(20 - len(numbers), 20)) and numbers
    assert (tmp_path / "cache/mine.txt").exists()
    assert run()[1] <= 1


def test_processes_share_it(tmp_path):
    script = tmp_path / "script.ar"
    script.write_text(SCRIPT)
    env = {**os.environ, "AUTORAY_CACHE_DIR": str(tmp_path / "cache")}
    for _ in range(3):
        running = [subprocess.Popen([BINARY, "run", script], stdout=subprocess.PIPE, text=True, env=env) for _ in range(6)]
        assert [p.communicate()[0] for p in running] == [WANT] * 6
        entries(tmp_path)[0].unlink()


def test_command(run, command, tmp_path):
    assert json.loads(command("ls", "--format=json").stdout)["kernels"] == []
    kernels = run()[0]
    listed = json.loads(command("ls", "--format=json").stdout)
    assert len(listed["kernels"]) == kernels and listed["directory"] == str(tmp_path / "cache")
    assert listed["bytes"] == sum(p.stat().st_size for p in entries(tmp_path))
    assert command("ls").stdout.splitlines()[-1].startswith(f"{kernels} kernels, ")
    assert command("verify").returncode == 0
    target = entries(tmp_path)[0]
    target.write_bytes(target.read_bytes()[:-1])
    done = command("verify")
    assert done.returncode == 1 and f"{target.name}" in done.stdout and "wrong: truncated" in done.stdout
    assert len(entries(tmp_path)) == kernels - 1
    assert run()[1] == 1
    assert command("clear").stdout == f"{kernels} kernels removed\n"
    assert not entries(tmp_path)
    assert command("clear").stdout == "0 kernels removed\n"
    assert "it is off" in command("ls", AUTORAY_CACHE="off").stdout
    for wrong in ((), ("lss",), ("ls", "x"), ("ls", "--format=xml")):
        done = command(*wrong)
        assert done.returncode == 2 and done.stderr.startswith("autoray: error: ")
    assert "did you mean 'ls'?" in command("lss").stderr
    assert command("--help").stdout.startswith("usage: autoray cache")
