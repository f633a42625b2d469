#!/usr/bin/env python3
"""The tests of shares, their power, the interval of the AUC and Wilcoxon's test, written from their
definitions with whole numbers, decimals and full enumeration, and nothing of the program's methods.

Writes 1,000 random cases each to tests/data/stats, which stats_test reads (goldens.hpp):
  python3 statistics_oracle.py ../data/stats [NAME ..]
Needs numpy. cli.quality compares the program's tables with the functions here.
"""

import functools
import itertools
import json
import math
import pathlib
import sys
from decimal import Decimal, getcontext
from fractions import Fraction
from statistics import NormalDist

import numpy as np

CASES = 1000
EXACT_N = 256  # most_exact_n of two_proportions_power.hpp
TIE = Fraction(10**7 + 1, 10**7)
getcontext().prec = 60


def upper_tail(z):
    return 0.5 * math.erfc(z / math.sqrt(2))


def critical(tail):
    return -NormalDist().inv_cdf(tail)


def fisher(k_a, n_a, k_b, n_b):
    """Two-sided: all tables with these margins that are no more probable than this one."""
    yes = k_a + k_b
    ways = [math.comb(n_a, x) * math.comb(n_b, yes - x) for x in range(max(0, yes - n_b), min(n_a, yes) + 1)]
    most = math.comb(n_a, k_a) * math.comb(n_b, k_b) * TIE
    return float(Fraction(sum(w for w in ways if w <= most), sum(ways)))


def constrained_variance(k_a, n_a, k_b, n_b, difference):
    """Farrington and Manning: maximum-likelihood shares with p_a - p_b = difference, by bisection of the
    score's sign, which is that of a cubic inside the interval of possible shares."""
    k_a, n_a, k_b, n_b, d = (Decimal(x) for x in (k_a, n_a, k_b, n_b, difference))
    low, high = max(Decimal(0), -d), min(Decimal(1), 1 - d)
    for _ in range(170):
        q = (low + high) / 2
        p = q + d
        score = ((k_a * (1 - p) - (n_a - k_a) * p) * q * (1 - q) + (k_b * (1 - q) - (n_b - k_b) * q) * p * (1 - p))
        low, high = (q, high) if score > 0 else (low, q)
    q = (low + high) / 2
    p = q + d
    return p * (1 - p) / n_a + q * (1 - q) / n_b


def score_tost(k_a, n_a, k_b, n_b, margin):
    difference = Decimal(k_a) / n_a - Decimal(k_b) / n_b
    m = Decimal(margin)
    z_lower = (difference + m) / constrained_variance(k_a, n_a, k_b, n_b, -m).sqrt()
    z_upper = (difference - m) / constrained_variance(k_a, n_a, k_b, n_b, m).sqrt()
    lower, upper = upper_tail(float(z_lower)), upper_tail(-float(z_upper))
    return {"difference": float(difference), "z_lower": float(z_lower), "p_lower": lower,
            "z_upper": float(z_upper), "p_upper": upper, "p": max(lower, upper)}


def binomial(n, p):
    return np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])


@functools.lru_cache(None)
def fisher_table(n):
    """p of every pair of counts of n each."""
    table = np.ones((n + 1, n + 1))
    row = [math.comb(n, k) for k in range(n + 1)]
    for yes in range(2 * n + 1):
        first, last = max(0, yes - n), min(n, yes)
        total = math.comb(2 * n, yes)
        chance = np.array([row[x] * row[yes - x] / total for x in range(first, last + 1)])
        order = np.sort(chance)
        sums = np.cumsum(order)
        places = np.searchsorted(order, chance * (1 + 1e-7), side="right") - 1
        table[np.arange(first, last + 1), yes - np.arange(first, last + 1)] = sums[places]
    return table


