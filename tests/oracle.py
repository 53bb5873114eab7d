"""Runs programs under CPython + numpy + autoray and keeps what they print, raise and return.

One interpreter imports the libraries once and forks for each program, so that nothing that one program sets (a backend,
a registered function) reaches the next, and a hundred programs take a second or two. Answers are cached by content.

usage: python oracle.py DIRECTORY FILE...      (answers: DIRECTORY/KEY.json and, with `# call: FN`, DIRECTORY/KEY.npz)
"""
import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import runpy
import sys
import tempfile
import traceback


def cache_key(path):
    """The program, its neighbours that it may import, and this file decide the answer."""
    digest = hashlib.sha256()
    path = pathlib.Path(path)
    for part in [pathlib.Path(__file__), path, *sorted(path.parent.glob("*.py"))]:
        digest.update(part.read_bytes())
    digest.update(path.name.encode())
    return digest.hexdigest()[:24]


def returned_values(value):
    """Names as `autoray run --save` writes them: `return`, or `return0`, `return1`, ... of a tuple."""
    if isinstance(value, tuple):
        return {f"return{i}": item for i, item in enumerate(value)}
    return {"return": value}


def run_one(path, directory, key, scratch):
    import numpy
    text = pathlib.Path(path).read_text()
    call = re.search(r"^# call: (\w+)$", text, re.M)
    out, error = io.StringIO(), None
    sys.argv = [str(path)]
    sys.path.insert(0, str(pathlib.Path(path).parent))
    os.chdir(scratch)  # what it writes under a relative path
    # `import helper` finds helper.py; the same module stands there as helper.ar.
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            module = runpy.run_path(str(path), run_name="__main__")
            if call:
                # Two processes of the tests may ask for the same answer at once.
                temporary = directory / f"{key}.{os.getpid()}.npz"
                numpy.savez(temporary, **returned_values(module[call[1]]()))
                temporary.rename(directory / f"{key}.npz")
        except SystemExit:
            pass
        except BaseException as caught:
            line = [f.lineno for f in traceback.extract_tb(caught.__traceback__) if f.filename == str(path)]
            error = {"class": type(caught).__name__, "text": str(caught), "line": line[-1] if line else None}
    return {"stdout": out.getvalue(), "error": error}


def answers(paths, directory):
    """{path: answer} for all paths; runs what is not cached, in this process's forks."""
    directory = pathlib.Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    missing = [p for p in paths if not (directory / f"{cache_key(p)}.json").exists()]
    if missing:
        import autoray  # noqa: F401  imported before the forks, once
        import numpy  # noqa: F401
        import scipy.linalg  # noqa: F401
    for path in missing:
        key = cache_key(path)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with tempfile.TemporaryDirectory() as scratch:
                    answer = run_one(pathlib.Path(path).resolve(), directory, key, scratch)
                temporary = directory / f"{key}.{os.getpid()}.tmp"
                temporary.write_text(json.dumps(answer))
                temporary.rename(directory / f"{key}.json")
                status = 0
            finally:
                os._exit(status)
        os.waitpid(child, 0)
    return {p: json.loads((directory / f"{cache_key(p)}.json").read_text()) for p in paths}


if __name__ == "__main__":
    for path, answer in answers(sys.argv[2:], sys.argv[1]).items():
        print("====", path)
        print(answer["stdout"], end="")
        if answer["error"]:
            print("raised", answer["error"])
