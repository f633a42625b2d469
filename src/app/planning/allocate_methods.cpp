#include "allocate_methods.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/model/formats/catalog.hpp>

#include "allocation_swept.hpp"
#include "allocation_target.hpp"

namespace moesweep::planning {
namespace {

using allocation::Decisions;
using formats::Encoding;

void set_plan(const AllocationSetting& setting, const Decisions& decisions, std::string how,
              AllocateReport& report) {
  report.plan = plan_of(setting, decisions);
  report.size = size_of(setting, decisions, std::move(how));
  const auto missing = coverage_of(setting.problem, decisions).missing;
  const bool nothing_to_say = missing.empty() || setting.swept.empty();
  report.how_to_measure_rest = nothing_to_say ? "" : how_to_measure(missing, setting.swept);
}

/// The decisions that `choose` makes of some bytes of modules, and how; again with fewer bytes
/// while the files, headers included, are larger than the target.
template <typename Choose>
void set_plan_within(const AllocationSetting& setting, std::int64_t target, AllocateReport& report,
                     const Choose& choose) {
  auto headroom = target - setting.undecided_bytes;
  while (true) {
    auto [decisions, how] = choose(headroom);
    set_plan(setting, decisions, std::move(how), report);
    if (!report.with_headers || report.plan.bytes <= target) return;
    headroom = std::min(headroom, bytes_of(decisions)) - (report.plan.bytes - target);
  }
}

/// Otherwise uniform() would take the nearest format everywhere, under this one's name.
bool is_measured(const allocation::Problem& problem, const Encoding& format) {
  return std::ranges::any_of(problem.modules, [&](const auto& module) {
    return std::ranges::any_of(module.choices,
                               [&](const auto& choice) { return choice.encoding == format; });
  });
}

std::int64_t least_bytes_of_modules(const allocation::Problem& problem) {
  std::int64_t bytes = 0;
  for (const auto& module : problem.modules) {
    bytes += std::ranges::min(module.choices, {}, &allocation::Choice::bytes).bytes;
  }
  return bytes;
}

void require_target(const AllocationSetting& setting, const char* example) {
  if (!setting.options.target.empty()) return;
  throw Error(ExitCode::bad_usage, "--method " + setting.options.method, "needs a --target",
              fmt::format("for example --target {}", example));
}

}  // namespace

std::string why_no_swan(const AllocationSetting& setting) {
  const auto& missing = setting.source.missing_metrics;
  if (missing.empty()) return {};
  return fmt::format("there are no composites, by which SWAN's rule decides: {} {} not measured",
                     fmt::join(missing, ", "), missing.size() == 1 ? "was" : "were");
}

PlannedSize size_of(const AllocationSetting& setting, const Decisions& decisions, std::string how) {
  const auto coverage = coverage_of(setting.problem, decisions);
  return {.bytes = setting.undecided_bytes + bytes_of(decisions),
          .error = error_of(decisions),
          .how = std::move(how),
          .tensors_quantized = coverage.tensors,
          .tensors_measured = coverage.tensors_measured,
          .params_quantized = coverage.params,
          .params_measured = coverage.params_measured};
}

// File headers depend on what is chosen: what they take beyond the target is saved in the modules.
void allocate_budget(const AllocationSetting& setting, AllocateReport& report) {
  require_target(setting, "4.25bpw");
  require_measurements(setting);
  const auto largest = largest_bytes(setting);
  const auto target = target_bytes(setting, largest);
  auto budget = target - setting.undecided_bytes;
  for (bool is_last = false;;) {
    const auto found = allocation::within_budget(setting.problem.modules, budget);
    if (!found) {
      // Headers of the last choices were longer than those of the smallest.
      const auto least = least_bytes(setting);
      if (least > target || is_last) throw too_small(setting, least, largest);
      budget = least_bytes_of_modules(setting.problem);
      is_last = true;
      continue;
    }
    set_plan(setting, decisions_of(setting.problem, *found, "budget"), "", report);
    report.lower_bound = found->lower_bound;
    report.proven_optimal = found->proven_optimal;
    if (report.plan.bytes <= target) return;
    budget = std::min(budget, found->bytes) - (report.plan.bytes - target);
  }
}

namespace {

/// A measured error beats one that is not known; of two that are not, more bytes are taken to be
/// better.
bool is_better(const Decisions& a, const Decisions& b) {
  const auto [error_a, error_b] = std::pair(error_of(a), error_of(b));
  if (std::isnan(error_a) != std::isnan(error_b)) return std::isnan(error_b);
  return std::isnan(error_a) ? bytes_of(a) > bytes_of(b) : error_a < error_b;
}

}  // namespace

std::optional<Uniform> uniform_within(const AllocationSetting& setting, std::int64_t bytes,
                                      bool measured_only) {
  std::optional<Uniform> best;
  for (const auto& format : setting.problem.constraints.runtime_formats) {
    if (measured_only && !is_measured(setting.problem, format)) continue;
    auto decisions = uniform(setting.problem, format, measured_only);
    if (bytes_of(decisions) > bytes) continue;
    if (!best || is_better(decisions, best->first)) best = {std::move(decisions), format};
  }
  return best;
}

namespace {

std::int64_t least_uniform_bytes(const AllocationSetting& setting) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const auto& format : setting.problem.constraints.runtime_formats) {
    least = std::min(least, bytes_of(uniform(setting.problem, format)));
  }
  return setting.undecided_bytes + least;
}

