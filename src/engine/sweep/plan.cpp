#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/sweep/plan.hpp>

namespace moesweep::sweep {

Plan::Plan(std::vector<Stage> stages) : stages_(std::move(stages)) {
  std::unordered_set<UnitId> ids;
  for (const auto& stage : stages_) {
    for (const auto& unit : stage.units) {
      expect(ids.insert(unit.id).second, "two units with one id");
      const auto& cost = unit.cost;
      expect(std::isfinite(cost.seconds_estimate) && cost.seconds_estimate >= 0.0 &&
                 cost.peak_bytes >= 0,
             "a cost that cannot be ordered");
    }
    first_of_stage_.push_back(first_of_stage_.back() + checked_cast<UnitIndex>(stage.units.size()));
  }
}

std::size_t Plan::stage_of(UnitIndex index) const {
  const auto after = std::upper_bound(first_of_stage_.begin(), first_of_stage_.end(), index);
  expect(after != first_of_stage_.end(), "unit index outside the plan");
  return static_cast<std::size_t>(after - first_of_stage_.begin()) - 1;
}

const UnitSpec& Plan::unit(UnitIndex index) const {
  const auto stage = stage_of(index);
  return stages_[stage].units[index - first_of_stage_[stage]];
}

}  // namespace moesweep::sweep
