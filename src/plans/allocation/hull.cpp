#include "hull.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include <moesweep/core/base/error.hpp>

namespace moesweep::allocation {

std::vector<std::size_t> efficient_choices(const Module& module) {
  const auto& choices = module.choices;
  expect(!choices.empty(), "a module without choices");
  std::vector<std::size_t> order(choices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(choices[a].bytes, choices[a].error, a) <
           std::tie(choices[b].bytes, choices[b].error, b);
  });
  std::vector<std::size_t> efficient;
  for (const auto i : order) {
    expect(std::isfinite(choices[i].error), "an error that is not finite");
    if (efficient.empty() || choices[i].error < choices[efficient.back()].error) {
      efficient.push_back(i);
    }
  }
  return efficient;
}

std::vector<Step> steps_of(const Module& module, std::size_t index,
                           std::span<const std::size_t> efficient) {
  const auto step = [&](std::size_t from, std::size_t to) {
    const auto bytes = module.choices[to].bytes - module.choices[from].bytes;
    const auto gain = module.choices[from].error - module.choices[to].error;
    return Step{index, from, to, bytes, gain, gain / static_cast<double>(bytes)};
  };
  std::vector<Step> steps;
  for (const auto to : efficient.subspan(1)) {
    auto next = step(steps.empty() ? efficient.front() : steps.back().to, to);
    while (!steps.empty() && next.slope >= steps.back().slope) {
      next = step(steps.back().from, to);
      steps.pop_back();
    }
    steps.push_back(next);
  }
  return steps;
}

std::vector<Step> steps_of_all(std::span<const Module> modules,
                               std::span<const std::vector<std::size_t>> efficient) {
  std::vector<Step> all;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const auto steps = steps_of(modules[i], i, efficient[i]);
    all.insert(all.end(), steps.begin(), steps.end());
  }
  // Slopes fall strictly within a module, so that its steps stay in order.
  std::sort(all.begin(), all.end(), [](const Step& a, const Step& b) {
    return a.slope != b.slope ? a.slope > b.slope : a.module < b.module;
  });
  return all;
}

Allocation total(std::span<const Module> modules, std::vector<std::size_t> chosen) {
  Allocation allocation;
  allocation.error = 0.0;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    allocation.bytes += modules[i].choices[chosen[i]].bytes;
    allocation.error += modules[i].choices[chosen[i]].error;
  }
  allocation.chosen = std::move(chosen);
  return allocation;
}

}  // namespace moesweep::allocation
