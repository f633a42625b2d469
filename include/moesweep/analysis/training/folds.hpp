#pragma once
// Cross-fitting: which part of the train split a sample is held out with.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace moesweep::training {

/// The group that each sample belongs to, from 0 in order of appearance, [cluster.size()]: samples
/// with the same non-empty cluster name share one, all others have their own.
std::vector<std::int64_t> sample_groups(std::span<const std::string> cluster);

/// Fold of each sample, 0 .. folds-1, [group.size()]. Groups stay together; they are put in the
/// order of Philox 4x32-10 words with key `seed` and counter (group low, group high, 0, "fold") and
/// dealt out in turn, so folds differ by at most one group.
std::vector<std::int64_t> assign_folds(std::span<const std::int64_t> group, std::int64_t folds,
                                       std::uint64_t seed);

}  // namespace moesweep::training
