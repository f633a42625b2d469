#pragma once
// `moesweep allocate`: a quantization plan from the results of a sensitivity sweep, or from an
// inventory. Reads tables and headers, never weights. Methods and formulas: docs/allocation.md.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::planning {

struct AllocateOptions {
  std::filesystem::path source;  ///< run directory, or CSV file
  std::string method;            ///< budget, uniform, swan, floor
  std::string target;            ///< "4.25bpw", "196GiB", "30%" of the original; floor: "30dB"
  names::Runtime runtime = names::Runtime::mlx;
  std::vector<std::int32_t> bits;         ///< empty: all that the runtime has; 16: kept
  std::vector<std::int32_t> group_sizes;  ///< empty: all that the runtime has
  std::vector<std::string> quantizers;    ///< empty: those of the runtime
  std::vector<std::string> protect;       ///< substrings or globs
  std::vector<std::string> quantizable;   ///< globs: names::Architecture::quantizable
  std::vector<std::string> min_bits;      ///< "expert=4"
  std::vector<std::string> roles;         ///< "router=8:64", "embedding=keep"
  std::vector<std::string> alpha;         ///< "expert=2", or one CSV file of patterns and factors
  std::string prior = "role";  ///< alpha where nothing above says it: "role", or "none" for 1
  std::string architecture;    ///< empty: config.json's, else generic
  std::int64_t shard_bytes = std::int64_t{4} << 30;  ///< as `quantize` will cut: headers add up
  records::PlanMaking made = {};                     ///< what the plan says of how it was made
};

/// Sizes without file headers, of all tensors that the runtime stores.
struct PlannedSize {
  std::int64_t bytes = 0;
  /// The objective; NaN when something that is quantized was not measured.
  double error = std::numeric_limits<double>::quiet_NaN();
  std::string how;  ///< "affine 4 bits, groups of 64"; "thresholds moved by -0.0312"
  /// Of what is quantized: tensors and parameters whose error was measured.
  std::int64_t tensors_quantized = 0, tensors_measured = 0;
  std::int64_t params_quantized = 0, params_measured = 0;

  /// params_measured / params_quantized; NaN when nothing is quantized.
  double measured_share() const;
};

/// Tensors whose errors count alike, and why.
struct AlphaGroup {
  double alpha = 1.0;
  std::string reason;  ///< "output head", "v", "--alpha FILE"; empty: no reason to differ from 1
  std::int64_t tensors = 0;
  std::int64_t params = 0;
  std::string first;  ///< a tensor
};

struct AllocateReport {
  records::Plan plan;
  bool with_headers = false;  ///< plan.bytes counts file headers, to the byte
  std::int64_t params = 0;    ///< of the tensors that the runtime stores
  std::int64_t original_bytes = 0;
  PlannedSize size;
  /// budget: of the error, from the linear relaxation.
  double lower_bound = std::numeric_limits<double>::quiet_NaN();
  bool proven_optimal = false;  ///< budget: nothing within the same bytes has less error
  /// How to measure what this plan uses and was not: "sweep with sensitivity.bits = [2, 3, 4]";
  /// empty when all was.
  std::string how_to_measure_rest;
  std::vector<PlannedSize> curve;
  /// What other methods make of as many bytes, by method; those that fit. One whose formats were
  /// not measured has no error.
  std::map<std::string, PlannedSize> compared;
  std::vector<AlphaGroup> alphas;  ///< of what can be quantized; largest alpha first
  /// Tensors whose composite decides SWAN's bits, by these bits, before ties and what fits.
  std::map<std::int32_t, std::int64_t> swan_tensors;
  /// Why `compared` has no plan by SWAN's rule, where the sweep could have had what that needs.
  std::string why_no_swan;
  std::int64_t units_done = 0, units_total = 0;  ///< of the sweep; 0 of a CSV file
  std::vector<std::string> below_floor;          ///< modules
  std::vector<std::string> notes;                ///< what a reader has to know

  double bits_per_weight(std::int64_t bytes) const;
};

/// Error(bad_usage) for options that mean nothing, Error(bad_input) for a source without what the
/// method needs.
AllocateReport allocate(const AllocateOptions& options);

}  // namespace moesweep::planning
