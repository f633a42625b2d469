#include <algorithm>

#include <moesweep/core/base/error.hpp>

#include "core.hpp"
#include "hull.hpp"

namespace moesweep::allocation {
namespace {

std::vector<std::vector<std::size_t>> efficient_choices_of_all(std::span<const Module> modules) {
  std::vector<std::vector<std::size_t>> efficient;
  efficient.reserve(modules.size());
  for (const auto& module : modules) efficient.push_back(efficient_choices(module));
  return efficient;
}

std::vector<std::size_t> smallest(std::span<const std::vector<std::size_t>> efficient) {
  std::vector<std::size_t> chosen;
  chosen.reserve(efficient.size());
  for (const auto& choices : efficient) chosen.push_back(choices.front());
  return chosen;
}

/// Goes on behind the first step that does not fit with those that do.
std::vector<std::size_t> filled_up(const Relaxed& relaxed) {
  auto chosen = relaxed.chosen;
  auto slack = relaxed.slack;
  for (const auto& step : relaxed.left) {
    if (step.bytes > slack || chosen[step.module] != step.from) continue;
    chosen[step.module] = step.to;
    slack -= step.bytes;
  }
  return chosen;
}

}  // namespace

std::optional<Allocation> within_budget(std::span<const Module> modules, std::int64_t budget,
                                        const SearchLimit& limit) {
  const auto efficient = efficient_choices_of_all(modules);
  auto chosen = smallest(efficient);
  auto slack = budget - total(modules, chosen).bytes;
  if (slack < 0) return std::nullopt;

  const auto steps = steps_of_all(modules, efficient);
  std::size_t taken = 0;
  for (; taken < steps.size() && steps[taken].bytes <= slack; ++taken) {
    chosen[steps[taken].module] = steps[taken].to;
    slack -= steps[taken].bytes;
  }
  auto relaxed = total(modules, chosen);
  relaxed.lower_bound = relaxed.error;
  relaxed.proven_optimal = true;
  if (taken == steps.size()) return relaxed;
  const auto bound = relaxed.error - steps[taken].slope * static_cast<double>(slack);

  const std::span all(steps);
  const Relaxed start{chosen, slack, all.first(taken), all.subspan(taken)};
  auto repaired = repair(modules, efficient, start, filled_up(start), limit);
  auto best = total(modules, std::move(repaired.chosen));
  // Of equal sums the bound may come out larger by a rounding.
  best.lower_bound = std::clamp(bound, 0.0, best.error);
  best.proven_optimal = repaired.proven_optimal;
  return best;
}

std::vector<Allocation> pareto_curve(std::span<const Module> modules, std::size_t most) {
  expect(most >= 2, "a curve of fewer than two corners");
  const auto efficient = efficient_choices_of_all(modules);
  const auto steps = steps_of_all(modules, efficient);
  auto chosen = smallest(efficient);
  std::vector<std::int64_t> bytes = {total(modules, chosen).bytes};
  for (const auto& step : steps) bytes.push_back(bytes.back() + step.bytes);

  const auto distance =
      static_cast<double>(bytes.back() - bytes.front()) / static_cast<double>(most - 1);
  const bool all = bytes.size() <= most;
  std::vector<Allocation> curve;
  double wanted = static_cast<double>(bytes.front());
  for (std::size_t corner = 0; corner < bytes.size(); ++corner) {
    if (corner > 0) chosen[steps[corner - 1].module] = steps[corner - 1].to;
    const bool last = corner + 1 == bytes.size();
    if (!all && !last && static_cast<double>(bytes[corner]) < wanted) continue;
    while (!all && wanted <= static_cast<double>(bytes[corner])) wanted += distance;
    curve.push_back(total(modules, chosen));
    curve.back().lower_bound = curve.back().error;
    curve.back().proven_optimal = true;
  }
  return curve;
}

}  // namespace moesweep::allocation