/// The one that --bits and --group-size name. Block formats bring their group: the one with these
/// bits is meant. A group that is not named is one that was swept.
Encoding wanted_format(const AllocationSetting& setting) {
  const auto& options = setting.options;
  const auto& formats = setting.problem.constraints.runtime_formats;
  constexpr std::int32_t usual_bits = 4;
  const auto bits = options.bits.empty() ? usual_bits : options.bits.front();
  Encoding wanted{"any", bits, setting.group_size};
  if (!options.group_sizes.empty()) return wanted;
  wanted.group_size = swept_group(formats, setting.swept, bits, wanted.group_size);
  std::optional<Encoding> block, swept_block;
  for (const auto& format : formats) {
    if (format.bits != bits || formats::format_named(format.quantizer).has_bits()) continue;
    block = format;
    if (setting.swept.contains(format)) swept_block = format;
  }
  return swept_block.value_or(block.value_or(wanted));
}

}  // namespace

void allocate_uniform(const AllocationSetting& setting, AllocateReport& report) {
  const auto& options = setting.options;
  if (!options.target.empty()) {
    const auto largest = kept_bytes(setting);
    const auto target = target_bytes(setting, largest);
    return set_plan_within(setting, target, report, [&](std::int64_t headroom) {
      const auto found = uniform_within(setting, headroom);
      if (!found) throw too_small(setting, least_uniform_bytes(setting), largest);
      return std::pair(found->first, how_text(found->second));
    });
  }
  if (options.bits.size() > 1 || options.group_sizes.size() > 1) {
    throw Error(ExitCode::bad_usage, "--method uniform", "takes one --bits and one --group-size",
                "see --role for exceptions");
  }
  const auto wanted = wanted_format(setting);
  set_plan(setting, uniform(setting.problem, wanted),
           fmt::format("{} bits in groups of {}", wanted.bits, wanted.group_size), report);
}

void allocate_swan(const AllocationSetting& setting, AllocateReport& report) {
  for (const auto& tensor : setting.problem.tensors) {
    if (tensor.swan && tensor.swan->by_composite) ++report.swan_tensors[tensor.swan->bits];
  }
  if (report.swan_tensors.empty() && !setting.source.missing_metrics.empty()) {
    throw Error(ExitCode::bad_input, setting.source.place, why_no_swan(setting),
                "sweep with them among sensitivity.metrics, or plan with --method budget, which "
                "needs error alone");
  }
  if (report.swan_tensors.empty()) {
    throw Error(ExitCode::bad_input, setting.source.place, "has no SWAN scores",
                "name the run of a sensitivity sweep, or a CSV file with excess_kurtosis, "
                "spectral_concentration, noise_amplification and nrmse_rtn_4bit_g128");
  }
  const auto& thresholds = setting.source.thresholds;
  if (setting.options.target.empty()) {
    const auto decisions = swan(setting.problem, setting.group_size, thresholds);
    return set_plan(setting, decisions, fmt::format("groups of {}", setting.group_size), report);
  }
  const auto largest = kept_bytes(setting);
  const auto target = target_bytes(setting, largest);
  set_plan_within(setting, target, report, [&](std::int64_t headroom) {
    auto found = swan_within(setting.problem, setting.group_size, thresholds, headroom);
    if (!found) {
      constexpr double fewest = -2.0;  // composites are in [0, 1]
      const auto least = swan(setting.problem, setting.group_size, thresholds, fewest);
      throw too_small(setting, setting.undecided_bytes + bytes_of(least), largest);
    }
    return std::pair(std::move(found->first),
                     fmt::format("groups of {}, composites moved by {:+.4f}", setting.group_size,
                                 found->second));
  });
}

void allocate_floor(const AllocationSetting& setting, AllocateReport& report) {
  require_target(setting, "30dB");
  require_measurements(setting);
  const double decibels = parse_decibels(setting.options.target);
  const auto found = allocation::above_floor(setting.problem.modules, decibels);
  const double largest_nrmse = std::pow(10.0, -decibels / 20.0);
  for (std::size_t i = 0; i < found.chosen.size(); ++i) {
    const auto& module = setting.problem.modules[i];
    if (module.choices[found.chosen[i]].nrmse > largest_nrmse) {
      report.below_floor.push_back(module.name);
    }
  }
  set_plan(setting, decisions_of(setting.problem, found, fmt::format("at least {} dB", decibels)),
           "", report);
}

}  // namespace moesweep::planning
