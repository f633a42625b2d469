#pragma once
// Splits for caches that come without.

#include <cstdint>
#include <vector>

#include <moesweep/app/jobs/import_cache.hpp>

namespace moesweep::jobs {

/// A records::Split for each sample. Within each label the samples (or whole clusters, by the label
/// of their first sample) are shuffled by Philox draws keyed (seed, first sample) and cut at the
/// shares. The same for equal input, whatever the machine.
std::vector<std::int8_t> draw_split(const std::vector<std::int8_t>& labels,
                                    const std::vector<std::string>& clusters,
                                    const RandomSplit& shares);

}  // namespace moesweep::jobs
