"""Quotients that the turns of a recurrence wait for are products with a reciprocal, checked: they have the bits that division
gives, for every dividend and divisor, and cause its events alone."""
import os

import numpy as np
import pytest

from test_compile import Library, script_file
from test_native import run_text

# What each gives, where nothing of x is NaN, is below; z is 0 and waits for the turn before.
FORMS = {
    "difference": ("(a[i] - z) / d[i]", lambda a, b, d: a / d),
    "minuend": ("(z - a[i]) / d[i]", lambda a, b, d: (0.0 - a) / d),
    "total": ("(a[i] + z) / d[i]", lambda a, b, d: (a + 0.0) / d),
    "product": ("a[i] * (z + 1.0) / d[i]", lambda a, b, d: a / d),
    "cancelled": ("(a[i] - (b[i] + z)) / d[i]", lambda a, b, d: (a - (b + 0.0)) / d),
    "thirds": ("(a[i] - z) / 3", lambda a, b, d: a / 3),
    "quarters": ("(a[i] - z) / 4", lambda a, b, d: a / 4),
    "of_what_waits": ("(a[i] - z) / (d[i] + z)", lambda a, b, d: a / (d + 0.0)),
}
FUNCTIONS = "import numpy as np\n\n\n" + "".join(f'''def {name}(a, b, d):
    x = np.zeros_like(a)
    for i in range(1, a.shape[0]):
        z = (x[i - 1] != x[i - 1]) * 0.0
        x[i] = {form}
    return x


''' for name, (form, _) in FORMS.items())
SPECIAL = (0.0, -0.0, np.inf, np.nan, 5e-324, 1e-310, 2.3e-308, 1.7976931348623157e308, -1e308, 2e-121, 1e-120, 2.6e120, 5.2e120,
           -1e-160, 1e160, 1.0, -3.0)


def near_halves(rng, count):
    """Quotients that lie as near to the middle between two numbers as they can: 2^54 x and an odd multiple of y differ by 1."""
    pairs = []
    while len(pairs) < count:
        y = int(rng.integers(1 << 52, 1 << 53)) | 1
        for r in (1, -1):
            q = -r * pow(y, -1, 1 << 54) % (1 << 54)
            x = (q * y + r) >> 54
            if 1 << 53 <= q and 1 << 52 <= x < 1 << 53:
                pairs.append((float(x), float(y)))
    return np.array(pairs[:count]).T


def operands(seed, count):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 1 << 64, (2, count), dtype=np.uint64).view(np.float64)
    usual = rng.standard_normal((2, count)) * 2.0 ** rng.integers(-60, 60, (2, count))
    small = rng.integers(-40, 40, (2, count)).astype(float)
    special = np.array([(p, q) for p in SPECIAL for q in SPECIAL]).T
    a, d = np.concatenate([bits, usual, small, near_halves(rng, count), special], axis=1)
    order = rng.permutation(a.size)
    a, d = a[order], d[order]
    with np.errstate(all="ignore"):
        return a, np.where(rng.random(a.size) < 0.5, a * (1 + 2.0 ** -rng.integers(1, 60, a.size)), rng.standard_normal(a.size)), d


COMPUTED = '''
from autoray import autojit

a, b, d = (np.load("{folder}/" + name + ".npy") for name in "abd")
for f in ({names}):
    jitted = autojit(f)
    with np.errstate(all="ignore"):
        for n in (9, a.size):
            got = jitted(a[:n], b[:n], d[:n])
            assert np.array_equal(got, f(a[:n], b[:n], d[:n]), equal_nan=True), f.__name__
    np.save("{folder}/" + f.__name__ + ".npy", got)
    print(f.__name__, "llvm.fma" in jitted.llvm_text)
'''


def same_bits(got, want):
    nan = np.isnan(want)
    return np.array_equal(np.isnan(got), nan) and got[~nan].tobytes() == want[~nan].tobytes()


def test_quotients_are_those_of_divisions(tmp_path, tell):
    seed = int(os.environ.get("AUTORAY_SEED") or 1)
    a, b, d = operands(seed, 2000)
    for name, x in zip("abd", (a, b, d)):
        np.save(tmp_path / f"{name}.npy", x)
    done = run_text(tmp_path, FUNCTIONS + COMPUTED.format(folder=tmp_path, names=", ".join(FORMS)))
    # What waits is divided by as ever.
    assert done.stdout == "".join(f"{name} {name != 'of_what_waits'}\n" for name in FORMS), f"AUTORAY_SEED={seed}: {done.stderr[-3000:]}"
    for name, (_, want) in FORMS.items():
        with np.errstate(all="ignore"):
            assert same_bits(np.load(tmp_path / f"{name}.npy")[1:], want(a, b, d)[1:]), f"{name}, AUTORAY_SEED={seed}"
    tell(f"quotients: AUTORAY_SEED={seed}, {a.size} of each form")


@pytest.mark.parametrize("cpu", ["native", "x86-64-v2", "x86-64-v3"])
def test_objects(tmp_path, cpu):
    a, b, d = operands(2, 1000)
    library = Library(tmp_path, script_file(tmp_path, FUNCTIONS), "difference", *(f"{name}=float64[{a.size}]" for name in "abd"),
                      options=["--cpu", cpu])
    with np.errstate(all="ignore"):
        assert same_bits(library(a=a, b=b, d=d)[1:], (a / d)[1:])


EVENTS = '''
from autoray import autojit


def told(f, a, b, d, event):
    with np.errstate(all="ignore"), np.errstate(**{event: "raise"}):
        try:
            f(a, b, d)
        except FloatingPointError:
            return True
    return False


numbers = [{numbers}]
counts = {{"over": 0, "under": 0, "divide": 0, "invalid": 0}}
for f in (difference, product, cancelled):
    jitted = autojit(f)
    for event in counts:
        for k in range(0, len(numbers), 3):
            for p in numbers:
                a, b, d = np.ones(12), np.zeros(12), np.full(12, 3.0)
                a[5 + k % 6], d[5 + k % 6] = numbers[k], p
                want = told(f, a, b, d, event)
                assert told(jitted, a, b, d, event) == want, (f.__name__, event, numbers[k], p)
                counts[event] += want
assert min(counts.values()) > 5, counts
print("all the same")
'''


def test_events_are_those_of_divisions(tmp_path):
    text = EVENTS.replace("**{event", "**{{event").replace('"raise"}', '"raise"}}').format(
        numbers=", ".join(f'float("{x!r}")' for x in map(float, SPECIAL)))
    done = run_text(tmp_path, FUNCTIONS + text)
    assert done.stdout == "all the same\n", done.stderr[-3000:]
