#pragma once
// What a quality-safety analysis is told about its metrics, and its levels and margins.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace moesweep::quality {

using Names = std::vector<std::string>;

struct Options {
  Names quality;  ///< roles; of quality and safety the first metric is the one that divergence,
  Names safety;   ///< findings and floors are about
  Names capability;
  Names lower_is_better;
  Names percent;  ///< metrics written in percent, made shares of 1
  Names yes_no;   ///< shares of samples that are yes or no; samples that are all 0 or 1 need no
                  ///< telling
  Names refusal;  ///< safety metrics of which there can be too much: over-refusal
  Names floor;    ///< metrics that a floor looks at; none: the first safety metric
  std::string baseline;                           ///< level that the others are compared with
  std::map<std::string, std::int64_t> samples;    ///< of a metric's cells that do not tell
  std::map<std::string, double> bits_per_weight;  ///< of levels that do not tell
  double alpha = 0.05;
  double power = 0.8;
  double margin_pp = 3.0;  ///< changes within it are stable; equivalence is shown against it
  double shift_pp = 3.5;   ///< safety changes beyond it are shifts
  double coherence_gate = 0.5;
  std::int64_t replicates = 2000;
  std::uint64_t seed = 42;
};

bool contains(const Names& names, const std::string& name);

/// "quality", "safety" or "capability"; empty when the metric has no role.
std::string role_of(const Options& options, const std::string& metric);

}  // namespace moesweep::quality
