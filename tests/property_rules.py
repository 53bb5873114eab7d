"""How far a result may be from numpy's: the numerics contract, one rule an operation.

An operation that no table names is exact. Sums and products are exact too when all of their operands are "exact" arrays;
otherwise a case carries the text of its scale, the sum of the magnitudes of its terms.
"""
import re

import numpy

# At most this many units in the last place, of the larger component for complex results.
ULPS = {
    name: 4
    for name in (
        "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh "
        "arctan2 hypot cbrt power float_power logaddexp logaddexp2 sinc angle logspace geomspace"
    ).split()
}
# Exact for real operands, some ULP for complex ones.
COMPLEX_ULPS = {"sqrt": 4, "abs": 4, "sign": 4, "absolute": 4, "norm": 4}
# Complex product and quotient: 3 eps |a||b|.
COMPLEX_PRODUCTS = {"multiply", "divide", "square", "reciprocal", "round", "*", "/", "true_divide", "cumprod", "prod"}
# |difference| <= 2 n eps sum|terms|
SUMS = {"sum", "mean", "cumsum", "trace", "average", "nansum", "nanmean", "prod", "cumprod"}
SQUARES = {"var", "std", "nanvar", "nanstd"}
CONTRACTIONS = {"matmul", "dot", "vdot", "inner", "tensordot", "einsum", "outer", "kron", "cov", "vecdot", "@"}
# Which zero comes out of a tie is not numpy's to say; the edges of a histogram begin and end with an extreme.
ZERO_TIES = {"max", "min", "maximum", "minimum", "clip", "fmax", "fmin", "amax", "amin", "histogram"}

# Real numbers to these powers are products, quotients and roots, exact as numpy's.
EXACT_POWERS = re.compile(r"(\*\* \(?|raise_to\(a, )(-1|0|1|2|0\.5|2\.0)\)*(, \(.*\.copy\(\)\))?$")

# Nobody says what these hold.
UNSPECIFIED = {"empty", "empty_like"}


def eps_of(dtype):
    return float(numpy.finfo(dtype).eps)


def finite(x):
    """Wide copies of the magnitudes, whatever is not finite left out."""
    return numpy.nan_to_num(numpy.abs(numpy.asarray(x).astype("c16")), nan=0.0, posinf=0.0, neginf=0.0)


def reach(x):
    """How far each item can carry a product, up or down."""
    size = finite(x)
    with numpy.errstate(all="ignore"):
        return numpy.where(size == 0, 1.0, numpy.maximum(size, 1 / size))


def components(x):
    return x.view(numpy.finfo(x.dtype).dtype) if x.dtype.kind == "c" else x


def spacing_of(x):
    """One unit in the last place; of the larger component for complex."""
    info = numpy.finfo(x.dtype)
    size = numpy.maximum(numpy.abs(x.real), numpy.abs(x.imag)) if x.dtype.kind == "c" else numpy.abs(x)
    size = numpy.where(numpy.isfinite(size), size, 0)
    unit = numpy.maximum(numpy.spacing(size.astype(info.dtype)).astype("f8"), float(info.smallest_subnormal))
    return numpy.where(numpy.isfinite(unit), unit, eps_of(x.dtype) * float(info.max))


def scale_of(pool, case):
    namespace = {"np": numpy, "finite": finite, "reach": reach}
    with numpy.errstate(all="ignore"):
        return numpy.abs(eval(case.scale, namespace, pool.arrays)) if case.scale else None


def allowance(pool, case, b, backend):
    """The largest difference allowed of each element, None for equality; inf where the order of operations decides."""
    name, dtype = case.operation, b.dtype
    eps, is_complex = eps_of(dtype), dtype.kind == "c"
    bound = None
    if name in CONTRACTIONS or name in SUMS or name in SQUARES or name == "pad":
        exact = case.exact and (name in CONTRACTIONS or name in ("sum", "cumsum", "trace", "mean")) and name != "cov"
        if (not exact or backend != "numpy") and case.scale:
            scale = numpy.broadcast_to(scale_of(pool, case).astype("f8"), b.shape)
            n = max(case.terms, 2)
            bound = 2.0 * n * max(eps, eps_of(case.computed) if case.computed else 0) * scale
            bound = numpy.where(scale < 0.25 * float(numpy.finfo(dtype).max), bound, numpy.inf)
            if name in ("prod", "cumprod"):
                # Between the largest and the smallest number the error is relative; beyond, the order decides.
                size = numpy.abs(numpy.nan_to_num(b).astype("c16"))
                bound = numpy.where(numpy.isfinite(bound), 2.0 * n * eps * size, numpy.inf)
    if name == "mean" and (is_complex or case.complex_operands) and bound is None:
        bound = 4 * eps * numpy.abs(numpy.nan_to_num(b).astype("c16"))  # a complex quotient
    if name in SQUARES and dtype == "float16":
        # float16 is computed in float32 and rounded once; numpy's squares overflow on the way.
        bound = numpy.where(numpy.isinf(b), numpy.inf, 8 * spacing_of(b) if bound is None else bound)
    ulps = None if name == "power" and dtype.kind == "f" and EXACT_POWERS.search(case.text) else ULPS.get(name)
    if name in COMPLEX_ULPS and (is_complex or case.complex_operands):
        ulps = COMPLEX_ULPS[name]
    if ulps:
        bound = ulps * spacing_of(b)
        if case.computed is not None and case.computed.kind in "fc" and case.computed != dtype:
            bound = numpy.maximum(bound, ulps * eps_of(case.computed) * numpy.abs(numpy.nan_to_num(b)))
    if name in COMPLEX_PRODUCTS and is_complex and bound is None:
        bound = 4 * numpy.maximum(eps * numpy.abs(numpy.nan_to_num(b).astype("c16")),
                                  4 * float(numpy.finfo(dtype).smallest_subnormal))
    if backend != "numpy":
        loose = 64 * spacing_of(b)
        bound = loose if bound is None else numpy.maximum(16 * bound, loose)
    return bound


