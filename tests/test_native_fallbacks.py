"""What compiled code leaves to the runtime's dispatch in the programs and examples: linear algebra, and nothing else."""
import json
from collections import defaultdict

from conftest import ROOT, autoray
from test_lang import PROGRAMS

# (operation, reason) -> programs; what comes back fails, and so does what has gone and still stands here.
KNOWN = {}


def test_programs_fall_back_in_linear_algebra_alone(tell):
    linalg = {op["name"] for op in json.loads(autoray("ops", "--format=json").stdout) if op["class"] == "linalg"}
    found, exempt, routines = defaultdict(set), 0, 0
    for path in PROGRAMS:
        for line in autoray("run", path, "--defer=native", "--explain", "--format=json").stderr.splitlines():
            call = json.loads(line) if line.startswith('{"op"') else {}
            routines += call.get("library") == "routine"
            if call.get("library") != "fallback":
                continue
            exempt += call["op"] in linalg
            if call["op"] not in linalg:
                found[call["op"], call["provider"]].add(str(path.relative_to(ROOT)))
    tell(f"compiled: {len(PROGRAMS)} programs, {sum(map(len, found.values()))} with calls of the runtime that are no linear algebra; "
         f"{exempt} that are, {routines} routines")
    assert {key: sorted(programs) for key, programs in found.items()} == KNOWN
