#pragma once
// The options of `moesweep allocate` as values.

#include <optional>
#include <string>
#include <vector>

#include <moesweep/app/planning/allocate.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::planning {

/// One of the three.
struct Target {
  std::optional<std::int64_t> bytes;
  std::optional<double> bits_per_weight;
  std::optional<double> share;  ///< of the original bytes
  std::int64_t bytes_for(std::int64_t params, std::int64_t original_bytes) const;
};
/// Error(bad_usage) for a small number without a unit, which may be bytes or bits per weight.
Target parse_target(const std::string& text);

/// "30dB".
double parse_decibels(const std::string& text);

/// "router=8:64", "router=8" (group_size 0: any), "router=keep"; bits of 16 keep. The quantizer is
/// open ("any").
std::map<std::string, formats::Encoding> parse_roles(const std::vector<std::string>& texts);
/// "expert=4".
std::map<std::string, std::int32_t> parse_min_bits(const std::vector<std::string>& texts);
/// "expert=2" or the name of a file.
allocation::Alpha parse_alphas(const std::vector<std::string>& texts);

}  // namespace moesweep::planning
