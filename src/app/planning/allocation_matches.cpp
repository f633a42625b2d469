#include "allocation_matches.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/nearest_pattern.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/fit.hpp>

namespace moesweep::planning {
namespace {

using allocation::Tensor;

std::vector<std::string> names_of(std::span<const Tensor> tensors) {
  std::vector<std::string> names;
  for (const auto& tensor : tensors) names.push_back(tensor.name);
  return names;
}

void require_protected(const AllocateOptions& options, std::span<const Tensor> tensors) {
  for (const auto& pattern : options.protect) {
    const bool matches = std::ranges::any_of(tensors, [&](const Tensor& tensor) {
      return allocation::is_protected_by(tensor.name, pattern);
    });
    if (matches) continue;
    throw Error(ExitCode::bad_usage, "--protect " + pattern, "matches no tensor",
                remedy_for_pattern(pattern, names_of(tensors)));
  }
}

void require_quantizable(const AllocateOptions& options, std::span<const Tensor> tensors) {
  for (const auto& glob : options.quantizable) {
    std::vector<std::string> matrices;
    bool matches = false;
    for (const auto& tensor : tensors) {
      if (tensor.shape.size() < 2) continue;
      matches = matches || matches_glob(glob, tensor.name);
      matrices.push_back(tensor.name);
    }
    if (matches) continue;
    throw Error(ExitCode::bad_usage, "--quantizable " + glob, "matches no matrix",
                remedy_for_pattern(glob, matrices));
  }
}

void require_alpha(const allocation::Alpha& alpha, std::span<const Tensor> tensors) {
  constexpr std::size_t most_named = 5;
  if (alpha.patterns.empty()) return;
  std::vector<std::string> terms;
  for (const auto& tensor : tensors) terms.push_back(objective_term(tensor));
  std::vector<const allocation::AlphaPattern*> unmatched;
  for (const auto& pattern : alpha.patterns) {
    std::size_t i = 0;
    while (i < tensors.size() && !pattern.matches(tensors[i], terms[i])) ++i;
    if (i == tensors.size()) unmatched.push_back(&pattern);
  }
  if (unmatched.empty()) return;
  std::vector<std::string> named;
  for (const auto* pattern : unmatched) {
    if (named.size() == most_named) break;
    named.push_back(
        fmt::format("{}:{} \"{}\"", pattern->file, pattern->line, printable(pattern->glob)));
  }
  const auto more = unmatched.size() - named.size();
  throw Error(ExitCode::bad_usage, "--alpha " + unmatched.front()->file,
              fmt::format("no tensor or module matches {}{}", fmt::join(named, ", "),
                          more == 0 ? "" : fmt::format(" and {} more", more)),
              remedy_for_pattern(unmatched.front()->glob, names_of(tensors)));
}

/// A role that no tensor has, and those that some have.
void require_role(const std::string& option, const std::string& role,
                  std::span<const Tensor> tensors) {
  std::set<std::string> roles;
  for (const auto& tensor : tensors) roles.insert(tensor.role);
  if (roles.contains(role)) return;
  const auto near = nearest_name(role, std::vector<std::string>(roles.begin(), roles.end()));
  throw Error(ExitCode::bad_usage, fmt::format("{} {}", option, role),
              fmt::format("no tensor here has the role {}", role),
              fmt::format("{}there are {}", near ? fmt::format("did you mean {}? ", *near) : "",
                          fmt::join(roles, ", ")));
}

/// A format is asked for, and all of the role are kept for other reasons.
void require_quantizable_role(const allocation::Problem& problem, const std::string& role) {
  std::string reason;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    if (problem.tensors[i].role != role) continue;
    if (problem.kept_because[i].empty()) return;
    if (reason.empty()) {
      reason = fmt::format("{}: {}", printable(problem.tensors[i].name), problem.kept_because[i]);
    }
  }
  throw Error(ExitCode::bad_usage, "--role " + role,
              fmt::format("no tensor of the role can be quantized ({})", reason),
              fmt::format("leave it out, or say {}=keep", role));
}

}  // namespace

void require_matches(const AllocationSetting& setting, const allocation::Alpha& alpha) {
  const auto& problem = setting.problem;
  require_protected(setting.options, problem.tensors);
  require_quantizable(setting.options, problem.tensors);
  require_alpha(alpha, problem.tensors);
  for (const auto& [role, factor] : alpha.by_role) require_role("--alpha", role, problem.tensors);
  for (const auto& [role, bits] : problem.constraints.min_bits) {
    require_role("--min-bits", role, problem.tensors);
  }
  for (const auto& [role, format] : problem.constraints.fixed) {
    require_role("--role", role, problem.tensors);
    if (!format.keeps()) require_quantizable_role(problem, role);
  }
}

void require_fit(const AllocationSource& source, names::Runtime runtime) {
  std::vector<names::NamedShape> tensors;
  double params = 0.0;
  for (const auto& tensor : source.tensors) {
    tensors.push_back({tensor.name, tensor.shape});
    params += static_cast<double>(tensor.params());
  }
  const auto fit = names::fit_of(runtime, source.architecture, tensors);
  if (fit.tensors > 0 && fit.params >= 0.5 * params) return;
  throw Error(ExitCode::bad_usage, "--architecture " + source.architecture.model_type,
              fmt::format("knows the names of {} of {} tensors here ({:.1f} % of the parameters)",
                          format_count(fit.tensors), format_count(std::ssize(tensors)),
                          params > 0.0 ? 100.0 * fit.params / params : 0.0),
              remedy_for_architecture(runtime, source.architecture, tensors));
}

}  // namespace moesweep::planning
