#pragma once
// The test samples that an effect is measured on, and what a head makes of them.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/analysis/suppression/reduce.hpp>

namespace moesweep::suppression {

/// Samples that a measure is taken over, and when a prediction counts as 1.
struct Measure {
  std::string name;                   ///< accuracy or forbidden
  std::vector<std::size_t> samples;   ///< positions in the caches
  std::vector<std::int64_t> cluster;  ///< of each of them; empty when no cluster is named
  std::vector<char> counted_digit;    ///< the prediction that counts, of each of them
};

/// `accuracy`, then `forbidden` if there is such an error. Throws Error(bad_input) for a label or
/// forbidden class that label_names does not know.
std::vector<Measure> measures_of(std::span<const records::SampleRow> samples,
                                 const ReduceOptions& options);

/// Error(bad_input) unless a head predicts every sample.
void require_all_samples(bool are_there);

/// Digit of a class name; throws Error(bad_input).
char digit_of(const std::string& label, const ReduceOptions& options);

/// How many of the measure's samples count.
std::int64_t count_of(const Measure& measure, const std::string& predicted);

}  // namespace moesweep::suppression
