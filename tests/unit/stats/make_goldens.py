#!/usr/bin/env python3
"""Writes tests/data/stats/*.json: random cases of each statistic with what scipy, numpy or a plain
reference in this file makes of them.

Each file is {"made_with": ..., "columns": [...], "cases": [...]}, one case a line in the order of
the columns; null is NaN. Inputs are written so that the same double is read back, results with 13
digits, as the tests ask for 10.
Needs scipy 1.10 or newer:  python3 make_goldens.py ../../data/stats
"""

import json
import math
import pathlib
import sys
import warnings
from decimal import Decimal, getcontext

import numpy as np
import scipy
from scipy import stats
from scipy.stats._resampling import _bca_interval

CASES = 1000


def encoded(value, exact):
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ",".join(encoded(v, exact) for v in value) + "]"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    value = float(value)
    if math.isnan(value):
        return "null"
    assert not math.isinf(value)
    if value.is_integer() and abs(value) < 1e6:
        return str(int(value))
    return repr(value) if exact else f"{value:.13g}"


def write(folder, name, make_case, seed):
    rng = np.random.default_rng(seed)
    cases = [make_case(rng, number) for number in range(CASES)]
    columns = json.dumps([*cases[0][0], *cases[0][1]])
    rows = []
    for inputs, results in cases:
        cells = [encoded(v, True) for v in inputs.values()]
        cells += [encoded(v, False) for v in results.values()]
        rows.append("[" + ",".join(cells) + "]")
    made_with = f"scipy {scipy.__version__}, numpy {np.__version__}"
    text = f'{{"made_with":"{made_with}","columns":{columns},"cases":[\n' + ",\n".join(rows)
    (folder / f"{name}.json").write_text(text + "\n]}\n")


def sample(rng, low, high, kind):
    """Short numbers of one of several kinds: many ties, few ties, wide range, a constant."""
    size = int(rng.integers(low, high + 1))
    if kind == 0:
        return rng.integers(-3, 4, size).astype(float)
    if kind == 1:
        return np.round(rng.normal(0.3, 1, size), 3)
    if kind == 2:
        return np.array([float(f"{x:.3g}") for x in rng.standard_cauchy(size) * 100])
    return np.full(size, np.round(rng.normal(), 2))


def roc_case(rng, number):
    scores = sample(rng, 2, 16, number % 4)
    positive = rng.integers(0, 2, len(scores))
    if number % 50:
        positive[0], positive[1] = 0, 1
    yes, no = scores[positive == 1], scores[positive == 0]
    auc = math.nan
    if len(yes) and len(no):
        auc = stats.mannwhitneyu(yes, no).statistic / (len(yes) * len(no))
    return {"scores": scores, "positive": positive}, {"auc": auc}


