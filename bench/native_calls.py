"""What a call of a compiled function costs beyond the arithmetic: three elements."""
import json
import os

from measure import PROGRAMS, ROUNDS, Script, run, timing

CALL = '''
import numpy as np
from autoray import autojit


@autojit
def f(x):
    return 2 * x + 1

print(seconds_of_call(f, np.array([1.0, 2.0, 3.0])))
'''


def calls():
    out = json.loads(run([os.path.join(PROGRAMS, "call_bench"), "--benchmark_format=json", "--benchmark_repetitions=7",
                          "--benchmark_report_aggregates_only=true", "--benchmark_filter=compiled_of_three$"]))
    t = next(b for b in out["benchmarks"] if b.get("aggregate_name") == "median")["cpu_time"]
    yield "native calls: from C++, 3 elements, nanoseconds", t, t * 1e-9, None, "of which one is the array of the result"
    script = Script(timing("x") + CALL)
    t = sorted(float(script.autoray()) for _ in range(ROUNDS))[ROUNDS // 2]
    yield "native calls: from a script, 3 elements, nanoseconds", t * 1e9, t, None, ""