@functools.lru_cache(None)
def score_table(n, margin):
    """p of both tests for every pair of counts of n each."""
    k_a, k_b = (x.astype(float) for x in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
    low, high = np.full_like(k_a, margin), np.ones_like(k_a)  # p_a - p_b = -margin
    for _ in range(60):
        q = (low + high) / 2
        p = q - margin
        score = (k_a * (1 - p) - (n - k_a) * p) * q * (1 - q) + (k_b * (1 - q) - (n - k_b) * q) * p * (1 - p)
        low, high = np.where(score > 0, q, low), np.where(score > 0, high, q)
    q = (low + high) / 2
    p = q - margin
    z = ((k_a - k_b) / n + margin) / np.sqrt((p * (1 - p) + q * (1 - q)) / n)
    lower = np.vectorize(upper_tail)(z)
    return np.maximum(lower, lower.T)  # the upper test is the lower one of the arms exchanged


def power_of(table, p, q, alpha):
    n = len(table) - 1
    return float(binomial(n, p) @ (table < alpha) @ binomial(n, q))


def fisher_power(p, q, n, alpha):
    return power_of(fisher_table(n), p, q, alpha)


def score_power(p, q, n, margin, alpha):
    return power_of(score_table(n, margin), p, q, alpha)


def exact_or(approximate, power, power_at):
    if approximate > 2 * EXACT_N:
        return approximate
    for n in range(1, EXACT_N + 1):
        if power_at(n) >= power:
            return n
    return max(EXACT_N + 1, approximate)


def fisher_formula(p, q, alpha, power):
    d, r = abs(p - q), (p + q) / 2
    m = (critical(alpha / 2) * math.sqrt(2 * r * (1 - r))
         + critical(1 - power) * math.sqrt(p * (1 - p) + q * (1 - q))) ** 2 / d**2
    return max(1, math.ceil(m / 4 * (1 + math.sqrt(1 + 4 / (m * d))) ** 2))


def fisher_size(p, q, alpha, power):
    return exact_or(fisher_formula(p, q, alpha, power), power, lambda n: fisher_power(p, q, n, alpha))


def score_formula(p, q, margin, alpha, power):
    z, d, s = critical(alpha), p - q, math.sqrt(p * (1 - p) + q * (1 - q))
    above, below = (float(constrained_variance(p, 1, q, 1, side).sqrt()) for side in (margin, -margin))

    def enough(n):
        x, y = math.sqrt(n) * (margin - d) - z * above, math.sqrt(n) * (margin + d) - z * below
        return x > 0 and y > 0 if s == 0 else 1 - upper_tail(x / s) - upper_tail(y / s) >= power

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def score_size(p, q, margin, alpha, power):
    if abs(p - q) >= margin:
        return math.inf
    return exact_or(score_formula(p, q, margin, alpha, power), power,
                    lambda n: score_power(p, q, n, margin, alpha))


def auc_interval(scores, positive, alpha):
    """DeLong's structural components by comparing every pair."""
    yes = [s for s, p in zip(scores, positive) if p]
    no = [s for s, p in zip(scores, positive) if not p]
    if not yes or not no:
        return math.nan, math.nan, math.nan
    wins = np.array([[1.0 * (a > b) + 0.5 * (a == b) for b in no] for a in yes])
    auc = wins.mean()
    smaller = min(len(yes), len(no))
    if auc in (0.0, 1.0):
        bound = alpha ** (1 / smaller)
        return auc, *((bound, 1.0) if auc == 1.0 else (0.0, -math.expm1(math.log(alpha) / smaller)))
    if smaller < 2:
        return auc, math.nan, math.nan
    error = math.sqrt(wins.mean(axis=1).var(ddof=1) / len(yes) + wins.mean(axis=0).var(ddof=1) / len(no))
    if error < 1e-12:
        return auc, math.nan, math.nan
    logit, reach = math.log(auc / (1 - auc)), critical(alpha / 2) * error / (auc * (1 - auc))
    return auc, *(1 / (1 + math.exp(-(logit + side * reach))) for side in (-1, 1))


def mid_ranks(values):
    return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]


def wilcoxon(differences):
    """All choices of signs, each as likely; beyond 50 differences the normal approximation."""
    kept = [d for d in differences if d != 0]
    ranks = mid_ranks([abs(d) for d in kept])
    positive = sum(r for r, d in zip(ranks, kept) if d > 0)
    statistic = min(positive, sum(ranks) - positive)
    if len(kept) > 50:
        n = len(kept)
        sizes = [sum(abs(d) == abs(e) for e in kept) for d in kept]
        ties = sum(t * t - 1 for t in sizes)
        z = (statistic - n * (n + 1) / 4) / math.sqrt((n * (n + 1) * (2 * n + 1) - ties / 2) / 24)
        return statistic, min(1.0, 2 * upper_tail(-z)), False
    ways = {0: 1}
    for rank in ranks:
        more = dict(ways)
        for total, count in ways.items():
            more[total + rank] = more.get(total + rank, 0) + count
        ways = more
    below = sum(count for total, count in ways.items() if total <= statistic)
    return statistic, float(min(1, Fraction(2 * below, 2 ** len(ranks)))), True


def counts(rng, number):
    """n from 1 to 500, none and all among the counts."""
    n = [int(x) for x in rng.integers(1, [6, 40, 500][number % 3] + 1, 2)]
    if number % 4 == 0:
        n[1] = n[0]
    k = []
    for size in n:
        kind = int(rng.integers(0, 5))
        k.append([0, size, int(rng.integers(0, size + 1)), int(rng.binomial(size, 0.95)),
                  max(0, size - 1)][kind])
    return k, n


