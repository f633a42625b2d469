#!/usr/bin/env python3
"""Recomputes the block formats of docs/metrics.md with numpy and writes what they make of seeded blocks.

Usage: quantizer_oracle.py FILE        writes tests/data/quantizer-goldens.bin
       quantizer_oracle.py --check FILE

FILE is little-endian binary32: for each of CASES the 256 weights, then for each of OUTPUTS the 256
dequantized values. Written from the published definitions, nothing is shared with the C++ code;
everything is binary32, one rounding a step, sums from the first element to the last.
"""
import sys

import numpy as np

F32 = np.float32
ZERO, ONE = F32(0), F32(1)
BLOCK = 256


def total(values):
    """Left to right, from 0."""
    return np.add.accumulate(np.concatenate(([ZERO], values)).astype(F32), dtype=F32)[-1]


def binary16(x):
    return F32(np.float16(F32(x)))


def integer(x):
    """The float-to-int trick of ggml: adds 1.5 2^23 and takes the low mantissa bits."""
    shifted = (np.asarray(x, F32) + F32(12582912.0)).view(np.int32)
    return (shifted & 0x7FFFFF) - 0x400000


def amax_of(x):
    return np.abs(x).max()


# --- GGUF --------------------------------------------------------------------------------------

def q8_0(x):
    d = amax_of(x) / F32(127)
    inverse = ONE / d if d else ZERO
    scaled = (x * inverse).astype(np.float64)
    code = np.trunc(scaled + np.copysign(0.5, scaled))  # half away from zero, exact in float64
    return (np.where(np.isfinite(code), code, 0) + 0.0).astype(F32) * binary16(d)


def signed_products(x, codes):
    w = x * x
    codes = codes.astype(F32)
    return total(w * x * codes), total(w * codes * codes)


def signed_start(x, half, shift=0.0):
    largest = x[np.argmax(np.abs(x))]
    inverse = -(F32(half) + F32(shift)) / largest
    return np.clip(integer(inverse * x), -half, half - 1)


def q6_sub_block(x):
    """Scale and codes + 32 by trying 19 scales."""
    if amax_of(x) < F32(1e-15):
        return ZERO, np.zeros(16, int)
    codes = signed_start(x, 32)
    xl, ll = signed_products(x, codes)
    scale = xl / ll if ll else ZERO
    best = scale * xl
    for step in [*range(-9, 0), *range(1, 10)]:
        tried = signed_start(x, 32, F32(0.1) * F32(step))
        xl, ll = signed_products(x, tried)
        if ll > 0 and xl * xl > best * ll:
            codes, scale = tried, xl / ll
            best = scale * xl
    return scale, codes + 32


def q3_sub_block(x):
    """Scale and codes + 4 by changing one code at a time."""
    if amax_of(x) < F32(1e-15):
        return ZERO, np.zeros(16, int)
    codes = signed_start(x, 4)
    xl, ll = signed_products(x, codes)
    for _ in range(5):
        changed = False
        for i, value in enumerate(x):
            w, old = value * value, F32(codes[i])
            other_xl = xl - w * value * old
            if not other_xl > 0:
                continue
            other_ll = ll - w * old * old
            new = min(3, max(-4, int(integer(value * other_ll / other_xl))))
            if new == codes[i]:
                continue
            other_xl += w * value * F32(new)
            other_ll += w * F32(new) * F32(new)
            if other_ll > 0 and other_xl * other_xl * ll > xl * xl * other_ll:
                codes[i], xl, ll, changed = new, other_xl, other_ll, True
        if not changed:
            break
    return (xl / ll if ll > 0 else ZERO), codes + 4


def signed_super_block(x, sub_block, half, steps, top):
    """16 sub-blocks, scales as multiples of largest/-steps, at most `top`."""
    parts = [sub_block(part) for part in x.reshape(16, 16)]
    scales = np.array([scale for scale, _ in parts], F32)
    codes = np.array([code for _, code in parts])
    largest = scales[np.argmax(np.abs(scales))]
    negligible = abs(largest) < F32(1e-15) if half == 32 else largest == 0
    if negligible and half == 32:
        d, multiples, codes = ZERO, np.zeros(16, int), np.zeros((16, 16), int)
    elif negligible:
        d, multiples = ZERO, np.full(16, -32)
    else:
        inverse = F32(-steps) / largest
        d = binary16(ONE / inverse)
        multiples = np.clip(integer(inverse * scales), -steps, top)
    out = np.empty((16, 16), F32)
    for j, part in enumerate(x.reshape(16, 16)):
        scale = d * F32(multiples[j])
        if scale != 0:
            codes[j] = half + np.clip(integer(part / scale), -half, half - 1)
        out[j] = scale * (codes[j] - half).astype(F32)
    return out.ravel()


def q6_k(x):
    return signed_super_block(x, q6_sub_block, 32, 128, 127)


def q3_k(x):
    return signed_super_block(x, q3_sub_block, 4, 32, 31)


