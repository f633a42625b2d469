#pragma once
// How well a score separates two classes.

#include <cstdint>
#include <span>

#include <moesweep/core/stats/interval.hpp>

namespace moesweep::stats {

/// Area under the receiver operating characteristic: the chance that a positive drawn at random
/// scores above a negative drawn at random, equal scores counting one half (Mann-Whitney U over
/// the number of pairs, from mid-ranks). Exact up to the last division while there are fewer than
/// 2^26 scores. `positive` is non-zero for the positive class; same length as `scores`, which
/// holds no NaN. NaN when a class is empty.
double roc_auc(std::span<const double> scores, std::span<const std::int8_t> positive);

/// Interval of level 1 - alpha for the area, of independent scores: logit(auc) -+ z(alpha/2)
/// error / (auc (1 - auc)), taken back through the logistic function, with the error of DeLong,
/// DeLong and Clarke-Pearson (Biometrics 44, 1988; the logit: Pepe, The Statistical Evaluation of
/// Medical Tests, 2003, section 5.2). NaN when a class is empty or single, or all scores are equal.
///
/// Where the classes are separated there is no variance; the interval is then exact and one-sided:
/// [alpha^(1/k), 1] for an area of 1 and [0, 1 - alpha^(1/k)] for 0, k the size of the smaller
/// class. Scores of whatever distribution whose area is a separate k positives and k negatives
/// drawn in pairs, and so all of them, with probability a^k at most; they do with a^k when a share
/// 1 - a of the smaller class lies beyond all of the other. alpha^(1/k) is the smallest area for
/// which that is not below alpha.
Interval roc_auc_interval(std::span<const double> scores, std::span<const std::int8_t> positive,
                          double alpha);

}  // namespace moesweep::stats
