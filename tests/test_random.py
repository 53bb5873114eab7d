"""Random streams have numpy's bits: default_rng and the legacy np.random, over many seeds, in mixtures of calls on one stream.

A stream of calls is one case: a draw that takes a bit too many, or loses half of a buffered 64-bit word, spoils what follows.
"""
import numpy
import pytest

import property_run
from property_data import FULL, Pool, seed
from property_run import Case

# One process computes what all tests of this file compare.
pytestmark = pytest.mark.xdist_group("random")

SIZES = ("None", "0", "1", "5", "17", "(2, 3)", "(0, 2)", "()", "[2, 2]", "1000")
INTEGERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def limits(pool, dtype):
    """low and high of an integer draw: the dtype's ends, powers of two (masks), everything between."""
    if dtype == "bool":
        return 0, 2
    info = numpy.iinfo(dtype)
    width = pool.choice([1, 2, 3, 10, 100, 128, 129, 2**15 + 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**40 + 7, 2**63])
    low = pool.choice([0, int(info.min), 1, -5 if info.min < 0 else 5])
    high = min(low + width, int(info.max) + 1)
    return (low, high) if high > low else (0, 3)


def broadcast_bounds(pool):
    return pool.choice(("[0, 5, -3]", "np.array([[1], [2]])", "0")), pool.choice(("[10, 20, 30]", "[6, 7, 8]", "100"))


def generator_call(pool):
    size = pool.choice(SIZES)
    kind = pool.choice(
        ("random", "random32", "uniform", "normal", "standard_normal", "normal32", "integers", "integers", "integers", "bounds",
         "exponential", "exponential32", "permutation", "choice", "choice_p", "choice_rows", "shuffle", "one"))
    dtype = pool.choice(INTEGERS)
    low, high = limits(pool, dtype)
    dtype_text = "bool" if dtype == "bool" else f"np.{dtype}"
    endpoint = pool.chance(0.3)
    n = pool.choice((1, 2, 5, 30, 200, 20000))
    return {
        "random":
        f"g.random({size})", "random32":
        f"g.random({size}, dtype=np.float32)", "uniform":
        pool.choice((f"g.uniform(-2, 3.5, {size})", "g.uniform([0, 1], [2, 3])", f"g.uniform(size={size})",
                     "g.uniform(1, np.ones((2, 1)), (2, 3))")), "normal":
        pool.choice(
            (f"g.normal(1.5, 2, {size})", "g.normal([0, 10], [[1], [2]])", f"g.normal(size={size})")), "standard_normal":
        f"g.standard_normal({size})", "normal32":
        f"g.standard_normal({size}, dtype='float32')", "integers":
        f"g.integers({low}, {high - endpoint}, {size}, dtype={dtype_text}, endpoint={endpoint})", "bounds":
        "g.integers({}, {}{})".format(*broadcast_bounds(pool),
                                      pool.choice(
                                          ("", ", dtype='int32'", ", endpoint=True", ", dtype='int16'"))), "exponential":
        pool.choice((f"g.exponential(2.0, {size})", f"g.standard_exponential({size})", "g.exponential([1, 2, 3])",
                     f"g.standard_exponential({size}, method='inv')")), "exponential32":
        f"g.standard_exponential({size}, dtype='f4')", "permutation":
        pool.choice((f"g.permutation({n})", "g.permutation([3, 1, 2])", "g.permutation(np.arange(12).reshape(3, 4))",
                     "g.permutation(np.arange(12).reshape(3, 4), axis=1)")), "choice":
        pool.choice((f"g.choice({n}, {size})", f"g.choice({n}, {min(n, 7)}, replace=False)", "g.choice([1.5, 2.5, 3.5], 4)",
                     f"g.choice({n}, {min(n, 5)}, replace=False, shuffle=False)", f"g.choice({n})",
                     "g.choice(20000, 15000, replace=False)", "g.choice(20000, 30, replace=False)")), "choice_p":
        pool.choice((f"g.choice(4, {size}, p=[0.1, 0.2, 0.3, 0.4])", "g.choice(4, 3, replace=False, p=[0.1, 0.2, 0.3, 0.4])",
                     "g.choice([5, 6], 3, p=[0.5, 0.5])")), "choice_rows":
        pool.choice(
            ("g.choice(np.arange(12).reshape(4, 3), 2)", "g.choice(np.arange(12).reshape(4, 3), 2, axis=1, replace=False)")),
        "shuffle":
        pool.choice(
            ("shuffled(g, np.arange(10))", "shuffled(g, np.arange(12.).reshape(4, 3))", "shuffled(g, list(range(7)))")), "one":
        pool.choice(("g.random()", "g.standard_normal()", "g.integers(10)", "g.integers(2**40)",
                     "g.integers(0, 5, dtype='int8')", "g.integers(2, dtype=np.bool_)", "g.integers(0, 2, dtype='bool')", "g.integers(2, dtype=bool)", "g.normal()", "g.uniform()", "g.exponential()")),
    }[kind]


