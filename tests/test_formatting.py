"""Text of numbers: format() and "..." % values, drawn at random, as CPython writes them or refuses to."""
import os
import random
import subprocess
import sys

from conftest import autoray

VALUES = [
    "0", "1", "-1", "5", "255", "-255", "1234567", "-12345678901234567890123", "2**70", "True", "False", "65", "233", "0x65e5", "0x110000",
    "0.0", "-0.0", "1.5", "-2.5", "12.0", "1e16", "1e-5", "123456.789", "1e300", "1e308", "5e-324", "0.1", "9.995", "99999.5", "1e22",
    "float('inf')", "float('-inf')", "float('nan')", "1j", "(1+2j)", "(-0.0-1.5j)", "'a'", "'ab'", "''", "'\u00e9t\u00e9'", "'\u65e5'",
    "None", "[1]", "(1,)", "np.float32(0.1)", "np.int8(-5)", "np.float64(2.5)", "np.bool_(True)", "np.complex128(1-2j)",
]


def formatted(draw):
    align = draw(["", "<", ">", "=", "^"])
    fill = draw(["", "", "*", "0", " ", "\u65e5"]) if align else ""
    text = fill + align + draw(["", "", "+", "-", " "]) + draw(["", "", "", "", "z"]) + draw(["", "", "#"]) + draw(["", "", "0"])
    text += draw(["", "5", "10", "15", "1"]) + draw(["", "", "", "", ",", "_", ",_"]) + draw(["", "", "", ".0", ".1", ".3", ".10", "."])
    return f"format({draw(VALUES)}, {text + draw(['', '', *'dxXobceEfFgGn%sqr', 'dd'])!r})"


def percent(draw):
    pattern, values = draw(["", "<", "100%% "]), []
    for _ in range(draw([1, 1, 2])):
        width, precision = draw(["", "", "5", "10", "*"]), draw(["", "", ".0", ".2", ".5", ".", ".*"])
        if width == "*":
            values.append(draw(["5", "-8", "0", "2.5"]))
        if precision == ".*":
            values.append(draw(["3", "0", "-1"]))
        flags = "".join(draw(["", "", flag]) for flag in "-+ #0")
        pattern += "%" + flags + width + precision + draw(["", "", "", "l", "h"]) + draw("dixXoucsraeEfFgG%q")
        values.append(draw(VALUES))
    values = values[draw([0] * 19 + [1]):] + draw([[]] * 19 + [["1"]])
    if len(values) == 1 and draw([True, False]):
        return f"{pattern!r} % {values[0]}"
    return f"{pattern!r} % ({', '.join(values)}{',' if values else ''})"


CASES = [
    "'%(a)s %(b(c))05d' % {'a': 1, 'b(c)': -2}", "'%(a)s' % {}", "'%(a' % {}", "'%(a)s' % 1", "'%s %(a)s' % {'a': 1}", "'%(a)s %s' % {'a': 1}",
    "'' % {}", "'' % [1]", "'' % 1", "'' % ()", "'' % 'a'", "'' % np.ones(2)", "'' % np.float64(1)", "'%' % 1", "'%5' % 1", "'%.' % 1", "'%\u65e5' % 1",
    "'%s' % (1, 2)", "'%s' % ((1, 2),)", "'%d' % np.array(2.5)", "'%x' % np.array(10)", "'%d' % np.ones(2)", "'%99999999999999999999d' % 1",
    "'%.99999999999999999999d' % 1", "'%*d' % (2**80, 1)", "'%.*d' % (2**80, 1)", "format(1, '99999999999999999999')", "format(1, '.99999999999999999999')",
    "format(1, '\u65e5\u65e5')", "format(1, '\u65e5')", "format([1], '')", "format([1], '5')", "format(np.ones(2), '5')",
]


def test_numbers_are_formatted_as_by_cpython(tmp_path):
    seed = int(os.environ.get("AUTORAY_SEED", "1"))
    source = random.Random(seed)
    cases = CASES + [source.choice([formatted, percent])(source.choice) for _ in range(4000)]
    lines = ["import numpy as np"]
    for case in cases:
        lines += ["try:", f"    print(repr({case}))", "except Exception as error:", "    print(type(error).__name__, error)"]
    path = tmp_path / "formats.ar"
    path.write_text("\n".join(lines) + "\n")
    expected = subprocess.run([sys.executable, "-W", "ignore", path], capture_output=True, text=True)
    assert expected.returncode == 0, expected.stderr
    got = autoray("run", path)
    assert got.returncode == 0, got.stderr
    wrong = [triple for triple in zip(cases, expected.stdout.splitlines(), got.stdout.splitlines(), strict=True) if triple[1] != triple[2]]
    assert not wrong, (f"AUTORAY_SEED={seed}", wrong[:10])
