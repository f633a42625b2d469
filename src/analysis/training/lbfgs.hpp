#pragma once
// Limited-memory BFGS (Nocedal, "Updating quasi-Newton matrices with limited storage", Math. Comp.
// 35, 1980) with the bisecting weak-Wolfe line search of Lewis and Overton, "Nonsmooth optimization
// via quasi-Newton methods", Math. Program. 141 (2013), section 3. For smooth convex functions.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace moesweep::training {

struct LbfgsOptions {
  std::int64_t max_iterations = 1000;
  double gradient_tolerance = 1e-6;  ///< on the largest absolute element
};

struct Minimum {
  std::vector<double> at;
  double value = 0.0;
  double gradient_norm = 0.0;  ///< largest absolute element
  std::int64_t iterations = 0;
  bool converged = false;
};

/// Value at a point; writes its gradient.
using Objective = std::function<double(std::span<const double> at, std::span<double> gradient)>;

/// From `start`. Deterministic; sums run in the order of the elements. Ends unconverged after
/// max_iterations, or when no step along the search direction decreases the value any more.
Minimum minimize(const Objective& objective, std::vector<double> start,
                 const LbfgsOptions& options);

}  // namespace moesweep::training
