"""The element-wise expressions by numpy, numexpr, numba and jax: every call gives a new array. usage: elementwise.py PROGRAM N;
prints `expression peer TAB seconds` lines."""
import sys

import jax
import numba
import numexpr
import numpy as np

PROGRAM, N = sys.argv[1], int(sys.argv[2])


def namespace(text):
    names = {}
    exec(text, names)
    return names


with open(PROGRAM) as f:
    TEXT = f.read()
numpys, jaxs = namespace(TEXT), namespace(TEXT.replace("import numpy as np", "import jax.numpy as np"))
seconds_of_call = numpys["seconds_of_call"]

NUMEXPR = {"poly": "(a*b+c)*a-b/(c+2.0)", "trig": "exp(-a*a)*sin(b)+sqrt(c*c+1.0)", "norm": "sum((a-b)*(a-b)*c)"}
free = numba.njit(fastmath={"reassoc", "contract", "nsz", "arcp"})


@free
def numba_poly(a, b, c):
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = (a[i] * b[i] + c[i]) * a[i] - b[i] / (c[i] + 2.0)
    return out


@free
def numba_trig(a, b, c):
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = np.exp(-a[i] * a[i]) * np.sin(b[i]) + np.sqrt(c[i] * c[i] + 1.0)
    return out


@free
def numba_norm(a, b, c):
    s = 0.0
    for i in range(a.size):
        s += (a[i] - b[i]) * (a[i] - b[i]) * c[i]
    return s


@free
def numba_soft(a, b, c):
    largest = a[0]
    for i in range(a.size):
        largest = max(largest, a[i])
    out = np.empty_like(a)
    s = 0.0
    for i in range(a.size):
        out[i] = np.exp(a[i] - largest)
        s += out[i]
    for i in range(a.size):
        out[i] /= s
    return out


def numexpr_soft(a, b, c):
    largest = numexpr.evaluate("max(a)")
    e = numexpr.evaluate("exp(a - largest)")
    total = numexpr.evaluate("sum(e)")
    return numexpr.evaluate("e / total", out=e)


def through_numexpr(name):
    if name == "soft":
        return numexpr_soft
    text = NUMEXPR[name]
    return lambda a, b, c: numexpr.evaluate(text, local_dict={"a": a, "b": b, "c": c})


def through_jax(name):
    compiled = jax.jit(jaxs[name])
    return lambda a, b, c: compiled(a, b, c).block_until_ready()


def main():
    rng = np.random.default_rng(0)
    operands = [rng.standard_normal(N) for _ in range(3)]
    on_jax = [jax.numpy.asarray(x) for x in operands]
    for name in ("poly", "trig", "norm", "soft"):
        want = numpys[name](*operands)
        peers = {"numpy": (numpys[name], operands), "numexpr": (through_numexpr(name), operands),
                 "numba": (globals()[f"numba_{name}"], operands), "jax": (through_jax(name), on_jax)}
        for peer, (f, given) in peers.items():
            assert np.allclose(f(*given), want, rtol=1e-9, atol=1e-9 * (N if name == "norm" else 1)), (name, peer)
            print(f"{name} {peer}\t{seconds_of_call(f, *given, 0.15)}", flush=True)


main()
