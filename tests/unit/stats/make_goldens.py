#!/usr/bin/env python3
"""Writes tests/data/stats/*.json: random cases of each statistic with what scipy, numpy or a plain
reference in this file makes of them.

Each file is {"made_with": ..., "columns": [...], "cases": [...]}, one case a line in the order of
the columns; null is NaN. Inputs are written so that the same double is read back, results with 13
digits, as the tests ask for 10.
Needs scipy 1.10 or newer:  python3 make_goldens.py ../../data/stats [NAME ..]
Tests of shares, the AUC's interval and Wilcoxon's test are of tests/oracle/statistics_oracle.py.
"""

import itertools
import json
import math
import pathlib
import sys
import warnings
from decimal import Decimal, getcontext

import numpy as np
import scipy
from scipy import optimize, stats
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
        percentile = bca
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


def fisher(r, unit_variance, n, alpha):
    if math.isnan(r):
        return [math.nan, math.nan]
    if n <= 3:
        return [-1, 1]
    if abs(r) == 1:
        return [math.nan, math.nan]
    with np.errstate(divide="ignore"):
        error = np.sqrt(unit_variance / (n - 3))
        return np.tanh(np.arctanh(r) + stats.norm.isf(alpha / 2) * error * np.array([-1, 1]))


def perfect_order_p(x, y):
    """Share of the orders of y that go with x as perfectly."""
    ranks = stats.rankdata(y)
    seen = abs(np.corrcoef(stats.rankdata(x), ranks)[0, 1])
    found = [abs(np.corrcoef(stats.rankdata(x), order)[0, 1]) >= seen - 1e-9
             for order in itertools.permutations(ranks)]
    return sum(found) / len(found)


