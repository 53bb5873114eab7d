"""Host programs, built as a user builds them: against an installed prefix, by its CMake package, with the system's compilers."""
import ctypes
import os
import re
import subprocess

import numpy as np
import pytest

from conftest import BINARY, ROOT

pytestmark = pytest.mark.release_only


def run(*command, **kwargs):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **kwargs)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    where = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BINARY.parent, "--prefix", where)
    return where


@pytest.fixture(scope="module")
def hosts(prefix, tmp_path_factory):
    where = tmp_path_factory.mktemp("hosts")
    run("cmake", "-S", ROOT / "examples/embed", "-B", where, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", where)
    return where


def library(prefix):
    return next(prefix.rglob("libautoray.so"))


def heat(steps):
    u = np.zeros(64)
    u[32] = 1.0
    for _ in range(steps):
        flow = u[1:] - u[:-1]
        u = u.copy()
        u[1:-1] += 0.25 * (flow[1:] - flow[:-1])
    return u


def test_cpp_host(hosts):
    u = heat(100)
    first, second = run(hosts / "host_cpp").splitlines()
    assert first == f"energy {u.sum():.12f}, middle {u[32]:.12f}"
    assert second == "TypeError: step() missing 1 required positional argument: 'k'"


def test_c_host(hosts):
    first, second = run(hosts / "host_c").splitlines()
    assert first == "2 results: 1.5 3 6, sum 15"
    assert second == "TypeError: smooth() missing 1 required positional argument: 'x'"


def test_object_host(hosts):
    u = np.zeros((41, 41))
    u[0] = 100.0
    for _ in range(100):
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    assert run(hosts / "host_object") == f"after 100 steps: mean {u.mean():.6f}, centre {u[20, 20]:.6f}\n"
    assert "autoray" not in run("ldd", hosts / "host_object")


def test_eigen_host(hosts):
    assert run(hosts / "host_eigen") == "1.000000 + 2.000000 x, residual 0.0e+00\n"


def test_headers_are_cpp17_and_c99(prefix, tmp_path):
    headers = sorted((prefix / "include/autoray").glob("*.h"))
    assert len(headers) >= 7
    for header in headers:
        if header.name == "eigen.h":
            continue
        unit = tmp_path / f"{header.stem}.cpp"
        unit.write_text(f"#include <autoray/{header.name}>\n#include <autoray/{header.name}>\n")
        run("g++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{prefix}/include", unit)
    unit = tmp_path / "c.c"
    unit.write_text("#include <autoray/autoray.h>\n")
    run("gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{prefix}/include", unit)


def test_only_public_names_are_visible(prefix):
    names = run("nm", "-DC", "--defined-only", library(prefix)).splitlines()
    shown = [re.sub(r"^\S* *\S ", "", name) for name in names]
    foreign = [name for name in shown if not re.match(r"(autoray_|autoray::|(typeinfo|typeinfo name|vtable) for autoray::)", name)]
    assert not foreign
    inner = [name for name in shown if re.match(r"autoray::(ir|runtime|frontend|codegen)::", name)]
    assert not inner


def test_the_c_abi_refuses_nonsense(prefix):
    lib = ctypes.CDLL(str(library(prefix)))
    lib.autoray_engine_new.restype = ctypes.c_void_p
    lib.autoray_version.restype = ctypes.c_char_p

    class Diagnostic(ctypes.Structure):
        _fields_ = [("status", ctypes.c_int), ("code", ctypes.c_char_p), ("message", ctypes.c_char_p), ("file", ctypes.c_char_p),
                    ("line", ctypes.c_int32), ("column", ctypes.c_int32), ("hint", ctypes.c_char_p), ("rendered", ctypes.c_char_p)]

    lib.autoray_error.restype = ctypes.POINTER(Diagnostic)

    class Options(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("backend", ctypes.c_char_p), ("max_memory", ctypes.c_int64),
                    ("write_stdout", ctypes.c_void_p), ("write_stderr", ctypes.c_void_p), ("context", ctypes.c_void_p)]

    assert re.fullmatch(rb"\d+\.\d+\.\d+", lib.autoray_version())
    unknown = ctypes.c_void_p(lib.autoray_engine_new(ctypes.byref(Options(ctypes.sizeof(Options), b"nunpy", 0, None, None, None))))
    program, array = ctypes.c_void_p(), ctypes.c_void_p()
    assert lib.autoray_load(unknown, b"1", b"x.ar", ctypes.byref(program)) == 2
    assert b"nunpy" in lib.autoray_error(unknown).contents.message
    lib.autoray_engine_free(unknown)

    engine = ctypes.c_void_p(lib.autoray_engine_new(None))
    assert not lib.autoray_error(engine)
    assert lib.autoray_load(engine, b"x = (1\n", b"x.ar", ctypes.byref(program)) == 3
    told = lib.autoray_error(engine).contents
    assert (told.file, told.line, told.column) == (b"x.ar", 1, 5) and told.rendered.startswith(b"x.ar:1:5: error[")
    assert lib.autoray_load(engine, None, b"x.ar", ctypes.byref(program)) == 2
    assert lib.autoray_load(None, b"1", b"x.ar", ctypes.byref(program)) == 2
    shape = (ctypes.c_int64 * 2)(2, -1)
    data = (ctypes.c_double * 4)(1, 2, 3, 4)
    view = lambda data, dtype, ndim, shape: lib.autoray_array_view(engine, data, dtype, ndim, shape, None, 1, None, None,
                                                                   ctypes.byref(array))
    assert view(data, b"float64", 2, shape) == 2
    assert view(None, b"float64", 1, shape) == 2
    assert view(data, b"float65", 1, shape) != 0 and b"float65" in lib.autoray_error(engine).contents.message
    assert view(data, b"float64", 1, shape) == 0
    assert not lib.autoray_error(engine)
    result = ctypes.c_void_p()
    assert lib.autoray_do(engine, b"sqrtt", ctypes.byref(array), 1, ctypes.byref(result)) == 1
    assert lib.autoray_do(engine, b"sqrt", ctypes.byref(array), 1, ctypes.byref(result)) == 0
    lib.autoray_array_data.restype = ctypes.POINTER(ctypes.c_double)
    assert lib.autoray_array_data(result)[1] == np.sqrt(2.0)
    lib.autoray_array_free(result)
    assert lib.autoray_load(engine, b"def f(x):\n    return x, x + 1\n", b"f.ar", ctypes.byref(program)) == 0
    assert lib.autoray_run(program) == 0
    small = (ctypes.c_int64 * 1)(1)
    wrong, out = ctypes.c_void_p(), (ctypes.c_void_p * 2)()
    for i in range(2):
        assert lib.autoray_array_new(engine, b"float64", 1, (ctypes.c_int64 * 1)(2), ctypes.byref(wrong)) == 0
        out[i] = wrong.value
    assert lib.autoray_call_into(program, b"f", ctypes.byref(array), 1, out, 1) == 1
    assert lib.autoray_call_into(program, b"g", ctypes.byref(array), 1, out, 2) == 1
    assert lib.autoray_call_into(program, b"f", ctypes.byref(array), 1, out, 2) == 0
    assert lib.autoray_array_data(ctypes.c_void_p(out[1]))[1] == 3.0
    assert lib.autoray_array_new(engine, b"float64", 1, small, ctypes.byref(wrong)) == 0
    assert lib.autoray_call_into(program, b"f", ctypes.byref(array), 1, (ctypes.c_void_p * 2)(out[0], wrong.value), 2) == 1
    compiled, count = ctypes.c_void_p(), ctypes.c_size_t()
    assert lib.autoray_compile(program, b"g", ctypes.byref(compiled)) == 1
    assert lib.autoray_compile(program, b"f", ctypes.byref(compiled)) == 0
    for _ in range(2):
        assert lib.autoray_compiled_call(compiled, ctypes.byref(array), 1, None, 0, ctypes.byref(count)) == 0 and count.value == 2
        lib.autoray_array_data(ctypes.c_void_p(out[1]))[1] = 0.0
        assert lib.autoray_compiled_call_into(compiled, ctypes.byref(array), 1, out, 2) == 0
        assert lib.autoray_array_data(ctypes.c_void_p(out[1]))[1] == 3.0
        assert lib.autoray_compiled_call_into(compiled, ctypes.byref(array), 1, out, 1) == 1
        assert lib.autoray_compiled_call(compiled, None, 0, None, 0, ctypes.byref(count)) == 1
    lib.autoray_compiled_free(compiled)
    for handle in (*out, wrong, array):
        lib.autoray_array_free(ctypes.c_void_p(handle) if isinstance(handle, int) else handle)
    lib.autoray_program_free(program)
    lib.autoray_engine_free(engine)


def test_compiled_functions_are_freed(prefix, tmp_path, tell):
    """A new function each round, called and freed: the process stays as big as it was."""
    folder = library(prefix).parent
    run("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", ROOT / "tests/hosts/memory.cpp", f"-I{prefix}/include", f"-L{folder}",
        "-lautoray", f"-Wl,-rpath,{folder}", "-o", tmp_path / "memory")
    warm, rounds = (1_000, 10_000) if os.environ.get("AUTORAY_FULL") else (200, 400)
    grown = int(run(tmp_path / "memory", warm, rounds))
    tell(f"{rounds:,} functions compiled and freed: {grown / 2**20:.2f} MB")
    assert grown <= 2 << 20
