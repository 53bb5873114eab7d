"""How figures are measured: programs run one after the other on one thread, ours and the peer's in turn."""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
AUTORAY = os.environ.get("AUTORAY", os.path.join(ROOT, "build/release/autoray"))
PROGRAMS = os.environ.get("AUTORAY_BENCH", os.path.join(ROOT, "build/bench/bench"))
# The interpreter that has the peers of the native sections (bench/requirements.txt).
PEERS = os.path.join(ROOT, "build/bench-python/bin/python")
ONE_THREAD = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMEXPR_NUM_THREADS="1",
                  NUMBA_NUM_THREADS="1", XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
                  JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1", AUTORAY_CACHE="off")
# Settings of the environment that hold a current OpenBLAS back: each side chooses its kernels by the processor.
for setting in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    ONE_THREAD.pop(setting, None)
# jax's pools of threads heed no setting, but they count processors.
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
ROUNDS = 5
# What is drawn at random is drawn from this; a line that depends on it says it.
SEED = int(os.environ.get("AUTORAY_SEED") or random.randrange(1 << 31))


def run(command, text=None, environment=ONE_THREAD):
    done = subprocess.run(command, input=text, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])}: status {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout


def seconds(command):
    begin = time.perf_counter()
    run(command)
    return time.perf_counter() - begin


def time_text(value):
    """Seconds with a unit, three digits or so."""
    if value is None:
        return "-"
    for scale, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}" if value < 1000 * scale else f"{value / scale:.0f} {unit}"
    return f"{value * 1e9:.0f} ns"


def pairs(ours, theirs, rounds=ROUNDS):
    """Medians of (ours, theirs, ours / theirs) over rounds that alternate."""
    return medians([(ours(), theirs()) for _ in range(rounds)])


def by_line(text):
    """`name TAB seconds` lines as a dictionary."""
    return {name: float(value) for name, value in (line.split("\t") for line in text.splitlines())}


class Script:
    """A program's text, run by autoray or by CPython."""

    def __init__(self, text):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".ar", delete=False)
        self.file.write(text)
        self.file.close()

    def autoray(self, *options, cache=None):
        """`cache`: the directory of compiled kernels; none: everything is compiled."""
        environment = dict(ONE_THREAD, AUTORAY_CACHE="on", AUTORAY_CACHE_DIR=cache) if cache else ONE_THREAD
        return run([AUTORAY, "run", self.file.name, *options], environment=environment)

    def python(self, *arguments, interpreter=sys.executable):
        return run([interpreter, self.file.name, *arguments])

    def __del__(self):
        os.unlink(self.file.name)


def called(path, call="main()"):
    """A script that prints what a program's call returns."""
    with open(path) as f:
        return Script(f.read() + f"\n\nprint({call})\n")


def compared(prefix, script, rounds, options=()):
    """Every line of a measuring program, ours against CPython's."""
    samples = [(by_line(script.autoray(*options)), by_line(script.python())) for _ in range(rounds)]
    for name in samples[0][1]:
        ours = statistics.median(a[name] for a, _ in samples)
        theirs = statistics.median(b[name] for _, b in samples)
        ratio = statistics.median(a[name] / b[name] for a, b in samples)
        yield f"{prefix}: {name}", ratio, ours, theirs, ""


def medians(samples):
    """Medians of (ours, theirs, ours / theirs)."""
    return (statistics.median(a for a, _ in samples), statistics.median(b for _, b in samples),
            statistics.median(a / b for a, b in samples))


def program(name):
    """The text of a program of the native sections."""
    with open(os.path.join(HERE, f"programs/native/{name}.ar")) as f:
        return f.read()


def by_hand(name):
    """A peer in C++, built when it is older than its text."""
    sources = [os.path.join(HERE, "peers", file) for file in (f"{name}.cpp", "peer.h")]
    binary = os.path.join(ROOT, "build/bench/peers", name)
    if not os.path.exists(binary) or os.path.getmtime(binary) < max(map(os.path.getmtime, sources)):
        os.makedirs(os.path.dirname(binary), exist_ok=True)
        run(["g++", "-std=c++17", "-O3", "-march=native", "-ffast-math", sources[0], "-o", binary])
    return binary


def timing(*arguments):
    """The text of `seconds_of_call(f, x, y)`, the seconds of a call f(x, y), for scripts of ours and for CPython alike: the least
    of samples of 500 us or a call, as in peers/peer.h. Seconds are the processor's, and the least of them had its caches to itself:
    what else runs on the machine stays out. A short call is repeated, as our clock counts whole microseconds."""
    names = ", ".join(arguments)
    return f'''
import time


def seconds_of_call(f, {names}, budget=0.3):
    now = time.process_time
    f({names})
    calls = 1
    while True:
        begin = now()
        for _ in range(calls):
            f({names})
        if now() - begin > 5e-4:
            break
        calls *= 2
    samples = []
    end = now() + budget
    while len(samples) < 5 or now() < end:
        begin = now()
        for _ in range(calls):
            f({names})
        samples.append((now() - begin) / calls)
    return min(samples)
'''