def noisy_pairs(rng, number):
    """x and y that are no exact line, where a remainder of 1e-16 would decide the digits."""
    x = sample(rng, 4, 12, number % 3)
    slope = [0, 0.5, -2][number // 3 % 3]
    y = np.round(slope * x + rng.normal(0, np.std(x) + 0.5, len(x)), [3, 0][number // 9 % 2])
    x[0] += float(len(set(x)) == 1)
    y[-1] += float(len(set(y)) == 1)
    return x, y


def pairs_case(rng, number):
    x, y = noisy_pairs(rng, number)
    alpha = [0.05, 0.01][number % 2]
    pearson, spearman = stats.pearsonr(x, y), stats.spearmanr(x, y)
    ours = fisher(pearson.statistic, 1, len(x), alpha)
    theirs = pearson.confidence_interval(1 - alpha)
    assert np.allclose(ours, [theirs.low, theirs.high], rtol=1e-9)
    rho = spearman.statistic
    if abs(rho) > 1 - 1e-12:  # scipy's rounding of a perfect order
        rho = float(np.sign(rho))
    line = stats.linregress(x, y)
    return ({"x": x, "y": y, "alpha": alpha},
            {"pearson": pearson.statistic, "pearson_p": pearson.pvalue, "interval": ours,
             "spearman": rho,
             "spearman_p": perfect_order_p(x, y) if abs(rho) == 1 else spearman.pvalue,
             "spearman_interval": fisher(rho, 1 + rho * rho / 2, len(x), alpha),
             "slope": line.slope, "intercept": line.intercept, "r2": line.rvalue**2,
             "slope_error": line.stderr, "intercept_error": line.intercept_stderr})


def welch_freedom(a, b):
    of_a, of_b = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    return (of_a + of_b) ** 2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))


def tails(difference, error, freedom, margin):
    return [stats.t.sf((difference + margin) / error, freedom),
            stats.t.cdf((difference - margin) / error, freedom)]


def means_case(rng, number):
    """Two samples: Welch, Cohen's d, equivalence; the first of them also as differences of pairs."""
    a, b = sample(rng, 2, 12, number % 4), sample(rng, 2, 12, number % 3)
    if len(set(b)) == 1:
        b[0] += 1
    margin = [0.5, 2.0, 30.0][number % 3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns where one sample has no variance
        test = stats.ttest_ind(a, b, equal_var=False)
    pooled = ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / (
        len(a) + len(b) - 2)
    difference = np.mean(a) - np.mean(b)
    error, freedom = np.hypot(stats.sem(a), stats.sem(b)), welch_freedom(a, b)
    paired = tails(np.mean(b), stats.sem(b), len(b) - 1, margin)
    return ({"a": a, "b": b, "margin": margin},
            {"difference": difference, "standard_error": error, "freedom": freedom,
             "t": test.statistic, "p": test.pvalue, "d": difference / np.sqrt(pooled),
             "tost": tails(difference, error, freedom, margin), "tost_paired": paired})


def counts_case(rng, number):
    n = rng.integers(2, [12, 400, 50_000][number % 3], 2)
    k = [int(rng.integers(0, size + 1)) for size in n]
    if k[0] in (0, n[0]) and k[1] in (0, n[1]):
        k[0] = 1
    a, b = (np.repeat([1.0, 0.0], [ones, size - ones]) for ones, size in zip(k, n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = stats.ttest_ind(a, b, equal_var=False)
    again = stats.ttest_ind_from_stats(a.mean(), a.std(ddof=1), n[0], b.mean(), b.std(ddof=1),
                                       n[1], equal_var=False)
    assert math.isclose(test.pvalue, again.pvalue, rel_tol=1e-8, abs_tol=1e-300)
    return {"k": k, "n": n}, {"t": test.statistic, "p": test.pvalue}


def equivalence_size(difference, sd, margin, alpha, power):
    z = stats.norm.isf(alpha)

    def lacking(log_n):
        error = sd * math.sqrt(2 / math.exp(log_n))
        return power - (stats.norm.cdf((margin - difference) / error - z)
                        + stats.norm.cdf((margin + difference) / error - z) - 1)

    return max(1, math.ceil(math.exp(optimize.brentq(lacking, -60, 60, xtol=1e-14))))


def power_case(rng, number):
    p, q = (float(np.round(x, 3)) for x in rng.uniform(0.001, 0.999, 2))
    q += 0.0005  # never equal
    n = [int(x) for x in rng.integers(1, [30, 1000, 10**6][number % 3], 2)]
    alpha, power = [0.05, 0.01, 0.05 / 36][number % 3], [0.8, 0.9][number % 2]
    z, zp = stats.norm.isf(alpha / 2), stats.norm.isf(1 - power)
    factor = z + zp
    error = math.sqrt(p * (1 - p) / n[0] + q * (1 - q) / n[1])
    found = stats.norm.cdf(abs(p - q) / error - z) + stats.norm.cdf(-abs(p - q) / error - z)
    share = math.sqrt(1 / n[0] + 1 / n[1])
    means = stats.norm.sf(z - 0.3 / share / p) + stats.norm.cdf(-0.3 / share / p - z)
    true_difference = float(np.round(rng.uniform(-0.9, 0.9), 2)) * (number % 4 > 0)
    return ({"p": p, "q": q, "n": n, "alpha": alpha, "power": power,
             "true_difference": true_difference},
            {"factor": factor, "two_proportions": found, "two_means": means,
             "detectable": factor * math.sqrt(p * (1 - p)) * share,
             "size": max(1, math.ceil(factor**2 * (p * (1 - p) + q * (1 - q)) / (p - q) ** 2)),
             "equivalence": equivalence_size(true_difference, p, 1.0, alpha, power),
             "half_width": max(1, math.ceil(p * (1 - p) * (z / 0.03) ** 2))})


MAKERS = {  # with the seed of each
    "roc": (roc_case, 1),
    "proportions": (proportion_case, 2),
    "tango": (tango_case, 3),
    "paired_t": (paired_t_case, 4),
    "mcnemar": (mcnemar_case, 5),
    "multiple": (multiple_case, 7),
    "bootstrap": (bootstrap_case, 8),
    "pairs": (pairs_case, 9),
    "means": (means_case, 10),
    "counts": (counts_case, 11),
    "power": (power_case, 12),
}

if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or MAKERS:
        make_case, seed = MAKERS[name]
        write(target, name, make_case, seed)
