"""Writes ziggurat_tables.cpp: the 256-layer ziggurats of the normal and the exponential distribution.

Method: G. Marsaglia, W. W. Tsang, "The Ziggurat Method for Generating Random Variables", J. Stat. Software 5 (2000).
A decreasing density f is covered by 256 regions of one area v: layer i is the rectangle [0, x_i] x [f(x_i), f(x_{i-1})], and
the base is the strip under f(r) together with the tail beyond r = x_255; r is the number for which the topmost layer closes at
x = 0.

A stream that agrees with NumPy's bit for bit needs the tables that NumPy's streams are defined by. The exponential's are those
of exact arithmetic, rounded once. The normal's are those of double arithmetic: from r and an area that is 7 units in the last
place below the exact one, and with the density of layer 38 rounded up; both are written down below, the rest follows. Keys are
rounded, but the exponential's 53-bit keys are cut to 52 bits; its single precision starts from nine decimal digits.

    python3 make_ziggurat_tables.py > ziggurat_tables.cpp
"""

import math
from decimal import ROUND_HALF_EVEN, Decimal, getcontext

getcontext().prec = 60
LAYERS = 256

NORMAL_R = "3.6541528853610088"
NORMAL_AREA = float.fromhex("0x1.43016a5a4372ep-8")
NORMAL_ROUNDED_UP = {38}


def exponential_layers(r):
    """x_1 .. x_255 (x_0 = 0) and v; None when the layers pass the top (r too small)."""
    area = r * (-r).exp() + (-r).exp()
    x = [Decimal(0)] * LAYERS
    x[LAYERS - 1] = r
    for i in range(LAYERS - 2, 0, -1):
        height = area / x[i + 1] + (-x[i + 1]).exp()
        if height >= 1:
            return None
        x[i] = -height.ln()
    return x, area


def exponential():
    low, high = Decimal("7.6"), Decimal("7.8")
    for _ in range(190):
        r = (low + high) / 2
        found = exponential_layers(r)
        if found is None or found[1] / found[0][1] + (-found[0][1]).exp() > 1:
            low = r
        else:
            high = r
    x, area = exponential_layers(high)
    return x, [(-value).exp() for value in x], area


def normal():
    x = [0.0] * LAYERS
    f = [1.0] * LAYERS
    x[LAYERS - 1] = float(NORMAL_R)
    f[LAYERS - 1] = math.exp(-0.5 * x[LAYERS - 1] ** 2)
    for i in range(LAYERS - 2, 0, -1):
        x[i] = math.sqrt(-2.0 * math.log(NORMAL_AREA / x[i + 1] + f[i + 1]))
        f[i] = math.exp(-0.5 * x[i] * x[i])
        if i in NORMAL_ROUNDED_UP:
            f[i] = math.nextafter(f[i], 1.0)
    return [Decimal(v) for v in x], [Decimal(v) for v in f], Decimal(NORMAL_AREA)


def rounded(value, bits):
    """`value` to the nearest binary number of so many significant bits, as hexadecimal text."""
    if value == 0:
        return "0.0"
    exponent = math.frexp(float(value))[1] - bits
    unit = Decimal(2) ** exponent
    mantissa = int((value / unit).quantize(Decimal(1), ROUND_HALF_EVEN))
    return math.ldexp(mantissa, exponent).hex()


def table(kind, name, items, per_line):
    lines = [", ".join(items[i:i + per_line]) for i in range(0, len(items), per_line)]
    return f"const {kind} {name}[{len(items)}] = {{\n    " + ",\n    ".join(lines) + "};\n"


def main():
    print('// Written by make_ziggurat_tables.py.\n#include "runtime/random/ziggurat_tables.h"\n')
    print("namespace autoray::runtime::ziggurat {\n")
    for name, layers, double_bits, float_bits in (("normal", normal, 52, 23), ("exponential", exponential, 53, 23)):
        x, f, area = layers()
        r = x[LAYERS - 1]
        # The base strip is as wide as its area over its height; beyond r it stands for the tail.
        widths = [area / f[LAYERS - 1]] + x[1:]
        inner = [r, Decimal(0)] + x[1:LAYERS - 1]
        ratios = [inside / width for inside, width in zip(inner, widths)]
        if name == "normal":
            ratios = [Decimal(float(q)) for q in ratios]
        for suffix, kind, key_kind, bits, significant, mark, key_mark in (
                ("double", "double", "std::uint64_t", double_bits, 53, "", ""),
                ("float", "float", "std::uint32_t", float_bits, 24, "f", "u")):
            scale = Decimal(2) ** bits
            keys = [int((q * scale).quantize(Decimal(1), ROUND_HALF_EVEN)) for q in ratios]
            if bits == 53:
                keys = [2 * int(q * scale / 2) for q in ratios]
            digits = Decimal if name == "normal" or kind == "double" else lambda v: Decimal(f"{v:.8e}")
            print(table(key_kind, f"{name}_key_{suffix}", [hex(k) + key_mark for k in keys], 6))
            print(table(kind, f"{name}_width_{suffix}", [rounded(digits(w / scale), significant) + mark for w in widths], 5))
            print(table(kind, f"{name}_density_{suffix}", [rounded(digits(v), significant) + mark for v in f], 5))
        print(f"const double {name}_r = {rounded(r, 53)};")
        print(f"const float {name}_r_float = {rounded(r, 24)}f;")
        if name == "normal":
            print(f"const double normal_inverse_r = {rounded(1 / r, 53)};")
            print(f"const float normal_inverse_r_float = {rounded(1 / r, 24)}f;")
        print()
    print("}  // namespace autoray::runtime::ziggurat")


main()
