#pragma once
// What all methods start from: the source with its options applied.

#include <set>

#include "allocation_options.hpp"
#include "allocation_source.hpp"

namespace moesweep::planning {

struct AllocationSetting {
  AllocationSource source;
  allocation::Problem problem;
  AllocateOptions options;
  std::set<formats::Encoding> swept;  ///< empty: errors were not measured
  std::int32_t group_size = 64;       ///< where a method takes one
  bool with_headers = false;          ///< sizes are those of files that `quantize` writes
  std::int64_t params = 0;            ///< of the tensors that the runtime stores
  std::int64_t original_bytes = 0;    ///< of the same
  std::int64_t undecided_bytes = 0;   ///< of those that no module decides
};

AllocationSetting set_up(const AllocateOptions& options);

/// The plan of these decisions with its size.
records::Plan plan_of(const AllocationSetting& setting, const allocation::Decisions& decisions);

/// At least one module has a measured choice beside being kept.
bool has_measurements(const AllocationSetting& setting);

/// Error(bad_input) unless there are measurements, and of all tensors whose role has a fixed
/// format.
void require_measurements(const AllocationSetting& setting);

}  // namespace moesweep::planning
