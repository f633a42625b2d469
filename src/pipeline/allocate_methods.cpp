#include "allocate_methods.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/base/text.hpp>

namespace moesweep::pipeline {
namespace {

using allocation::Decisions;
using allocation::Format;

std::string size_text(const AllocationSetting& setting, std::int64_t bytes) {
  return fmt::format("{} ({:.4f} bits per weight)", format_size(bytes),
                     8.0 * static_cast<double>(bytes) / static_cast<double>(setting.params));
}

void set_plan(const AllocationSetting& setting, const Decisions& decisions, std::string how,
              AllocateReport& report) {
  report.plan = plan_of(setting, decisions);
  report.size = {setting.undecided_bytes + bytes_of(decisions), measured_error(decisions),
                 std::move(how)};
}

std::int64_t target_bytes(const AllocationSetting& setting) {
  return parse_target(setting.options.target).bytes_for(setting.params, setting.original_bytes);
}

Error too_small(const AllocationSetting& setting, std::int64_t least) {
  return Error(ExitCode::bad_usage, "--target " + setting.options.target,
               fmt::format("the smallest allowed choices take {}", size_text(setting, least)),
               setting.source.architecture.model_type == "generic"
                   ? "raise it, allow fewer bits, or name the --architecture: generic names keep "
                     "all that is not called .weight"
                   : "raise it, or allow fewer bits");
}

std::int64_t least_bytes_of_modules(const allocation::Problem& problem) {
  std::int64_t bytes = 0;
  for (const auto& module : problem.modules) {
    auto least = module.choices.front().bytes;
    for (const auto& choice : module.choices) least = std::min(least, choice.bytes);
    bytes += least;
  }
  return bytes;
}

/// With the headers of files that hold it.
std::int64_t least_bytes(const AllocationSetting& setting) {
  const auto bytes = least_bytes_of_modules(setting.problem);
  const auto smallest = allocation::within_budget(setting.problem.modules, bytes);
  expect(smallest.has_value(), "the smallest choices do not fit their own size");
  return plan_of(setting, decisions_of(setting.problem, *smallest, "smallest")).bytes;
}

/// Otherwise uniform() would take the nearest format everywhere, under this one's name.
bool is_measured(const allocation::Problem& problem, const Format& format) {
  return std::ranges::any_of(problem.modules, [&](const auto& module) {
    return std::ranges::any_of(module.choices, [&](const auto& choice) {
      return choice.quantizer == format.quantizer && choice.bits == format.bits &&
             choice.group_size == format.group_size;
    });
  });
}

void require_target(const AllocationSetting& setting, const char* example) {
  if (!setting.options.target.empty()) return;
  throw Error(ExitCode::bad_usage, "--method " + setting.options.method, "needs a --target",
              fmt::format("for example --target {}", example));
}

}  // namespace

double measured_error(const Decisions& decisions) {
  double error = 0.0;
  bool any_measured = false, any_unknown = false;
  for (const auto& [choice, reason] : decisions) {
    const bool measured = !std::isnan(choice.error);
    any_unknown = any_unknown || !measured;
    any_measured = any_measured || (measured && !choice.quantizer.empty());
    error += measured ? choice.error : 0.0;
  }
  return any_unknown && !any_measured ? std::numeric_limits<double>::quiet_NaN() : error;
}

std::string text_of(const Format& format) {
  if (format.keeps()) return "kept";
  return fmt::format("{} {} bits, groups of {}", format.quantizer, format.bits, format.group_size);
}

// File headers depend on what is chosen: what they take beyond the target is saved in the modules.
void allocate_budget(const AllocationSetting& setting, AllocateReport& report) {
  require_target(setting, "4.25bpw");
  require_measurements(setting);
  const auto target = target_bytes(setting);
  auto budget = target - setting.undecided_bytes;
  for (;;) {
    const auto found = allocation::within_budget(setting.problem.modules, budget);
    if (!found) throw too_small(setting, least_bytes(setting));
    set_plan(setting, decisions_of(setting.problem, *found, "budget"), "", report);
    report.lower_bound = found->lower_bound;
    report.proven_optimal = found->proven_optimal;
    if (report.plan.bytes <= target) return;
    budget = std::min(budget, found->bytes) - (report.plan.bytes - target);
  }
}

std::optional<std::pair<Decisions, Format>> uniform_within(const AllocationSetting& setting,
                                                           std::int64_t bytes, bool measured_only) {
  std::optional<std::pair<Decisions, Format>> best;
  for (const auto& format : setting.problem.constraints.runtime_formats) {
    if (measured_only && !is_measured(setting.problem, format)) continue;
    auto decisions = uniform(setting.problem, format, measured_only);
    if (bytes_of(decisions) > bytes) continue;
    const double error = measured_error(decisions);
    // Without errors more bytes are taken to be better.
    const bool better = !best || error < measured_error(best->first) ||
                        (std::isnan(error) && bytes_of(decisions) > bytes_of(best->first));
    if (better) best = {std::move(decisions), format};
  }
  return best;
}

void allocate_uniform(const AllocationSetting& setting, AllocateReport& report) {
  const auto& options = setting.options;
  if (!options.target.empty()) {
    const auto headroom = target_bytes(setting) - setting.undecided_bytes;
    const auto found = uniform_within(setting, headroom);
    if (!found)
      throw Error(ExitCode::bad_usage, "--target " + options.target,
                  "no uniform format is so small", "raise it");
    return set_plan(setting, found->first, text_of(found->second), report);
  }
  if (options.bits.size() > 1 || options.group_sizes.size() > 1) {
    throw Error(ExitCode::bad_usage, "--method uniform", "takes one --bits and one --group-size",
                "see --role for exceptions");
  }
  constexpr std::int32_t usual_bits = 4;
  const auto bits = options.bits.empty() ? usual_bits : options.bits.front();
  // Block formats bring their group: the one with these bits is meant.
  Format wanted{"any", bits, setting.group_size};
  for (const auto& format : setting.problem.constraints.formats) {
    if (format.bits == bits && options.group_sizes.empty() && format.quantizer != "affine" &&
        format.quantizer != "rtn") {
      wanted = format;
    }
  }
  set_plan(setting, uniform(setting.problem, wanted),
           fmt::format("{} bits, groups of {}", wanted.bits, wanted.group_size), report);
}

void allocate_swan(const AllocationSetting& setting, AllocateReport& report) {
  for (const auto& tensor : setting.problem.tensors) {
    if (tensor.swan && tensor.swan->by_composite) ++report.swan_tensors[tensor.swan->bits];
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
  const auto headroom = target_bytes(setting) - setting.undecided_bytes;
  const auto found = swan_within(setting.problem, setting.group_size, thresholds, headroom);
  if (!found) {
    throw Error(ExitCode::bad_usage, "--target " + setting.options.target,
                "is too small for SWAN's fewest bits", "raise it");
  }
  set_plan(
      setting, found->first,
      fmt::format("groups of {}, composites moved by {:+.4f}", setting.group_size, found->second),
      report);
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

}  // namespace moesweep::pipeline
