"""Comparison of printed text: numbers by value, everything else as text.

Programs marked `# exact` are compared character for character. In the others the last digits of a number may differ (the
contract allows some ULP), and with them the column widths of a printed array; nothing else may.
"""
import difflib
import math
import re

NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")


def pieces(line):
    """The words between numbers, without white space, and the numbers."""
    words = ["".join(w.split()) for w in NUMBER.split(line)]
    # A sign before a number is part of it only at a word's start; `1+2j` has its sign in the number too.
    return words, NUMBER.findall(line)


def same_number(a, b, rtol, atol):
    if re.fullmatch(r"[+-]?\d+", a) and re.fullmatch(r"[+-]?\d+", b):
        return int(a) == int(b)
    x, y = float(a), float(b)
    return math.isclose(x, y, rel_tol=rtol, abs_tol=atol)


def same_text(ours, theirs, rtol=1e-6, atol=1e-9):
    # Line breaks inside arrays move with column widths: compare the whole text as one.
    a_words, a_numbers = pieces(ours)
    b_words, b_numbers = pieces(theirs)
    return a_words == b_words and all(same_number(x, y, rtol, atol) for x, y in zip(a_numbers, b_numbers))


def difference(ours, theirs):
    """A short readable diff; lines that agree by tolerance are not shown."""
    a, b = theirs.splitlines(), ours.splitlines()
    if len(a) == len(b):
        a, b = zip(*[(x, x if same_text(y, x) else y) for x, y in zip(a, b)]) if a else (a, b)
    lines = list(difflib.unified_diff(list(a), list(b), "expected", "ours", lineterm="", n=1))
    return "\n".join(lines[:40])
