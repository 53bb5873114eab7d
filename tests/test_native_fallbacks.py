"""What compiled code leaves to the runtime's dispatch in the programs and examples, and in random programs: linear algebra, and nothing else."""
import json
import os
from collections import defaultdict

import pytest

from conftest import ROOT, autoray
from property_cases import rows
from property_data import seed
from random_programs import Program
from test_lang import PROGRAMS
from test_random_programs import CHUNK, SANITIZED, script
from test_random_programs import PROGRAMS as RANDOM

# (operation, reason) -> programs; what comes back fails, and so does what has gone and still stands here.
KNOWN = {}
CHUNKS = RANDOM // CHUNK if "AUTORAY_FULL" in os.environ else min(RANDOM // CHUNK, 5)


class Calls:
    """The calls of the runtime that runs tell of."""

    def __init__(self):
        self.linalg = {op["name"] for op in json.loads(autoray("ops", "--format=json").stdout) if op["class"] == "linalg"}
        self.found, self.exempt, self.routines = defaultdict(set), 0, 0

    def run(self, path, name, *arguments):
        for line in autoray("run", path, "--defer=native", "--explain", "--format=json", *arguments).stderr.splitlines():
            call = json.loads(line) if line.startswith('{"op"') else {}
            self.routines += call.get("library") == "routine"
            if call.get("library") != "fallback":
                continue
            self.exempt += call["op"] in self.linalg
            if call["op"] not in self.linalg:
                self.found[call["op"], call["provider"]].add(name)


def test_programs_fall_back_in_linear_algebra_alone(tell):
    calls = Calls()
    for path in PROGRAMS:
        calls.run(path, str(path.relative_to(ROOT)))
    tell(f"compiled: {len(PROGRAMS)} programs, {sum(map(len, calls.found.values()))} with calls of the runtime that are no linear algebra; "
         f"{calls.exempt} that are, {calls.routines} routines")
    assert {key: sorted(programs) for key, programs in calls.found.items()} == KNOWN


@pytest.mark.skipif(SANITIZED, reason="thousands of small compilations")
def test_random_programs_fall_back_in_linear_algebra_alone(tmp_path, tell):
    calls, table = Calls(), rows()
    for chunk in range(CHUNKS):
        first = seed() * 1_000_000 + chunk * CHUNK
        path = tmp_path / f"programs{chunk}.ar"
        path.write_text(script({number: Program(first + number, table).text(number) for number in range(CHUNK)}))
        calls.run(path, f"AUTORAY_SEED={seed()}, chunk {chunk}", "--", tmp_path / "results.npz")
    tell(f"compiled: {CHUNKS * CHUNK} random programs, {len(calls.found)} kinds of calls of the runtime that are no linear algebra; "
         f"{calls.exempt} that are, {calls.routines} routines")
    assert {key: sorted(programs) for key, programs in calls.found.items()} == KNOWN
