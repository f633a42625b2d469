#include "allocation_target.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/text.hpp>

#include "allocation_options.hpp"

namespace moesweep::planning {
namespace {

using allocation::Choice;
using allocation::Keeper;

std::string size_text(const AllocationSetting& setting, std::int64_t bytes) {
  return fmt::format("{} ({:.4f} bits per weight)", format_size(bytes),
                     8.0 * static_cast<double>(bytes) / static_cast<double>(setting.params));
}

std::int64_t bytes_with(const AllocationSetting& setting, auto is_before) {
  allocation::Decisions decisions;
  for (const auto& module : setting.problem.modules) {
    decisions.push_back({*std::ranges::min_element(module.choices, is_before), ""});
  }
  return plan_of(setting, decisions).bytes;
}

struct Kept {
  std::int64_t tensors = 0, bytes = 0;
  void add(const allocation::Tensor& tensor) {
    ++tensors;
    bytes += tensor.kept_bytes();
  }
  std::string text(const std::string& why) const {
    return fmt::format("{} {} ({})", format_count(tensors), why, format_size(bytes));
  }
};

/// "6 tensors are protected (12.00 KiB), 42 share their storage (84.00 KiB), ...", the largest
/// first among what the runtime keeps.
std::string what_is_kept(const AllocationSetting& setting) {
  constexpr std::size_t most_reasons = 3;
  const auto& problem = setting.problem;
  Kept patterns, alike, nonfinite, undecided;
  std::map<std::string, Kept> by_reason;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    const auto& tensor = problem.tensors[i];
    if (problem.keepers[i] == Keeper::pattern) patterns.add(tensor);
    if (problem.keepers[i] == Keeper::pattern_alike) alike.add(tensor);
    if (problem.keepers[i] == Keeper::nonfinite) nonfinite.add(tensor);
    if (problem.keepers[i] == Keeper::runtime) by_reason[problem.kept_because[i]].add(tensor);
  }
  for (std::size_t module = 0; module < problem.modules.size(); ++module) {
    const auto& choices = problem.modules[module].choices;
    if (choices.size() > 1 || !choices.front().encoding.keeps()) continue;
    for (const auto i : problem.members[module]) undecided.add(problem.tensors[i]);
  }
  std::vector<std::string> parts;
  if (patterns.tensors > 0) parts.push_back(patterns.text("are protected"));
  if (alike.tensors > 0) parts.push_back(alike.text("share their storage with a protected one"));
  if (nonfinite.tensors > 0) parts.push_back(nonfinite.text("hold a NaN or infinity"));
  if (undecided.tensors > 0) parts.push_back(undecided.text("have no other allowed choice"));
  std::vector<std::pair<std::string, Kept>> reasons(by_reason.begin(), by_reason.end());
  std::ranges::stable_sort(reasons, std::ranges::greater(),
                           [](const auto& reason) { return reason.second.bytes; });
  Kept others;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const auto& [why, kept] = reasons[i];
    if (i < most_reasons) {
      parts.push_back(kept.text(
          fmt::format("in {}: {}", names::runtime_name(setting.options.runtime), printable(why))));
      continue;
    }
    others.tensors += kept.tensors;
    others.bytes += kept.bytes;
  }
  if (others.tensors > 0) parts.push_back(others.text("for other reasons"));
  return parts.empty() ? "nothing has to be kept" : fmt::format("kept: {}", fmt::join(parts, ", "));
}

/// The fewest bits that the options leave, or with `all` the runtime has, among what was measured.
std::int32_t fewest_bits(const AllocationSetting& setting, bool all) {
  const auto& constraints = setting.problem.constraints;
  std::int32_t fewest = 16;
  for (const auto& format : all ? constraints.runtime_formats : constraints.formats) {
    if (!setting.swept.empty() && !setting.swept.contains(format)) continue;
    fewest = std::min(fewest, format.bits);
  }
  return fewest;
}

std::string remedy_for_too_small(const AllocationSetting& setting) {
  std::vector<std::string> remedies = {"raise it"};
  const auto possible = fewest_bits(setting, true);
  if (possible < fewest_bits(setting, false)) {
    remedies.push_back(fmt::format("allow fewer bits (--bits {})", possible));
  }
  if (!setting.options.protect.empty()) remedies.emplace_back("protect less");
  if (!setting.options.min_bits.empty()) remedies.emplace_back("lower --min-bits");
  if (!setting.options.roles.empty()) remedies.emplace_back("give roles fewer bits");
  if (setting.source.architecture.model_type == "generic") {
    remedies.emplace_back(
        "name the --architecture: generic names keep all that is not called .weight");
  }
  return fmt::format("{}", fmt::join(remedies, ", or "));
}

std::string range_text(const AllocationSetting& setting, std::int64_t least, std::int64_t largest) {
  return fmt::format("from {} to {}", size_text(setting, least), size_text(setting, largest));
}

}  // namespace

std::int64_t least_bytes(const AllocationSetting& setting) {
  return bytes_with(setting, [](const Choice& a, const Choice& b) { return a.bytes < b.bytes; });
}

std::int64_t largest_bytes(const AllocationSetting& setting) {
  return bytes_with(setting, [](const Choice& a, const Choice& b) { return a.bytes > b.bytes; });
}

std::int64_t kept_bytes(const AllocationSetting& setting) {
  const allocation::Decision keep{Choice{}, ""};
  return plan_of(setting, allocation::Decisions(setting.problem.modules.size(), keep)).bytes;
}

Error too_small(const AllocationSetting& setting, std::int64_t least, std::int64_t largest) {
  return Error(ExitCode::bad_usage, "--target " + setting.options.target,
               fmt::format("is below what is possible, {}; {}", range_text(setting, least, largest),
                           what_is_kept(setting)),
               remedy_for_too_small(setting));
}

std::int64_t target_bytes(const AllocationSetting& setting, std::int64_t largest) {
  const auto& target = setting.options.target;
  const auto bytes = parse_target(target).bytes_for(setting.params, setting.original_bytes);
  // As printed: the largest, with its four decimals, is a target.
  const auto rounding = static_cast<std::int64_t>(1e-4 * static_cast<double>(setting.params) / 8.0);
  if (bytes <= largest + rounding) return bytes;
  throw Error(ExitCode::bad_usage, "--target " + target,
              fmt::format("is above what is possible, at most {}; the original takes {}",
                          size_text(setting, largest), size_text(setting, setting.original_bytes)),
              "lower it");
}

}  // namespace moesweep::planning
