#pragma once
// How long the units that are left will take, from those that were measured.

#include <array>
#include <cstdint>
#include <optional>

#include <moesweep/engine/sweep/plan.hpp>

namespace moesweep::sweep {

/// Seconds of a unit as a sum of terms with coefficients >= 0: its estimate, its bytes, its flops
/// and one for being a unit. Rates of storage and arithmetic differ from what estimates assume,
/// each by its own factor, and the longest units come first: what they tell about all is not what
/// short ones are like. Least squares of relative errors, late units counting more than early ones;
/// a term besides the estimate must be worth it (ridge).
class CostModel {
 public:
  static constexpr std::size_t terms = 4;
  using Terms = std::array<double, terms>;

  /// A unit that is to be computed. All of the plan's come before the first measured one.
  void expect_unit(const Cost& cost);
  /// A unit that was computed in `seconds`, or failed: then it teaches nothing.
  void settle_unit(const Cost& cost, std::optional<double> seconds);

  bool has_learnt() const { return learnt_ > 0; }
  double measured_seconds() const { return measured_seconds_; }  ///< of all units together

  struct Seconds {
    double expected = 0.0;
    double standard_error = 0.0;
  };
  /// Thread seconds of all units that are not settled. Needs has_learnt().
  Seconds left() const;
  /// Measured over estimated seconds of late units: what a single unit's estimate is multiplied by.
  double ratio() const;

 private:
  Terms scaled(const Terms& raw) const;

  Terms total_ = {};  // of all expected units: estimate, bytes, flops, count
  Terms left_ = {};   // of those not settled
  double left_squared_estimates_ = 0.0;
  std::int64_t learnt_ = 0;
  double measured_seconds_ = 0.0;
  // Normal equations of measured/estimate on terms/estimate, old units fading.
  std::array<Terms, terms> products_ = {};
  Terms targets_ = {};
  double squared_targets_ = 0.0;
  double weight_ = 0.0;
};

}  // namespace moesweep::sweep
