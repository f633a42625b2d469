#pragma once
// Which bits for which tensors: choices a module, and the methods that pick one each.
// Formulas: docs/allocation.md.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace moesweep::allocation {

/// One way to store a module.
struct Choice {
  std::string quantizer;  ///< empty: kept as it is
  std::int32_t bits = 16;
  std::int32_t group_size = 0;
  std::int64_t bytes = 0;  ///< of all tensors of the module
  double error = 0.0;      ///< alpha x SSE / sum of squares, pooled over the module
  double nrmse = 0.0;      ///< largest over the module's tensors
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
  double error = 0.0;
  double lower_bound = 0.0;  ///< of the error at this budget, from the linear relaxation
};

/// Smallest total error with total bytes <= `budget`: convex hull and Lagrange multiplier, then an
/// exact repair. Proven optimal up to the printed gap: (error - lower_bound) / error. nullopt when
/// not even the smallest choices fit. Deterministic.
std::optional<Allocation> within_budget(std::span<const Module> modules, std::int64_t budget);

/// Smallest bytes with every module's sqnr = -20 log10(nrmse) at least `decibels`; names the
/// modules without such a choice by choosing their best one.
Allocation above_floor(std::span<const Module> modules, double decibels);

/// The corners of the lower convex hull of (bytes, error) over all modules: the Pareto curve of the
/// relaxed problem, smallest first.
std::vector<Allocation> pareto_curve(std::span<const Module> modules);

}  // namespace moesweep::allocation
