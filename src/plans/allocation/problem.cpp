#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/allocation/plan.hpp>

#include "choices.hpp"

namespace moesweep::allocation {
namespace {

/// The first pattern that protects this tensor; null when none does.
const std::string* protection_of(const Problem& problem, std::size_t tensor) {
  const auto& patterns = problem.constraints.protected_patterns;
  const auto found = std::ranges::find_if(patterns, [&](const auto& pattern) {
    return is_protected_by(problem.tensors[tensor].name, pattern);
  });
  return found == patterns.end() ? nullptr : &*found;
}

/// By decision, tensors that the runtime can hold quantized.
using Groups = std::map<std::string, std::vector<std::size_t>>;

/// Takes protected groups out: one protected tensor keeps all that are stored alike.
void keep_protected(Problem& problem, Groups& groups) {
  std::erase_if(groups, [&](const auto& group) {
    const auto first = std::ranges::find_if(
        group.second, [&](std::size_t i) { return protection_of(problem, i) != nullptr; });
    if (first == group.second.end()) return false;
    for (const auto i : group.second) {
      const auto* own = protection_of(problem, i);
      problem.keepers[i] = own != nullptr ? Keeper::pattern : Keeper::pattern_alike;
      problem.kept_because[i] = own != nullptr ? fmt::format("protected pattern \"{}\"", *own)
                                               : fmt::format("stored like {}, which is protected",
                                                             problem.tensors[*first].name);
    }
    return true;
  });
}

/// Takes groups out that hold a NaN or infinity: nothing can quantize them.
void keep_nonfinite(Problem& problem, Groups& groups) {
  std::erase_if(groups, [&](const auto& group) {
    const auto found = std::ranges::find_if(
        group.second, [&](std::size_t i) { return !problem.tensors[i].nonfinite.empty(); });
    if (found == group.second.end()) return false;
    for (const auto other : group.second) {
      const auto& own = problem.tensors[other].nonfinite;
      problem.keepers[other] = Keeper::nonfinite;
      problem.kept_because[other] = own.empty() ? fmt::format("stored like {}, which is not finite",
                                                              problem.tensors[*found].name)
                                                : own;
    }
    return true;
  });
}

Groups groups_of(Problem& problem) {
  Groups groups;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    const auto& tensor = problem.tensors[i];
    if (tensor.fate == names::Fate::mapped && tensor.quantizable) {
      groups[tensor.decision].push_back(i);
    } else {
      if (tensor.fate != names::Fate::dropped) problem.keepers[i] = Keeper::runtime;
      problem.kept_because[i] = tensor.reason.empty() ? "cannot be quantized" : tensor.reason;
    }
  }
  keep_protected(problem, groups);
  keep_nonfinite(problem, groups);
  return groups;
}

/// alpha over the sum of squares of all tensors of the term that were measured and are stored.
std::vector<double> weights_of(const std::vector<Tensor>& tensors,
                               const std::vector<ErrorFactor>& alphas) {
  std::map<std::string, double> norms;
  std::vector<std::string> terms;
  for (const auto& tensor : tensors) {
    terms.push_back(objective_term(tensor));
    if (!std::isnan(tensor.sum_squares) && tensor.fate == names::Fate::mapped) {
      norms[terms.back()] += tensor.sum_squares;
    }
  }
  std::vector<double> weights;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto norm = norms.find(terms[i]);
    const bool has_norm = norm != norms.end() && norm->second > 0.0;
    weights.push_back(has_norm ? alphas[i].value / norm->second : 0.0);
  }
  return weights;
}

void add_choices(Problem& problem, std::size_t module, std::vector<Choice>& choices) {
  const auto& members = problem.members[module];
  if (const auto* fixed = fixed_format(problem, members)) {
    choices.push_back(nearest_to_fixed(problem, module, *fixed).choice);
    if (std::isfinite(choices.back().error)) return;
    choices.clear();
    problem.fixed_unmeasured.push_back(module);
  } else {
    const auto least = min_bits_of(problem, members);
    for (const auto& format : problem.constraints.formats) {
      if (format.bits < least) continue;
      const auto choice = choice_of(problem, members, format);
      if (choice && std::isfinite(choice->error)) choices.push_back(*choice);
    }
    if (!choices.empty() && !problem.constraints.may_keep) return;
  }
  choices.push_back(choice_of(problem, members, Encoding{}).value());
}

}  // namespace

Problem make_problem(std::vector<Tensor> tensors, Constraints constraints, const Alpha& alpha,
                     StoredBytes stored_bytes) {
  std::sort(tensors.begin(), tensors.end(),
            [](const Tensor& a, const Tensor& b) { return a.name < b.name; });
  Problem problem;
  for (const auto& tensor : tensors) problem.alphas.push_back(alpha.of(tensor));
  problem.weights = weights_of(tensors, problem.alphas);
  problem.tensors = std::move(tensors);
  problem.constraints = std::move(constraints);
  problem.stored_bytes = std::move(stored_bytes);
  problem.kept_because.resize(problem.tensors.size());
  problem.keepers.resize(problem.tensors.size(), Keeper::none);
  for (auto& [name, members] : groups_of(problem)) {
    const auto& first = problem.tensors[members.front()];
    Module module{name, first.role, names::layer_of(first.name), 0, {}};
    for (const auto i : members) module.params += problem.tensors[i].params();
    problem.members.push_back(members);
    problem.modules.push_back(std::move(module));
    add_choices(problem, problem.modules.size() - 1, problem.modules.back().choices);
  }
  return problem;
}

}  // namespace moesweep::allocation