def fit_line(x, w, top, first, tries, absolute):
    """Scale, minimum and codes of x = scale*code - minimum."""
    low, high = min(x.min(), ZERO), x.max()
    if low == high:
        return ZERO, -low, np.zeros(x.size, int)
    sum_w, sum_x = total(w), total(w * x)

    def codes_for(inverse):
        return np.clip(integer(inverse * (x - low)), 0, top)

    def cost(scale, offset, codes):
        e = scale * codes.astype(F32) + offset - x
        return total(w * (np.abs(e) if absolute else e * e))

    inverse = F32(top) / (high - low)
    scale, codes = ONE / inverse, codes_for(inverse)
    best = cost(scale, low, codes)
    for i in range(tries + 1):
        tried = codes_for((F32(first) + F32(0.1) * F32(i) + F32(top)) / (high - low))
        l = tried.astype(F32)
        sum_l, sum_ll, sum_xl = total(w * l), total(w * l * l), total(w * l * x)
        determinant = sum_w * sum_ll - sum_l * sum_l
        if not determinant > 0:
            continue
        slope = (sum_w * sum_xl - sum_x * sum_l) / determinant
        offset = (sum_ll * sum_x - sum_l * sum_xl) / determinant
        if offset > 0:
            slope, offset = sum_xl / sum_ll, ZERO
        now = cost(slope, offset, tried)
        if now < best:
            best, scale, low, codes = now, slope, offset, tried
    return scale, -low, codes