def proportion_case(rng, number):
    n = int(rng.integers(1, [10, 200, 5000, 2_000_000][number % 4]))
    k = [0, n, int(rng.integers(0, n + 1)), int(rng.binomial(n, 0.02))][number // 4 % 4]
    alpha = [0.05, 0.01, 0.05 / 36, 0.1, 0.5][number % 5]
    upper = 1.0 if k == n else stats.beta.isf(alpha, k + 1, n - k)
    lower = 0.0 if k == 0 else stats.beta.ppf(alpha, k, n - k + 1)
    half_upper = 1.0 if k == n else stats.beta.isf(alpha / 2, k + 1, n - k)
    half_lower = 0.0 if k == 0 else stats.beta.ppf(alpha / 2, k, n - k + 1)
    test = stats.binomtest(k, n)
    exact = test.proportion_ci(1 - alpha, "exact")
    assert abs(exact.low - half_lower) < 1e-8 and abs(exact.high - half_upper) < 1e-8
    wilson = test.proportion_ci(1 - alpha, "wilson")
    other = float(np.round(rng.random(), 3)) if number % 7 else float(rng.integers(0, 2))
    h = 2 * np.arcsin(np.sqrt(k / n)) - 2 * np.arcsin(np.sqrt(other))
    return ({"k": k, "n": n, "alpha": alpha, "other": other},
            {"upper": upper, "lower": lower, "interval": [half_lower, half_upper],
             "wilson": [wilson.low, wilson.high], "h": h})


def tango_score(b, c, n, d):
    """Tango (1998), equations 15 and 18, in decimals."""
    linear = -b - c + (2 * n - b + c) * d
    constant = -c * d * (1 - d)
    q = ((linear * linear - 8 * n * constant).sqrt() - linear) / (4 * n)
    variance = n * (2 * q + d * (1 - d))
    if variance <= 0:
        return Decimal("-Infinity")
    return (b - c - n * d) / variance.sqrt()


def tango_upper(b, c, n, z):
    b, c, n, z = Decimal(b), Decimal(c), Decimal(n), Decimal(z)
    kept, refused = (b - c) / n, Decimal(1)
    if b == n:
        return 1.0
    for _ in range(90):
        middle = (kept + refused) / 2
        if tango_score(b, c, n, middle) < -z:
            refused = middle
        else:
            kept = middle
    return float(kept)


def tango_case(rng, number):
    getcontext().prec = 40
    n = int(rng.integers(1, [10, 300, 20_000][number % 3]))
    b = [0, n, int(rng.integers(0, n + 1)), int(rng.binomial(n, 0.03))][number // 3 % 4]
    c = [0, n - b, int(rng.integers(0, n - b + 1)), int(rng.binomial(n - b, 0.03))][number // 12 % 4]
    alpha = [0.05, 0.025, 0.05 / 36][number % 3]
    z = stats.norm.isf(alpha)
    b, c, n = (x * 1.375 if number % 5 == 0 else float(x) for x in (b, c, n))
    return ({"b": b, "c": c, "n": n, "alpha": alpha},
            {"upper": tango_upper(b, c, n, z), "lower": -tango_upper(c, b, n, z)})


def paired_t_case(rng, number):
    differences = sample(rng, 2, 14, number % 3)
    if len(set(differences)) == 1:
        differences[0] += 1
    test = stats.ttest_1samp(differences, 0)
    return ({"differences": differences},
            {"mean": np.mean(differences), "standard_error": stats.sem(differences),
             "t": test.statistic, "p": test.pvalue})


def mcnemar_case(rng, number):
    b, c = (int(x) for x in rng.integers(0, [6, 60, 3000][number % 3], 2))
    if number % 10 == 0:
        c = b
    if b + c == 0:
        return {"b": 0, "c": 0}, {"p": 1.0, "greater": 1.0}
    return ({"b": b, "c": c},
            {"p": stats.binomtest(b, b + c).pvalue,
             "greater": stats.binomtest(b, b + c, alternative="greater").pvalue})


def wilcoxon_case(rng, number):
    if number % 40 == 0:  # both sides of the limit of the exact distribution
        differences = np.round(rng.normal(0.2, 1, 50 + number // 40 % 2), 5)
    else:
        differences = sample(rng, 2, 16, number % 3)
    if not np.any(differences):
        differences[0] = 1
    sizes = np.abs(differences)
    exact = len(set(sizes)) == len(sizes) <= 50 and np.all(sizes > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = stats.wilcoxon(differences, correction=False, method="exact" if exact else "approx")
    return ({"differences": differences},
            {"statistic": test.statistic, "p": test.pvalue, "exact": exact})


def holm(p_values):
    order = [i for i in np.argsort(p_values, kind="stable") if not math.isnan(p_values[i])]
    adjusted, largest = list(p_values), 0.0
    for step, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - step) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def multiple_case(rng, number):
    p_values = np.array([float(f"{p:.4g}") for p in rng.random(int(rng.integers(0, 16))) ** 4])
    if number % 3 == 0:
        p_values = np.round(p_values, 1)
    if number % 5 == 0 and len(p_values):
        p_values[rng.integers(0, len(p_values))] = math.nan
    family = np.count_nonzero(~np.isnan(p_values))
    return ({"p": p_values},
            {"holm": holm(p_values), "bonferroni": np.minimum(1, p_values * family)})


def philox4x32_10(counter, key):
    """Salmon and others, SC11; arrays of uint64 that hold 32-bit words."""
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    for round_number in range(10):
        product0 = counter[0] * np.uint64(0xD2511F53)
        product1 = counter[2] * np.uint64(0xCD9E8D57)
        key0 = np.uint64((key[0] + round_number * 0x9E3779B9) & 0xFFFFFFFF)
        key1 = np.uint64((key[1] + round_number * 0xBB67AE85) & 0xFFFFFFFF)
        counter = [(product1 >> shift) ^ counter[1] ^ key0, product1 & low,
                   (product0 >> shift) ^ counter[3] ^ key1, product0 & low]
    return counter


def resamples(seed, first, count, size):
    """Indices [replicate, draw] as draw_resample of bootstrap.hpp defines them."""
    block, replicate = np.meshgrid(np.arange((size + 1) // 2, dtype=np.uint64),
                                   np.arange(first, first + count, dtype=np.uint64))
    words = philox4x32_10([block, replicate & np.uint64(0xFFFFFFFF), replicate >> np.uint64(32),
                           np.full_like(block, 0x626F6F74)], [seed & 0xFFFFFFFF, seed >> 32])
    pairs = np.stack([(words[1] << np.uint64(32)) | words[0],
                      (words[3] << np.uint64(32)) | words[2]], axis=-1)
    flat = pairs.reshape(count, -1)[:, :size]
    return np.array([[int(word) * size >> 64 for word in row] for row in flat])


def bootstrap_case(rng, number):
    values = rng.integers(-9, 10, int(rng.integers(3, 13))) / 4  # their sums are exact
    seed = int(rng.integers(0, 2**63))
    first = [0, 0, 2**32 - 5][number % 3]
    alpha = [0.05, 0.1][number % 2]
    count = int(rng.integers(60, 120))
    means = np.mean(values[resamples(seed, first, count, len(values))], axis=1)
    percentile = np.quantile(means, [alpha / 2, 1 - alpha / 2])
    bca = [math.nan, math.nan]
    if np.all(values == values[0]):
        bca = percentile
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            levels = _bca_interval((values,), lambda x, axis: np.mean(x, axis=axis), -1, alpha / 2,
                                   means, None)[:2]
        if not np.any(np.isnan(levels)):
            bca = np.quantile(means, np.ravel(levels))
    return ({"values": values, "seed": seed, "first": first, "count": count, "alpha": alpha},
            {"observed": np.mean(values), "standard_error": np.std(means, ddof=1),
             "percentile": percentile, "bca": bca})


MAKERS = {
    "roc": roc_case,
    "proportions": proportion_case,
    "tango": tango_case,
    "paired_t": paired_t_case,
    "mcnemar": mcnemar_case,
    "wilcoxon": wilcoxon_case,
    "multiple": multiple_case,
    "bootstrap": bootstrap_case,
}

if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    for seed, (name, make_case) in enumerate(MAKERS.items(), start=1):
        write(target, name, make_case, seed)
