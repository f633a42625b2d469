#pragma once
// The exact search behind within_budget.

#include <cstdint>
#include <span>
#include <vector>

#include "hull.hpp"

namespace moesweep::allocation {

/// The relaxed optimum without its fractional step.
struct Relaxed {
  std::vector<std::size_t> chosen;
  std::int64_t slack = 0;       ///< bytes of the budget that are left
  std::span<const Step> taken;  ///< in the order of steps_of_all
  std::span<const Step> left;   ///< the first is the one that does not fit; not empty
};

struct Repaired {
  std::vector<std::size_t> chosen;
  bool proven_optimal = false;
};

/// The smallest error within the budget. `incumbent` is any allocation that fits. Modules are
/// decided one after the other, those first that the relaxation is least sure about; states are
/// (bytes, error) relative to the relaxed optimum of the undecided rest. One that another beats in
/// both, or that cannot become better than the best known, is dropped.
Repaired repair(std::span<const Module> modules,
                std::span<const std::vector<std::size_t>> efficient, const Relaxed& relaxed,
                const std::vector<std::size_t>& incumbent, const SearchLimit& limit);

}  // namespace moesweep::allocation
