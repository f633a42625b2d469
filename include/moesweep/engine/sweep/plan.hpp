#pragma once
// What a sweep consists of. The engine knows units, costs and order; what a unit computes is none
// of its business.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/core/base/ids.hpp>

namespace moesweep::sweep {

struct Cost {
  std::int64_t bytes_read = 0;
  std::int64_t flops = 0;
  std::int64_t peak_bytes = 0;  ///< memory while the unit runs
  double seconds_estimate =
      0.0;  ///< before calibration; only ratios between units matter for the order
};

/// Where a unit's input lives; units that are neighbours here are handed out together.
struct Locality {
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
};

struct UnitSpec {
  UnitId id;
  std::string key;  ///< canonical text, unique in the plan
  Cost cost;
  Locality where;
};

/// Units without order among them; a barrier follows.
struct Stage {
  std::string name;
  std::vector<UnitSpec> units;
};

/// Position of a unit in the plan, counted through all stages: what messages carry.
using UnitIndex = std::uint32_t;

/// Stages in order.
class Plan {
 public:
  Plan() = default;
  /// Keys and ids must be unique, costs finite and not negative: anything else is a bug.
  explicit Plan(std::vector<Stage> stages);

  const std::vector<Stage>& stages() const { return stages_; }
  std::size_t size() const { return first_of_stage_.back(); }
  const UnitSpec& unit(UnitIndex index) const;
  std::size_t stage_of(UnitIndex index) const;
  UnitIndex first_of(std::size_t stage) const { return first_of_stage_[stage]; }

 private:
  std::vector<Stage> stages_;
  std::vector<UnitIndex> first_of_stage_ = {0};  // one more than stages
};

}  // namespace moesweep::sweep
