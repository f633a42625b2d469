#include <cmath>
#include <tuple>

#include <moesweep/core/base/error.hpp>

#include "hull.hpp"

namespace moesweep::allocation {
namespace {

/// Better: fits the floor, then smaller (or nearer to the floor where none fits), then less error.
bool is_better(const Choice& a, const Choice& b, double largest_nrmse) {
  const bool a_fits = a.nrmse <= largest_nrmse;
  const bool b_fits = b.nrmse <= largest_nrmse;
  if (a_fits != b_fits) return a_fits;
  if (!a_fits && a.nrmse != b.nrmse) return a.nrmse < b.nrmse;
  return std::tie(a.bytes, a.error) < std::tie(b.bytes, b.error);
}

}  // namespace

Allocation above_floor(std::span<const Module> modules, double decibels) {
  const double largest_nrmse = std::pow(10.0, -decibels / 20.0);
  std::vector<std::size_t> chosen;
  for (const auto& module : modules) {
    expect(!module.choices.empty(), "a module without choices");
    std::size_t best = 0;
    for (std::size_t i = 1; i < module.choices.size(); ++i) {
      if (is_better(module.choices[i], module.choices[best], largest_nrmse)) best = i;
    }
    chosen.push_back(best);
  }
  auto allocation = total(modules, std::move(chosen));
  allocation.lower_bound = allocation.error;
  allocation.proven_optimal = true;
  return allocation;
}

}  // namespace moesweep::allocation
