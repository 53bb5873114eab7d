"""What the design forbids: includes against the table, state that outlives an engine, a binary that needs more than libc."""
import json
import re
import subprocess

import pytest

from conftest import BINARY, ROOT, autoray

# Which folders of src each folder may include; the public headers stand apart.
MAY_INCLUDE = {
    "ir": {"ir"},
    "runtime": {"ir", "runtime"},
    "frontend": {"ir", "runtime", "frontend"},
    "codegen": {"ir", "runtime", "codegen"},
    "api": {"ir", "runtime", "frontend", "codegen", "api", "autoray"},
    "include": {"autoray"},
    "tools": {"autoray"},
}
# The only files that see ANTLR.
PARSER_FILES = {"src/frontend/parser.cpp", "src/frontend/token_source.cpp", "src/frontend/token_source.h"}
# Files above 450 lines, each with the reason why it is one piece.
LONG_FILES = {
    "src/frontend/parser.cpp": "ANTLR is seen by the parser's files alone: one builder for all alternatives of the grammar",
    "src/runtime/random/ziggurat_tables.cpp": "generated numbers",
    "src/frontend/resolver.cpp": "CPython's symbol-table rules, which refer to each other",
    "src/frontend/evaluator.cpp": "statements and exceptions: one walk over the tree",
    "src/frontend/expressions.cpp": "expressions: the same walk",
    "src/frontend/calls.cpp": "calls, binding, generators and imports: what runs a function's frame",
    "src/frontend/builtins/builtins.cpp": "Python's builtins, a few lines each",
    "src/frontend/protocol/access.cpp": "attributes, items and iteration of every kind of value",
    "src/frontend/protocol/numbers.cpp": "operators of Python's numbers and containers",
    "src/frontend/protocol/formatting.cpp": "format and %-formatting share their layout",
    "src/frontend/types/str_methods.cpp": "methods of str and bytes, a few lines each",
    "src/frontend/types/type_objects.cpp": "the constructors of Python's types",
    "src/runtime/scalar/definitions.h": "the arithmetic of every element-wise op, a few lines each",
    "src/frontend/types/lazy_type.cpp": "the methods of lazy arrays, a few lines each",
    "src/runtime/lazy/views.cpp": "what is seen through views and what is written through them keep one book",
    "src/ir/rules/movement.cpp": "shape rules, a few lines each",
    "src/runtime/objects.cpp": "equality, hash and life of every kind of object",
    "src/runtime/random/generator_object.cpp": "numpy's Generator: a method a few lines",
    "src/runtime/runtime.cpp": "one call's way from values to results",
}
LIMIT = 450


def sources(*folders):
    for folder in folders:
        yield from sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".cpp", ".h", ".def"))


def includes(path):
    return re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', path.read_text(), re.M)


def place(path):
    return str(path.relative_to(ROOT))