def offset_super_block(x, length, top, first, tries, steps):
    count = BLOCK // length
    parts = []
    for part in x.reshape(count, length):
        if length == 32:
            w = np.sqrt(total(part * part) / F32(32)) + np.abs(part)
        else:
            w = np.abs(part)
        parts.append(fit_line(part, w, top, first, tries, length == 16))
    largest = [max([ZERO, *(part[k] for part in parts)]) for k in (0, 1)]
    to_code = [F32(steps) / v if v > 0 else ZERO for v in largest]
    d = [binary16(v / F32(steps)) for v in largest]
    out = np.empty((count, length), F32)
    for j, part in enumerate(x.reshape(count, length)):
        multiple = [int(integer(to_code[k] * parts[j][k])) % 256 for k in (0, 1)]
        if steps == 63:
            multiple = [min(63, m) for m in multiple]
        else:
            byte = (multiple[0] | multiple[1] << 4) % 256
            multiple = [byte % 16, byte // 16]
        scale, minimum = (d[k] * F32(multiple[k]) for k in (0, 1))
        codes = parts[j][2]
        if scale != 0:
            codes = np.clip(integer((part + minimum) / scale), 0, top)
        out[j] = scale * codes.astype(F32) - minimum
    return out.ravel()


def q5_k(x):
    return offset_super_block(x, 32, 31, -0.5, 15, 63)


def q4_k(x):
    return offset_super_block(x, 32, 15, -1.0, 20, 63)


def q2_k(x):
    return offset_super_block(x, 16, 3, -0.5, 15, 15)


# --- 4-bit floats ------------------------------------------------------------------------------

E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
E4M3 = np.array([m * 2.0 ** -9 for m in range(8)]
                + [(1 + m / 8) * 2.0 ** e for e in range(-6, 9) for m in range(8)])[:-1]


def nearest_even(table, values):
    """Nearest entry, ties to the entry of even index; beyond the last: the last."""
    values = np.asarray(values, np.float64)
    upper = np.clip(np.searchsorted(table, values), 1, len(table) - 1)
    below, above = values - table[upper - 1], table[upper] - values
    odd = upper % 2 == 1
    index = np.where((below < above) | ((below == above) & odd), upper - 1, upper)
    return table[index].astype(F32)


def nvfp4(x, amax):
    g = amax / F32(2688)
    block = amax_of(x)
    if amax == 0:
        return np.zeros_like(x)
    with np.errstate(divide="ignore", over="ignore"):
        wanted = ONE if block == 0 else block / (F32(6) * g)
    wanted = ONE if wanted == 0 else min(max(wanted, F32(2.0 ** -9)), F32(448))
    scale = nearest_even(E4M3, wanted) * g
    if scale == 0:
        return np.zeros_like(x)
    code = nearest_even(E2M1, np.abs(x / scale))
    return (np.where(x < 0, -code, code) + ZERO) * scale


def mxfp4(x, exponent):
    scale = np.ldexp(1.0, exponent)
    code = nearest_even(E2M1, np.abs(x.astype(np.float64)) / scale)
    return np.copysign(code.astype(np.float64) * scale, x).astype(F32)


def floor_log2(value):
    return int(np.frexp(np.float64(value))[1]) - 1 if value > 0 else -1000


def mxfp4_ocp(x):
    return mxfp4(x, max(floor_log2(amax_of(x)) - 2, -127))


def mxfp4_even(x):
    amax = np.float64(amax_of(x))
    unit = 2.0 ** max(floor_log2(amax) - 1, -150)  # the one mantissa bit; ties go up
    return mxfp4(x, max(floor_log2(np.floor(amax / unit + 0.5) * unit) - 2, -127))


def mxfp4_rceil(x):
    ratio = np.float64(amax_of(x) * F32(1 / 6))
    return mxfp4(x, max(int(np.ceil(np.log2(ratio))), -127) if ratio > 0 else -127)


def mxfp4_ggml(x):
    amax = amax_of(x)
    logarithm = F32(np.log2(np.float64(amax))) if amax > 0 else F32(-1000)
    scale = F32(2.0 ** max(int(np.floor(logarithm)) - 2, -127))
    values = np.concatenate((E2M1, -E2M1[1:])).astype(F32)
    # The definition's products are the same: halves of a power of two times twice the value.
    products = values[:, None] * scale
    return products[np.argmin(np.abs(products - x), axis=0), 0]


# --- compressed-tensors ------------------------------------------------------------------------

def bfloat16(x):
    bits = int(np.asarray(x, F32).view(np.uint32))
    kept, rest = bits >> 16, bits & 0xFFFF
    kept += rest > 0x8000 or (rest == 0x8000 and kept & 1)
    return np.uint32(kept << 16).view(F32)


STORED = {"bf16": (bfloat16, 2.0 ** -7), "f16": (binary16, 2.0 ** -10), "f32": (F32, 2.0 ** -23)}


def symmetric(bits, dtype):
    rounded, epsilon = STORED[dtype]

    def round_trip(x):
        scale = rounded(amax_of(x) / F32((2 ** bits - 1) / 2))
        scale = scale if scale else F32(epsilon)
        code = np.rint(np.clip(x / scale, F32(-2 ** (bits - 1)), F32(2 ** (bits - 1) - 1)))
        return (code + ZERO) * scale
    return round_trip


# --- cases -------------------------------------------------------------------------------------

OUTPUTS = [("q8_0", 32, q8_0), ("q6_k", 256, q6_k), ("q5_k", 256, q5_k), ("q4_k", 256, q4_k),
           ("q3_k", 256, q3_k), ("q2_k", 256, q2_k), ("nvfp4", 16, nvfp4),
           ("mxfp4_ocp", 32, mxfp4_ocp), ("mxfp4_even", 32, mxfp4_even),
           ("mxfp4_rceil", 32, mxfp4_rceil), ("mxfp4_ggml", 32, mxfp4_ggml),
           ("ct_int4 bf16", 32, symmetric(4, "bf16")), ("ct_int4 f16", 128, symmetric(4, "f16")),
           ("ct_int8 f32", 64, symmetric(8, "f32")), ("ct_int8 bf16", 128, symmetric(8, "bf16"))]


def mixed(random):
    """A different kind of values in each 16 weights."""
    x = random.normal(0, 0.02, (16, 16))
    x[1] = 0
    x[2] = 0.125
    x[3] = -0.3
    x[4] = -np.abs(x[4])
    x[5] = np.abs(x[5])
    x[6, 1:] = 0
    x[7] = np.tile([1, -1], 8) * 0.01
    x[8, 3] = 3
    x[9] *= 1e-4
    x[10] = np.linspace(-0.08, 0.07, 16)
    x[11] = 1 + 1e-3 * x[11]
    x[12] = -0.0
    x[13] = 2.0 ** -np.arange(16)
    x[14] *= 1e-20
    return x.ravel()


def cases():
    random = np.random.default_rng(20240229)
    made = [random.normal(0, 0.02, BLOCK).astype(F32),
            random.standard_t(3, BLOCK) * 0.01,
            mixed(random),
            random.normal(0, 1e-7, BLOCK),
            random.normal(0, 2e4, BLOCK),
            -np.abs(random.normal(0, 0.02, BLOCK)) - 0.001,
            random.integers(-12, 13, BLOCK) / 4,   # ties, and amax on the border of the rules
            np.zeros(BLOCK),
            random.normal(0, 1e-39, BLOCK),        # subnormal
            np.full(BLOCK, 0.7)]
    made = [np.array(x, np.float64).astype(F32) for x in made]
    made[0] = (made[0].view(np.uint32) & np.uint32(0xFFFF0000)).view(F32)
    made[6][::32] = np.nextafter(F32(4), F32(0))   # just below a power of two
    return made


def goldens():
    for x in cases():
        yield x
        for name, length, round_trip in OUTPUTS:
            blocks = [round_trip(b, amax_of(x)) if name == "nvfp4" else round_trip(b)
                      for b in x.reshape(-1, length)]
            out = np.concatenate(blocks)
            assert out.dtype == F32, name
            yield out


def main():
    with np.errstate(all="ignore"):
        data = b"".join(values.astype("<f4").tobytes() for values in goldens())
    path = sys.argv[-1]
    if "--check" in sys.argv:
        with open(path, "rb") as file:
            same = file.read() == data
        print("same" if same else "different")
        return 0 if same else 1
    with open(path, "wb") as file:
        file.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