def two_proportions_case(rng, number):
    k, n = counts(rng, number)
    margin = [0.03, 0.1, 0.01, 0.5, 0.001, 0.97][number % 6]
    results = score_tost(k[0], n[0], k[1], n[1], margin)
    return {"k": k, "n": n, "margin": margin}, {"fisher": fisher(k[0], n[0], k[1], n[1]), **results}


def shares(rng, number):
    p, q = (float(np.round(x, 2)) for x in rng.random(2))
    kind = number % 10
    return [(0.0, 1.0), (1.0, q), (p, 0.0)][kind] if kind < 3 else (p, q)


def fisher_power_case(rng, number):
    p, q = shares(rng, number)
    q = q if p != q else 1 - q / 2
    n = int(rng.integers(1, 61))
    alpha, power = [0.05, 0.01, 0.05 / 36][number % 3], [0.8, 0.9][number % 2]
    return ({"p": p, "q": q, "n": n, "alpha": alpha, "power": power},
            {"found": fisher_power(p, q, n, alpha), "size": fisher_size(p, q, alpha, power)})


def score_power_case(rng, number):
    margin = [0.4, 0.3, 0.2, 0.03][number % 4]
    p = [0.0, 1.0, float(np.round(rng.random(), 2))][min(2, number // 4 % 6)]
    q = float(np.round(np.clip(p + rng.uniform(-0.9, 0.9) * margin, 0, 1), 3))
    if number // 4 % 6 < 2 and number % 3:
        q = p
    n = int(rng.integers(1, 61))
    alpha, power = [0.05, 0.01][number % 2], [0.8, 0.9][number // 2 % 2]
    return ({"p": p, "q": q, "n": n, "margin": margin, "alpha": alpha, "power": power},
            {"found": score_power(p, q, n, margin, alpha), "size": score_size(p, q, margin, alpha, power)})


def roc_interval_case(rng, number):
    sizes = [int(x) for x in rng.integers(1, [4, 12, 30][number % 3] + 1, 2)]
    if number % 100 == 0:
        sizes = [int(x) for x in rng.integers(60, 250, 2)]
    shift = [0, 1, 9, -9][number // 3 % 4]
    digits = [3, 0][number % 2]
    scores = [float(np.round(x, digits)) for x in
              [*rng.normal(shift, 1, sizes[0]), *rng.normal(0, 1, sizes[1])]]
    if number % 41 == 0:
        scores = [1.5] * len(scores)
    positive = [1] * sizes[0] + [0] * sizes[1]
    alpha = [0.05, 0.1][number % 2]
    auc, lo, hi = auc_interval(scores, positive, alpha)
    return {"scores": scores, "positive": positive, "alpha": alpha}, {"auc": auc, "interval": [lo, hi]}


def wilcoxon_case(rng, number):
    size = int(rng.integers(1, [4, 17, 500][number % 3 if number % 30 else 2] + 1)) if number % 3 < 2 or \
        number % 30 == 2 else int(rng.integers(40, 60))
    differences = [float(x) for x in (rng.integers(-4, 6, size) if number % 2 else
                                      np.round(rng.normal(0.3, 1, size), 3))]
    if not any(differences):
        differences[0] = 1.0
    statistic, p, exact = wilcoxon(differences)
    return {"differences": differences}, {"statistic": statistic, "p": p, "exact": exact}


MAKERS = {"two_proportions": two_proportions_case, "fisher_power": fisher_power_case,
          "score_power": score_power_case, "roc_interval": roc_interval_case, "wilcoxon": wilcoxon_case}


def encoded(value, exact):
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(encoded(v, exact) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    value = float(value)
    if math.isnan(value):
        return "null"
    if value.is_integer() and abs(value) < 1e6:
        return str(int(value))
    return repr(value) if exact else f"{value:.14g}"


def document(name):
    rng = np.random.default_rng(100 + list(MAKERS).index(name))
    cases = [MAKERS[name](rng, number) for number in range(CASES)]
    rows = []
    for inputs, results in cases:
        cells = [encoded(v, True) for v in inputs.values()] + [encoded(v, False) for v in results.values()]
        rows.append("[" + ",".join(cells) + "]")
    columns = json.dumps([*itertools.chain(*cases[0])])
    return (f'{{"made_with":"statistics_oracle.py","columns":{columns},"cases":[\n' + ",\n".join(rows) +
            "\n]}\n")


if __name__ == "__main__":
    for chosen in sys.argv[2:] or MAKERS:
        (pathlib.Path(sys.argv[1]) / f"{chosen}.json").write_text(document(chosen), encoding="utf-8")
