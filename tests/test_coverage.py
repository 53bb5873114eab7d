"""Coverage of the language by its programs: every alternative and token of the grammar is used by a program of tests/lang,
tests/golden or examples, and every error code is shown by one of them."""
import re

from conftest import ROOT, autoray

PROGRAMS = sorted([*ROOT.glob("tests/lang/**/*.ar"), *ROOT.glob("tests/golden/**/*.ar"), *ROOT.glob("examples/*.ar")])
GRAMMAR = (ROOT / "grammar/Autoray.g4").read_text()

# Tokens that no parsed program can hold: refused, skipped or joined before the parser sees them.
UNPARSED = {"ASYNC", "AWAIT", "CLASS", "YIELD", "ANY", "BLANKS", "COMMENT", "JOIN", "LINE_BREAK"}
# Codes that no program can cause by itself: every operation has a kernel on the native backends, Ctrl-C comes from outside,
# a defect is no feature, and objects are refused by `autoray compile` (tests/test_compile.py).
OUTSIDE = {"E0502", "E0505", "E0705", "E0901"}


def uncommented(text):
    return re.sub(r"^\s*//.*", "", text, flags=re.M)


def grammar_parts():
    rules, _, tokens = GRAMMAR.partition("// ---- tokens ----")
    rules = uncommented(rules).replace("tokens { INDENT, DEDENT, NEWLINE }", "")
    labels = set(re.findall(r"#\s*(\w+)", rules))
    names = set(re.findall(r"\b([A-Z][A-Z_]+)\s*:", re.sub(r"'[^']*'", "''", uncommented(tokens))))
    return labels, (names | {"INDENT", "DEDENT", "NEWLINE"}) - UNPARSED


def parts_of(path):
    done = autoray("check", "--grammar", path)
    return set(done.stdout.split())


def test_every_alternative_and_token_of_the_grammar_is_used(tell):
    labels, tokens = grammar_parts()
    assert len(labels) > 80 and len(tokens) > 70, "the grammar was not read"
    used = set().union(*map(parts_of, PROGRAMS))
    unhit = sorted((labels | tokens) - used)
    tell(f"grammar: {len(labels)} alternatives, {len(tokens)} tokens, unhit: {len(unhit)}")
    assert not unhit


def test_every_error_code_is_shown(tell):
    codes = {f"E{int(n):04}" for n in re.findall(r"^ERROR_CODE\((\d+)", (ROOT / "src/ir/error_codes.def").read_text(), re.M)}
    shown = set()
    for text in ROOT.glob("tests/golden/errors/*.txt"):
        shown |= set(re.findall(r"error\[(E\d{4})\]", text.read_text()))
    unhit = sorted(codes - shown - OUTSIDE)
    tell(f"error codes: {len(codes)}, unhit: {len(unhit)}")
    assert not unhit
    assert shown <= codes
