#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/plans/allocation/plan.hpp>

#include "choices.hpp"

namespace moesweep::allocation {
namespace {

constexpr std::int32_t kept_bits = 16;

std::string joined(const std::string& reason, const std::string& more) {
  if (reason.empty() || more.empty()) return reason + more;
  return reason + "; " + more;
}

/// A fixed role decides before any method.
Decision decide(const Problem& problem, std::size_t module, const Encoding& wanted,
                const std::string& reason, bool measured_only = false) {
  const auto* fixed = fixed_format(problem, problem.members[module]);
  auto decision = fixed == nullptr ? nearest(problem, module, wanted, measured_only)
                                   : nearest_to_fixed(problem, module, *fixed, measured_only);
  decision.reason = joined(fixed == nullptr ? reason : "fixed for its role", decision.reason);
  return decision;
}

std::int32_t swan_bits(const SwanScore& score, const SwanThresholds& at, double offset) {
  if (!score.by_composite) return score.bits;
  const double composite = score.composite + offset;
  if (composite >= at.bits16) return kept_bits;
  if (composite >= at.bits8) return 8;
  return composite <= at.bits2 ? 2 : 4;
}

/// Offsets at which the bits of a tensor change, with a step below the smallest and above the
/// largest, in rising order.
std::vector<double> changing_offsets(const Problem& problem, const SwanThresholds& thresholds) {
  constexpr double beyond = 2.0;  // composites are in [0, 1]
  std::vector<double> offsets = {-beyond, beyond};
  for (const auto& tensor : problem.tensors) {
    if (!tensor.swan || !tensor.swan->by_composite) continue;
    for (const auto threshold : {thresholds.bits2, thresholds.bits8, thresholds.bits16}) {
      const double offset = threshold - tensor.swan->composite;
      // On either side: a sum may be rounded across the threshold.
      offsets.push_back(offset - 1e-12);
      offsets.push_back(offset + 1e-12);
    }
  }
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

}  // namespace

Decisions decisions_of(const Problem& problem, const Allocation& allocation,
                       const std::string& reason) {
  Decisions decisions;
  for (std::size_t i = 0; i < problem.modules.size(); ++i) {
    const auto* fixed = fixed_format(problem, problem.members[i]);
    const auto& choices = problem.modules[i].choices;
    auto why = choices.size() == 1 ? "its only choice" : reason;
    if (fixed != nullptr) {
      why = joined("fixed for its role", nearest_to_fixed(problem, i, *fixed).reason);
    }
    decisions.push_back({choices[allocation.chosen[i]], std::move(why)});
  }
  return decisions;
}

Decisions uniform(const Problem& problem, const Encoding& format, bool measured_only) {
  Decisions decisions;
  for (std::size_t i = 0; i < problem.modules.size(); ++i) {
    decisions.push_back(decide(problem, i, format, "uniform", measured_only));
  }
  return decisions;
}

Decisions swan(const Problem& problem, std::int32_t group_size, const SwanThresholds& thresholds,
               double offset) {
  Decisions decisions;
  for (std::size_t module = 0; module < problem.modules.size(); ++module) {
    const Tensor* decides = nullptr;
    std::int32_t bits = kept_bits;
    for (const auto i : problem.members[module]) {
      const auto& tensor = problem.tensors[i];
      const auto wanted = tensor.swan ? swan_bits(*tensor.swan, thresholds, offset) : kept_bits;
      if (decides != nullptr && wanted <= bits) continue;
      decides = &tensor;
      bits = wanted;
    }
    auto reason = decides->swan ? fmt::format("SWAN: {}", decides->swan->reason)
                                : std::string("SWAN: not analysed");
    if (offset != 0.0 && decides->swan && decides->swan->by_composite) {
      reason = fmt::format("SWAN: composite {:.4f}, {:+.4f} to meet the size",
                           decides->swan->composite, offset);
    }
    if (problem.members[module].size() > 1) reason += fmt::format(" ({})", decides->name);
    decisions.push_back(decide(problem, module, {"any", bits, group_size}, reason));
  }
  return decisions;
}

std::optional<std::pair<Decisions, double>> swan_within(const Problem& problem,
                                                        std::int32_t group_size,
                                                        const SwanThresholds& thresholds,
                                                        std::int64_t bytes) {
  const auto offsets = changing_offsets(problem, thresholds);
  const auto fits = [&](double offset) {
    return bytes_of(swan(problem, group_size, thresholds, offset)) <= bytes;
  };
  const auto beyond = std::partition_point(offsets.begin(), offsets.end(), fits);
  if (beyond == offsets.begin()) return std::nullopt;
  const double offset = *std::prev(beyond);
  return std::pair(swan(problem, group_size, thresholds, offset), offset);
}

std::int64_t bytes_of(const Decisions& decisions) {
  std::int64_t bytes = 0;
  for (const auto& decision : decisions) bytes += decision.choice.bytes;
  return bytes;
}

Coverage coverage_of(const Problem& problem, const Decisions& decisions) {
  Coverage coverage;
  for (std::size_t module = 0; module < decisions.size(); ++module) {
    const auto& format = decisions[module].choice.encoding;
    if (format.keeps()) continue;
    for (const auto i : problem.members[module]) {
      const auto& tensor = problem.tensors[i];
      const bool measured = is_measured(tensor, format);
      ++coverage.tensors;
      coverage.params += tensor.params();
      coverage.tensors_measured += measured ? 1 : 0;
      coverage.params_measured += measured ? tensor.params() : 0;
      if (!measured) coverage.missing.insert(format);
    }
  }
  return coverage;
}

double error_of(const Decisions& decisions) {
  double error = 0.0;
  for (const auto& decision : decisions) error += decision.choice.error;
  return error;
}

}  // namespace moesweep::allocation
