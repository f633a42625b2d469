#pragma once
// Which bits for which tensors: choices a module, and the methods that pick one each.
// Formulas: docs/allocation.md.

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moesweep/model/formats/encoding.hpp>

namespace moesweep::allocation {

/// One way to store a module.
struct Choice {
  formats::Encoding encoding;
  std::int64_t bytes = 0;  ///< of all tensors of the module
  /// alpha x SSE / sum of squares, pooled over the module; NaN: not measured. 0 only when kept.
  double error = std::numeric_limits<double>::quiet_NaN();
  /// Largest over the module's tensors; NaN: not measured.
  double nrmse = std::numeric_limits<double>::quiet_NaN();
};

/// What is decided at once.
struct Module {
  std::string name;
  std::string role;
  std::int64_t layer = -1;
  std::int64_t params = 0;
  std::vector<Choice> choices;  ///< at least one
};

/// One choice a module, by index, and what it costs.
struct Allocation {
  std::vector<std::size_t> chosen;
  std::int64_t bytes = 0;
  double error = std::numeric_limits<double>::quiet_NaN();
  /// Of the error at this budget, from the linear relaxation.
  double lower_bound = std::numeric_limits<double>::quiet_NaN();
  /// No allocation within the budget has less error (up to the rounding of sums). False when the
  /// search met its limit: the error is then at most error - lower_bound above the smallest.
  bool proven_optimal = false;
  /// (error - lower_bound) / error; 0 for an error of 0, NaN when one of the two is not known.
  double gap() const { return error == 0.0 ? 0.0 : (error - lower_bound) / error; }
};

/// What the exact repair may look at before it gives the best allocation found.
struct SearchLimit {
  std::int64_t states_made = 10'000'000;
  std::int64_t states_kept = 3'000'000;  ///< 24 B each
};

/// Smallest total error with total bytes <= `budget`: convex hulls and Lagrange multiplier, then
/// an exact repair by dynamic programming over an expanding core (Pisinger, "A minimal algorithm
/// for the multiple-choice knapsack problem", EJOR 83, 1995). nullopt when not even the smallest
/// choices fit. Errors are finite. Deterministic; ties go to the smaller index.
std::optional<Allocation> within_budget(std::span<const Module> modules, std::int64_t budget,
                                        const SearchLimit& limit = {});

/// Smallest bytes with every module's sqnr = -20 log10(nrmse) at least `decibels`; a module without
/// such a choice gets the one with the smallest nrmse.
Allocation above_floor(std::span<const Module> modules, double decibels);

/// The corners of the lower convex hull of (bytes, error) over all modules: the Pareto curve of the
/// relaxed problem, smallest first. Each is optimal at its own bytes. Of more than `most` corners
/// those nearest to equal distances in bytes, the first and the last included; `most` >= 2.
std::vector<Allocation> pareto_curve(std::span<const Module> modules, std::size_t most = 1000);

}  // namespace moesweep::allocation
