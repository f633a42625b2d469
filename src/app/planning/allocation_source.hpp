#pragma once
// What a plan is made from: a run directory and the headers of its checkpoint, or a CSV file.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/model/source/model_config.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::planning {

struct AllocationSource {
  std::string place;                  ///< file that errors name
  std::string name;                   ///< checkpoint::name_of what it is about
  checkpoint::Checkpoint checkpoint;  ///< of headers
  names::Architecture architecture;
  source::ModelConfig config;  ///< empty without config.json
  std::vector<std::string> expert_patterns = {"experts"};
  /// Of every tensor of the checkpoint, in its order: shape, dtype, role, what was measured; not
  /// yet what a runtime makes of it.
  std::vector<allocation::Tensor> tensors;
  allocation::SwanThresholds thresholds;
  std::vector<std::string> missing_metrics;      ///< that composites need and the job left out
  std::int64_t units_done = 0, units_total = 0;  ///< of the sweep; 0 of a CSV file
  std::vector<std::string> notes;
};

/// `architecture` is --architecture: source::family_of says what counts beside it. Error(bad_usage)
/// for an unknown one, Error(bad_input) when config.json names one that is unknown, and when the
/// checkpoint is not the one that was swept.
AllocationSource open_allocation_source(const std::filesystem::path& path,
                                        const std::string& architecture);

/// Columns name, shape, dtype and, for SWAN, excess_kurtosis, spectral_concentration (or
/// svd_concentration), noise_amplification (or output_delta) and nrmse_rtn_4bit_g128 (or
/// nrmse_4bit_g128); others are passed over. At most largest_text_file bytes (base/file.hpp).
AllocationSource read_allocation_csv(const std::filesystem::path& file);

/// What a plan says of it.
records::PlanSource identity_of(const AllocationSource& source);

/// Sorts by name and gives every tensor shape, dtype and role.
void describe_tensors(AllocationSource& source);

}  // namespace moesweep::planning
