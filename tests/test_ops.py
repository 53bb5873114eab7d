"""Every row of the op table agrees with numpy in both directions: same values, dtypes and shapes, or the same exception.

AUTORAY_SEED picks another set of cases, AUTORAY_FULL=1 a larger one.
"""
import numpy
import pytest

import property_cases
import property_run
from property_data import FULL, Pool, seed

# One process computes what all tests of this file compare.
pytestmark = pytest.mark.xdist_group("ops")


def generated(only=None):
    pool = Pool(numpy.random.default_rng(seed()))
    cases = []
    for row in property_cases.rows():
        made = property_cases.cases_of(pool, row, 4 if FULL else 1)
        if only is None or row.name in only:
            cases += made
    return pool, cases


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    pool, cases = generated()
    theirs, ours = property_run.run(pool, cases, tmp_path_factory.mktemp("ops"))
    return pool, cases, theirs, ours


@pytest.mark.parametrize("backend", ("numpy", "eigen"))
def test_rows_agree_with_numpy(results, backend):
    pool, cases, theirs, ours = results
    print(f"seed {seed()}: {len(cases)} cases")
    report = property_run.compare(pool, cases, theirs, ours[backend], backend)
    print(report.text())
    assert not report.failures and not report.unsupported, report.text()


def test_every_keyword_is_exercised(results):
    """Each row x keyword of the table is given in a case that numpy accepts."""
    _, cases, theirs, _ = results
    hits = {(row.name, keyword): 0 for row in property_cases.rows() if row.function for keyword in row.optional()}
    for number, case in enumerate(cases):
        if theirs.cases[number][0] == "raised":
            continue
        for keyword in case.keywords:
            if (case.operation, keyword) in hits:
                hits[case.operation, keyword] += 1
    print(f"{len(hits)} rows x keywords hit, {sum(not n for n in hits.values())} unhit")
    unhit = [f"{row}({keyword}=)" for (row, keyword), n in hits.items() if not n]
    assert not unhit, ", ".join(unhit)
