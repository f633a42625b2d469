#pragma once
// How well a score separates two classes.

#include <cstdint>
#include <span>

namespace moesweep::stats {

/// Area under the receiver operating characteristic: the chance that a positive drawn at random
/// scores above a negative drawn at random, equal scores counting one half (Mann-Whitney U over
/// the number of pairs, from mid-ranks). Exact up to the last division while there are fewer than
/// 2^26 scores. `positive` is non-zero for the positive class; same length as `scores`, which
/// holds no NaN. NaN when a class is empty.
double roc_auc(std::span<const double> scores, std::span<const std::int8_t> positive);

}  // namespace moesweep::stats
