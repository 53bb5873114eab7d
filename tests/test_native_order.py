"""The order of compiled steps: those that need each other stand apart where others are ready, and the results are the eager ones."""
import re

import pytest

from test_native import run_text

HEADER = "import numpy as np\nfrom autoray import autojit\n"


def steps(text):
    """Of each step the places of its buffers, in the order in which they run."""
    return [line.split()[2:] for line in text.splitlines() if re.fullmatch(r"kernel \d+( \S+\+\d+)+", line)]


@pytest.fixture
def run(tmp_path):
    def run(text):
        done = run_text(tmp_path, HEADER + text)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run


def test_two_chains_go_side_by_side(run):
    out = run("""
def chains(x, y):
    for _ in range(4):
        x = x - np.dot(x, x) * x
    for _ in range(4):
        y = y - np.dot(y, y) * y
    return x, y


f = autojit(chains)
x, y = np.linspace(0, 0.1, 50), np.linspace(-0.1, 0.1, 50)
assert all(np.array_equal(a, b) for a, b in zip(f(x, y), chains(x, y)))
print(f.program_text)
""")
    order = steps(out)
    assert len(order) == 8
    for before, after in zip(order, order[1:]):
        assert before[-1] not in after[:-1], order  # none reads what the one before it has made


def test_gram_schmidt_updates_several_rows_at_a_time(run):
    out = run("""
def orthogonal(X):
    Q = []
    for j in range(12):
        q = X[j, :]
        for i in range(j):
            q = q - np.dot(Q[i], q) * Q[i]
        Q.append(q / np.linalg.norm(q))
    return np.stack(Q)


f = autojit(orthogonal)
X = np.random.default_rng(3).standard_normal((12, 20))
assert np.array_equal(f(X), orthogonal(X))
print(f.program_text)
""")
    order = steps(out)
    waits = sum(before[-1] in after[:-1] for before, after in zip(order, order[1:]))
    # Only the last rows have no others beside them.
    assert waits <= len(order) / 4, (waits, len(order))


@pytest.mark.parametrize("use", ["np.sum(A, axis=1) * np.dot(rows[2], rows[2])", "A[1] + np.dot(rows[2], rows[2])",
                                 "A.T @ rows[2]", "np.dot(A[0], A[1]) * np.dot(A[1], A[2])"])
def test_the_kernel_of_the_last_part_may_use_the_join(run, use):
    run(f"""
def f(X):
    rows = []
    for i in range(3):
        rows.append(X[i] * np.dot(X[i], X[i]))
    A = np.stack(rows)
    b = {use}
    return A, b, b + A[0, 0]


X = np.random.default_rng(4).standard_normal((3, 3))
for want, got in zip(f(X), autojit(f)(X)):
    assert np.allclose(got, want, rtol=1e-14, atol=0)
""")


def test_what_is_written_in_place_is_read_on_its_side_of_the_write(run):
    run("""
def f(x, y):
    x = x * 1.5
    for i in range(6):
        a = x[i] + y[i]
        x[i:] = x[i:] * 2 + a
        y = y - np.dot(x[:3], y[:3]) * y
        x[:i] = x[:i] - y[:i]
    return x, y


x, y = np.linspace(1, 2, 8), np.linspace(0, 0.01, 8)
for want, got in zip(f(x, y), autojit(f)(x, y)):
    assert np.array_equal(want, got)
""")
