"""Kernels with algorithms of their own, on the inputs that such algorithms get wrong: vectorised and radix sorts of every
dtype, length and kind of data, and the remainders and powers that are exact.
"""
import fractions

import numpy
import pytest

import property_run
from property_data import DTYPES, Pool, seed, short
from property_run import Case

LENGTHS = (0, 1, 2, 3, 8, 15, 16, 17, 33, 64, 100, 255, 256, 257, 1000, 4097)


def keys(rng, dtype, n):
    """Rows of keys: all bits, few distinct values, ordered ones, and for floats what has no ordinary place."""
    kind = numpy.dtype(dtype).kind
    if kind == "b":
        yield rng.random(n) < 0.5
        return
    if kind in "iu":
        info = numpy.iinfo(dtype)
        yield rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
        yield rng.choice(numpy.array([info.min, info.max, 0, 1], dtype), n)
        yield numpy.sort(rng.integers(0, 100, n).astype(dtype))[::-1].copy()
        return
    yield rng.standard_normal(n).astype(dtype)
    # Ties whose keys differ: zeros of both signs; infinities beside the largest numbers; NaNs.
    largest = float(numpy.finfo(dtype).max)
    odd = numpy.array([0.0, -0.0, numpy.inf, -numpy.inf, largest, -largest, numpy.nan, 1.0, -1.0])
    yield rng.choice(odd, n).astype(dtype)
    yield rng.choice(odd[[0, 1]], n).astype(dtype)
    yield rng.choice(odd[[2, 4]], n).astype(dtype)
    yield rng.choice(odd[[3, 5, 6]], n).astype(dtype)
    yield numpy.where(rng.random(n) < 0.1, rng.choice(odd, n), rng.standard_normal(n)).astype(dtype)
    if kind == "c":
        yield (rng.choice(odd, n) + 1j * rng.choice(odd, n)).astype(dtype)
        yield (rng.integers(0, 3, n) + 1j * rng.integers(0, 3, n)).astype(dtype)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    pool = Pool(numpy.random.default_rng(seed() + 5))
    pool.arrays.clear()
    cases = []
    with numpy.errstate(all="ignore"):
        for dtype in DTYPES:
            for n in LENGTHS:
                for k, row in enumerate(keys(pool.rng, dtype, n)):
                    name = f"{short(dtype)}_{n}_{k}"
                    pool.arrays[name] = row
                    cases.append(Case(f"np.sort({name}, kind='stable')", "stable sort"))
                    cases.append(Case(f"np.argsort({name}, kind='stable')", "stable argsort"))
                    cases.append(Case(f"np.sort({name}) == np.sort({name}, kind='stable')", "sort"))
                    cases.append(Case(f"np.sort({name})", name))
    theirs, ours = property_run.run(pool, cases, tmp_path_factory.mktemp("kernels"))
    return pool, cases, theirs, ours


@pytest.mark.parametrize("backend", ("numpy", "eigen"))
def test_stable_sorts_have_numpys_bits(results, backend):
    pool, cases, theirs, ours = results
    kept = [number for number, case in enumerate(cases) if case.operation not in pool.arrays]
    for each in (theirs, ours[backend]):
        assert len(each.cases) == len(cases)
    failures = []
    for number in kept:
        why = property_run.disagreement(pool, cases[number], ours[backend].cases[number], theirs.cases[number], "numpy")
        if why:
            failures.append(f"{cases[number].text}: {why}")
    assert not failures, failures[:20]


@pytest.mark.parametrize("backend", ("numpy", "eigen"))
def test_sorts_lose_no_key(results, backend):
    """numpy's vectorised sort fills runs of zeros with one of them; ours keeps every key, in the stable order."""
    pool, cases, _, ours = results
    for number, case in enumerate(cases):
        if case.operation not in pool.arrays:
            continue
        got, expected = ours[backend].cases[number][1], numpy.sort(pool.arrays[case.operation], kind="stable")
        assert numpy.array_equal(got, expected, equal_nan=expected.dtype.kind in "fc"), case.text
        for part in ("real", "imag"):
            x, y = getattr(got, part), getattr(expected, part)
            ordinary = ~numpy.isnan(y) if y.dtype.kind == "f" else numpy.zeros(y.shape, bool)
            assert (numpy.copysign(1, x[ordinary]) == numpy.copysign(1, y[ordinary])).all(), case.text


def exact_remainder(x, y):
    """Python's own % of rationals: what the floats' remainder is before it is rounded."""
    return float(fractions.Fraction(x) % fractions.Fraction(y))


def test_remainders_are_exact(tmp_path):
    """fmod is exact, and so is the remainder but for one addition: it is the rounded value of the true one."""
    rng = numpy.random.default_rng(seed() + 6)
    n = 3000
    x = rng.standard_normal(n) * 10.0**rng.integers(-12, 13, n)
    y = rng.standard_normal(n) * 10.0**rng.integers(-6, 7, n)
    pool = Pool(numpy.random.default_rng(seed()))
    pool.arrays = {"x": x, "y": y}
    cases = [Case("x % y", "remainder"), Case("np.remainder(x, y)", "remainder"), Case("x // y", "floor_divide")]
    _, ours = property_run.run(pool, cases, tmp_path / "remainder", backends=("numpy",))
    got = ours["numpy"].cases
    exact = numpy.array([exact_remainder(a, b) for a, b in zip(x, y)])
    for case in (0, 1):
        assert (numpy.abs(got[case][1] - exact) <= numpy.spacing(numpy.abs(exact))).all()
    assert got[2][1].tobytes() == (x // y).tobytes()
