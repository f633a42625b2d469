#pragma once
// The choices of a module that can be part of an optimum, and the order in which the linear
// relaxation takes them.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/plans/allocation/allocation.hpp>

namespace moesweep::allocation {

/// From one corner of a module's lower convex hull of (bytes, error) to the next larger one.
struct Step {
  std::size_t module = 0;
  std::size_t from = 0, to = 0;  ///< choices
  std::int64_t bytes = 0;        ///< more, > 0
  double gain = 0.0;             ///< less error, > 0
  double slope = 0.0;            ///< gain / bytes
};

/// Indices of the choices that no other one equals or beats in both bytes and error, smallest
/// first. Of equal choices the first stays.
std::vector<std::size_t> efficient_choices(const Module& module);

/// Of the module's smallest efficient choice and all steps of its hull; slopes fall strictly.
std::vector<Step> steps_of(const Module& module, std::size_t index,
                           std::span<const std::size_t> efficient);

/// Steps of all modules, steepest first; ties by module.
std::vector<Step> steps_of_all(std::span<const Module> modules,
                               std::span<const std::vector<std::size_t>> efficient);

/// Bytes and error of the chosen, summed in the order of the modules.
Allocation total(std::span<const Module> modules, std::vector<std::size_t> chosen);

}  // namespace moesweep::allocation