def test_includes_follow_the_table():
    wrong = []
    for path in sources("src", "include", "tools"):
        parts = path.relative_to(ROOT).parts
        folder = parts[1] if parts[0] == "src" else parts[0]
        for quote, name in includes(path):
            if quote == "<" and not name.startswith("autoray"):
                continue
            first = name.split("/")[0]
            if "/" not in name:  # a neighbour
                if not (path.parent / name).exists():
                    wrong.append(f"{place(path)}: {name} is not beside it")
            elif first not in MAY_INCLUDE[folder]:
                wrong.append(f"{place(path)} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_antlr_is_seen_by_the_parser_alone():
    seen = {place(p) for p in sources("src", "include", "tools")
            if any("antlr4" in name or name.startswith("Autoray") for _, name in includes(p))}
    assert seen == PARSER_FILES


@pytest.mark.parametrize("word", ["Eigen", "llvm", "antlr", "immintrin", "vector_size", "__m256", "__m512", "hwy"])
def test_public_headers_name_no_library(word):
    for path in sources("include"):
        # The adapter of Eigen's types is a header of its own.
        assert word not in path.read_text() or (word, path.name) == ("Eigen", "eigen.h"), f"{place(path)} names {word}"


def test_public_headers_stand_alone(tmp_path):
    for path in sources("include"):
        unit = tmp_path / f"{path.stem}.cpp"
        unit.write_text(f'#include "autoray/{path.name}"\n#include "autoray/{path.name}"\nint main() {{}}\n')
        done = subprocess.run(["c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include",
                               "-isystem", "/usr/include/eigen3", unit],
                              stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr


def test_headers_open_with_what_they_are_for():
    for path in sources("src", "include", "tools"):
        if path.suffix == ".h":
            text = path.read_text()
            # C has no pragma once in its standard.
            assert text.startswith(("//", "/*")), place(path)
            assert "#pragma once" in text or "#ifndef AUTORAY_" in text, place(path)


def test_files_are_short_or_have_a_reason():
    long = {place(p) for p in sources("src", "include", "tools")
            if len(p.read_text().splitlines()) > LIMIT and p.suffix != ".def"}
    assert long <= set(LONG_FILES), f"above {LIMIT} lines without a reason: {sorted(long - set(LONG_FILES))}"
    assert set(LONG_FILES) <= long, f"a reason for a file that needs none: {sorted(set(LONG_FILES) - long)}"


def test_nothing_mutable_outlives_an_engine():
    """Namespace-scope and static variables are constants, thread-local caches, or tables that are made once."""
    allowed = {
        "src/frontend/parser.cpp": "the lock of ANTLR's shared tables",
        "src/runtime/contract/blas.cpp": "OpenBLAS, loaded once",
        "src/codegen/object/link.cpp": "the lock of lld's own state",
    }
    found = []
    for path in sources("src"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            variable = re.match(r"\s*static\s+(?!const\b|constexpr\b|constinit\b|thread_local\b|inline\b|_)"
                                r"(?:[\w:<>,*&\s]+?)\s[\w]+\s*(?:=|;|\{|\()", line)
            if not variable or place(path) in allowed:
                continue
            # A declaration of a function is none.
            if re.search(r"\)\s*(const)?\s*(noexcept)?\s*[;{]?\s*(//.*)?$", line) and "=" not in line:
                continue
            if re.match(r"\s*static\s+[\w:<>,*&\s]+\([^)]*", line) and "= [" not in line:
                continue
            found.append(f"{place(path)}:{number}: {line.strip()}")
    # What stays is handed out once and never changed.
    unexpected = [f for f in found if "dlopen" not in f]
    assert not unexpected, "\n".join(unexpected)


def objects(folder):
    return sorted((BINARY.parent / f"CMakeFiles/autoray_{folder}.dir").rglob("*.o"))


@pytest.mark.release_only
@pytest.mark.parametrize("folder", ["ir", "runtime", "frontend", "api"])
def test_no_static_constructors(folder):
    assert objects(folder)
    for path in objects(folder):
        symbols = subprocess.run(["nm", "-C", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        # Boost's cpp_int initialises a limit of its own in every file that includes it, and ANTLR's headers the standard streams.
        if "boost::multiprecision" in symbols or "antlr4::" in symbols:
            continue
        assert "_GLOBAL__sub_I" not in symbols, f"{path.name} has a static constructor"


@pytest.mark.release_only
def test_the_binary_starts_with_libc_alone():
    dynamic = subprocess.run(["readelf", "-d", BINARY], stdout=subprocess.PIPE, text=True, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libdl.so.2", "libpthread.so.0"}, needed


@pytest.mark.release_only
def test_libraries_are_loaded_on_first_use(tmp_path):
    script = tmp_path / "maps.ar"
    script.write_text("import numpy as np\nprint(np.arange(3).sum())\n")
    done = subprocess.run([BINARY, "run", script], env={"LD_DEBUG": "files"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=True)
    assert done.stdout.endswith("3\n")
    assert "openblas" not in done.stderr and "libpython" not in done.stderr


def test_every_error_code_is_explained():
    rows = re.findall(r'^ERROR_CODE\((\d+), "([^"]+)", "([^"]+)"\)', (ROOT / "src/ir/error_codes.def").read_text(), re.M)
    assert len(rows) == len(re.findall(r"^ERROR_CODE\(", (ROOT / "src/ir/error_codes.def").read_text(), re.M))
    assert len({code for code, _, _ in rows}) == len(rows)
    for code, title, explanation in rows:
        done = autoray("explain", f"E0{code}")
        assert done.returncode == 0 and title in done.stdout and explanation in done.stdout
        assert len(explanation) >= 8


def test_every_code_that_is_used_is_listed():
    listed = set(re.findall(r"^ERROR_CODE\((\d+),", (ROOT / "src/ir/error_codes.def").read_text(), re.M))
    used = {}
    for path in sources("src"):
        for code in re.findall(r"with_code\((\d+)\)|\bcode = (\d{3})\b", path.read_text()):
            used.setdefault(code[0] or code[1], place(path))
    assert set(used) <= listed, {c: used[c] for c in set(used) - listed}


def test_operations_stand_in_the_table_alone():
    ops = {row["name"] for row in json.loads(autoray("ops", "--format=json").stdout)}
    # Rows of the graph alone are what subscripts record; no function has their names.
    rows = {name for name, rest in re.findall(r'^OP\(\w+, "([^"]+)"(.*)', (ROOT / "src/ir/ops.def").read_text(), re.M)
            if "kGraphOnly" not in rest}
    assert ops == rows
