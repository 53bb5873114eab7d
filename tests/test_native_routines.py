"""What compiled programs leave to the runtime's routines, on their own memory: draws, sorts and large products. The plain call's bits."""
import pytest

from test_native import run_text
from test_native_products import HEAD, calls, fallbacks

DRAWS = ["r.random(7)", "r.random((2, 3), dtype='float32')", "r.random()", "r.standard_normal((4, 5))", "r.standard_normal(3, dtype='float32')",
         "r.normal(2.0, x, (6, 3)).T", "r.normal(x[::-1], 0.5)", "r.uniform(-1, x)", "r.exponential(x, 3)", "r.standard_exponential(9, method='inv')",
         "r.integers(0, 100, 17)", "r.integers(3, [5, 70, 900], dtype='int16')", "r.integers(0, 255, (3, 3), dtype='uint8', endpoint=True)",
         "r.choice(50, 8)", "r.choice(50, 8, replace=False)", "r.choice(x, (2, 2), p=[0.5, 0.25, 0.25])", "r.choice(m, 2, axis=1)", "r.choice(m[:, 0], 0)"]
LEGACY = ["np.random.normal(1.0, x)", "np.random.uniform(0, 5, (2, 2))", "np.random.randn(3)", "np.random.randint(9, size=5)", "np.random.random_sample(4)",
          "np.random.choice(x, 2, replace=False)", "np.random.normal(size=3, dtype='float32')"]


@pytest.mark.parametrize("options", [(), ("--check-bounds",)])
def test_draws(options, tmp_path):
    """The stream's own order, among other operations and beside a second stream, and its state afterwards."""
    body = """
def check_draw(name, f):
    want, got = [], []
    for into, g in ((want, f), (got, autojit(f))):
        np.random.seed(4)
        r, s = np.random.default_rng(5), np.random.default_rng(6)
        x, m = np.array([0.25, 3.0, 1.5]), np.arange(12.0).reshape(3, 4)
        for turn in range(3):
            into.extend(g(r, s, x, m))
        into.extend([r.random(), s.random(), np.random.random()])
    assert all(same(a, b) for a, b in zip(want, got)), (name, want, got)

"""
    for text in DRAWS + LEGACY:
        body += (f"def f(r, s, x, m):\n    a = {text}\n    b = np.sum(s.random(4)) + np.asarray({text}) * 2\n    return a, b, np.stack([r.random(3), x * 2])\n"
                 f"check_draw({text!r}, f)\n")
    assert run_text(tmp_path, HEAD + body + "print('ok')\n", *options).stdout == "ok\n"
    left = fallbacks(tmp_path, body)
    assert left == []


def test_a_refused_draw_leaves_its_stream_alone(tmp_path):
    done = run_text(tmp_path, HEAD + """
f = autojit(lambda r, x: (r.random(3), r.normal(0.0, x, 3)))
for x in (np.array(1.0), np.array(-1.0)):
    r, s = np.random.default_rng(1), np.random.default_rng(1)
    told = []
    for g, stream in ((f, r), (lambda r, x: (r.random(3), r.normal(0.0, x, 3)), s)):
        try:
            told.append([a.tolist() for a in g(stream, x)])
        except ValueError as e:
            told.append(str(e))
    assert told[0] == told[1], told
    assert r.random() == s.random()
print(told[0])
""")
    assert done.stdout == "scale < 0\n", done.stdout + done.stderr


LARGE = ["a @ b.T", "a.T @ b", "np.dot(a[::-1], b.T)", "np.einsum('ij,kj->ki', a, b)", "np.einsum('ij,kj,kl->il', a, b, b)", "np.tensordot(a, b, ((0,), (0,)))",
         "np.stack([a, b]) @ b.T", "(a @ b.T + 1) @ a", "np.stack([a @ b.T, b @ a.T])", "np.inner(a, b)", "np.cov(a)", "(a @ b.T)[1:, ::2] @ a[::2]"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "complex128", "int64"])
def test_large_products(dtype, tmp_path):
    arguments = [f"numbers('{dtype}', 60, 70), numbers('{dtype}', 60, 70) + numbers('{dtype}', 70)", f"numbers('{dtype}', 70, 60).T, numbers('{dtype}', 120, 70)[::2]"]
    assert fallbacks(tmp_path, calls(LARGE, arguments, "a, b")) == []