def legacy_call(pool):
    size = pool.choice(SIZES)
    dtype = pool.choice(INTEGERS)
    low, high = limits(pool, dtype)
    n = pool.choice((1, 2, 5, 30, 200))
    return pool.choice(
        ("np.random.rand(3, 2)", "np.random.rand()", "np.random.randn(4)", "np.random.randn(2, 3)", "np.random.randn()",
         f"np.random.random({size})", f"np.random.normal(1, 2, {size})", f"np.random.normal(size={size})",
         f"np.random.standard_normal({size})", f"np.random.uniform(-1, 4, {size})", "np.random.uniform([0, 1], [2, 3])",
         f"np.random.randint({low}, {high}, {size}, dtype='{dtype}')", f"np.random.randint({n}, size={size})",
         "np.random.randint(5)", f"np.random.choice({n}, {size})", f"np.random.choice({n}, {min(n, 4)}, replace=False)",
         "np.random.choice(3, 5, p=[0.2, 0.3, 0.5])", "np.random.choice([1.5, 2.5], 3)", f"np.random.permutation({n})",
         "np.random.permutation([4, 5, 6])", "np.random.permutation(np.arange(8).reshape(4, 2))",
         "shuffled(np.random, np.arange(9))", "shuffled(np.random, np.arange(8).reshape(4, 2))",
         f"np.random.exponential(1.5, {size})", f"np.random.standard_exponential({size})"))


SHUFFLED = '''
def shuffled(g, x):
    r = g.shuffle(x)
    return r, x
'''
# What numpy refuses, with its exception.
REFUSED = ("g.integers(5, 5)", "g.integers(5, 3)", "g.integers(0, 300, dtype='int8')", "g.integers(0, 5, dtype='float64')",
           "g.random(-1)", "g.random(3, dtype='int32')", "g.choice(3, 5, replace=False)", "g.choice(3, 2, p=[0.5, 0.5])",
           "g.choice(2, 2, p=[0.5, 0.6])", "g.choice(0, 2)", "g.choice(2, 2, p=[1.5, -0.5])", "g.normal(0, -1)",
           "g.exponential(-1)", "g.permutation(2.5)", "g.uniform(0, np.inf)", "g.random('x')", "g.normal([1, 2], 1, 3)",
           "g.standard_normal(2, dtype='f2')", "g.integers([1, 2], [2, 3], 3)")


def streams(pool):
    seeds = (0, 1, 42, 12345, 2**32 - 1, 2**32, 2**63, 2**64 + 5, 10**30)
    prelude, cases = [SHUFFLED], []
    for number in range(1200 if FULL else 250):
        chosen = pool.choice(seeds) if pool.chance(0.3) else int(pool.rng.integers(0, 2**63))
        text = pool.choice((str(chosen), str(chosen), f"[{chosen % 2**32}, 7]"))
        legacy = number % 3 == 2
        calls = [(legacy_call if legacy else generator_call)(pool) for _ in range(12)]
        start = f"np.random.seed({chosen % 2**32})" if legacy else f"g = np.random.default_rng({text})"
        body = "".join(f"    r.append({call})\n" for call in calls)
        prelude.append(f"def stream_{number}():\n    {start}\n    r = []\n{body}    return r\n")
        cases.append(Case(f"stream_{number}()", "; ".join([start, *calls])))
    for number, call in enumerate(REFUSED):
        prelude.append(f"def refused_{number}():\n    g = np.random.default_rng(3)\n    return {call}\n")
        cases.append(Case(f"refused_{number}()", call))
    return cases, "\n".join(prelude)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    pool = Pool(numpy.random.default_rng(seed() + 2))
    cases, prelude = streams(pool)
    theirs, ours = property_run.run(pool, cases, tmp_path_factory.mktemp("random"), backends=("numpy",), prelude=prelude)
    return pool, cases, theirs, ours


def test_streams_have_numpys_bits(results):
    pool, cases, theirs, ours = results
    print(f"seed {seed()}: {len(cases)} streams")
    report = property_run.compare(pool, cases, theirs, ours["numpy"], "numpy")
    print(report.text(12))
    assert not report.failures and not report.unsupported, report.text(12)
    # A stream that raises says nothing about what follows: the generators above make calls that numpy takes.
    raised = [
        case.operation for number, case in enumerate(cases) if theirs.cases[number][0] == "raised" and "; " in case.operation
    ]
    assert not raised, raised