WIDER = {"float16": "float32", "float32": "float64", "float64": "longdouble", "complex64": "complex128", "complex128": "clongdouble"}


def judged_in_wider_numbers(pool, case, a, backend):
    """Whether a transcendental result is near enough to what numpy makes of the same operands in the next wider dtype.

    The contract is about the true value, from which numpy's may be some units off on the other side.
    """
    if case.operation not in ULPS or str(a.dtype) not in WIDER or "dtype" in case.text or "out" in case.text:
        return False
    arrays = {name: array.astype(WIDER.get(str(array.dtype), "longdouble")) if array.dtype.kind in "iufc" else array
              for name, array in pool.arrays.items() if name in case.text}
    try:
        true = numpy.asarray(eval(case.text, {"np": numpy}, arrays)).reshape(-1)
    except TypeError:
        return False
    if true.shape != a.shape:
        return False
    rounded = true.astype(a.dtype)
    bound = ULPS[case.operation] * spacing_of(rounded) * (1 if backend == "numpy" else 16)
    far = numpy.maximum(numpy.abs(a.real - true.real), numpy.abs(a.imag - true.imag))
    same = (components(a) == components(rounded)) | (numpy.isnan(components(a)) & numpy.isnan(components(rounded)))
    return bool(numpy.all((far <= bound) | same.reshape(a.size, -1).all(axis=1)))


def difference(pool, case, a, b, backend):
    """None when a (ours) is what numpy's b allows."""
    if case.operation in UNSPECIFIED or (case.operation == "pad" and "'empty'" in case.text):
        return None
    if a.dtype.kind not in "fc":
        if case.keys and not numpy.array_equal(a, b):
            a, b = (eval(case.keys, {"np": numpy, "RESULT": r}, pool.arrays) for r in (a, b))
            return None if numpy.array_equal(a, b, equal_nan=True) else "values"
        ok = a == b
        if case.operation == "reciprocal":
            ok |= a == 0  # 1 // 0: a cast of infinity
        if case.operation == "pad" and case.scale:
            # A mean of integers is a sum of floats, cut.
            bound = 1 + 2 * case.terms * eps_of("float64") * scale_of(pool, case)
            ok |= numpy.abs(a.astype("f8") - b.astype("f8")) <= bound
        return None if numpy.all(ok) else "values"
    if a.tobytes() == b.tobytes():
        return None
    with numpy.errstate(all="ignore"):
        bound = allowance(pool, case, b, backend)
        if bound is not None:
            bound = numpy.asarray(bound, "f8").reshape(-1)
        a, b = a.reshape(-1), b.reshape(-1)
        x, y = components(a), components(b)
        same_nan = numpy.isnan(x) == numpy.isnan(y)
        equal = (x == y) | (numpy.isnan(x) & numpy.isnan(y))
        both_nan = False
        if a.dtype.kind == "c" and case.operation in ("unique", "sort"):
            both_nan = numpy.repeat(numpy.isnan(a) & numpy.isnan(b), 2)  # which NaN stands for all is nobody's promise
            equal |= both_nan
        if bound is None:
            signs = numpy.signbit(x) == numpy.signbit(y)
            # Complex arithmetic adds products of zeros, in an order that nobody fixes.
            ties = case.zero_ties or case.operation in ZERO_TIES | CONTRACTIONS or (case.operation == "round" and a.dtype.kind == "c")
            ok = equal & (signs | numpy.isnan(x) | ties) | both_nan
            return None if ok.all() else "sign of zero" if equal.all() else "values"
        if a.dtype.kind == "c":
            bound = numpy.repeat(bound, 2)
        wide = numpy.abs(x.astype("f8") - y.astype("f8"))
        if a.dtype.kind == "c":
            wide = numpy.repeat(numpy.max(wide.reshape(-1, 2), axis=1), 2)
        ok = equal | (wide <= bound) | (bound == numpy.inf)
        if a.dtype.kind == "c" and case.operation in CONTRACTIONS | COMPLEX_PRODUCTS | SUMS | {"power"}:
            # Infinity times a complex number: which part becomes NaN depends on the product's order, and for a power on
            # whether numpy takes a root or a logarithm.
            whole = numpy.repeat((~numpy.isfinite(a)) & ~numpy.isfinite(b), 2)
            ok |= whole
        if ok.all() or judged_in_wider_numbers(pool, case, a, backend):
            return None
        return "values" if same_nan.all() else "NaN"
