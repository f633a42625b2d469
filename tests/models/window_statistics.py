"""Means over windows with their uncertainty; a window is the unit that is drawn again."""
from typing import NamedTuple

import numpy

RESAMPLES = 10_000


class Estimate(NamedTuple):
    """`lo` and `hi` bound the central 95 % of the bootstrap."""
    mean: float
    standard_error: float
    lo: float
    hi: float


class Comparison(NamedTuple):
    """Of a variant against another, on the same windows; negative differences are the variant's favour."""
    difference: Estimate
    p: float
    ratio: float
    ratio_lo: float
    ratio_hi: float
    verdict: str


def resampled_means(values, resamples=RESAMPLES, seed=0):
    """Means [R, N] of values [W, N] over W windows drawn with replacement; the same draws for all N."""
    count = len(values)
    drawn = numpy.random.default_rng(seed).integers(0, count, (resamples, count))
    times = numpy.zeros((resamples, count))
    numpy.add.at(times, (numpy.arange(resamples)[:, None], drawn), 1)
    return times @ values / count


def _estimate(values, means):
    error = values.std(ddof=1) / numpy.sqrt(len(values)) if len(values) > 1 else numpy.nan
    return Estimate(float(values.mean()), float(error), *map(float, numpy.percentile(means, [2.5, 97.5])))


def estimate(values, seed=0):
    """Of one value a window [W]."""
    values = numpy.asarray(values, float)
    return _estimate(values, resampled_means(values[:, None], seed=seed)[:, 0])


def compare(values, other, seed=0):
    """Paired bootstrap of values [W] against other [W], where less is better.

    p is two-sided: twice the smaller share of resamples on one side of zero, never under 2 / (R + 1).
    """
    values, other = numpy.asarray(values, float), numpy.asarray(other, float)
    means = resampled_means(numpy.stack([values, other], 1), seed=seed)
    difference = means[:, 0] - means[:, 1]
    found = _estimate(values - other, difference)
    one_side = min((difference <= 0).sum(), (difference >= 0).sum())
    p = min(1.0, 2 * (1 + int(one_side)) / (1 + len(difference)))
    with numpy.errstate(divide="ignore", invalid="ignore"):
        ratio = numpy.divide(values.mean(), other.mean())
        ratio_lo, ratio_hi = numpy.percentile(means[:, 0] / means[:, 1], [2.5, 97.5])
    verdict = "better" if found.hi < 0 else "worse" if found.lo > 0 else "tie"
    return Comparison(found, p, float(ratio), float(ratio_lo), float(ratio_hi), verdict)
