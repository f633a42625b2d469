#include "allocation_prior.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <moesweep/core/base/text.hpp>
#include <moesweep/plans/allocation/plan_warnings.hpp>
#include <moesweep/plans/allocation/starved_output.hpp>

namespace moesweep::planning {
namespace {

using records::PlanRow;

/// What a plan makes of a term.
struct PlannedTerm {
  double sse = 0.0, sum_squares = 0.0;
  double params = 0.0, bits = 0.0;

  double error() const { return sse == 0.0 ? 0.0 : sse / sum_squares; }
  double mean_bits() const { return bits / params; }
};

std::map<std::string, PlannedTerm> terms_of(const std::vector<PlanRow>& rows) {
  std::map<std::string, PlannedTerm> terms;
  for (const auto& row : rows) {
    if (row.action == "drop") continue;
    auto& term = terms[row.term];
    term.sse += row.sse;
    term.sum_squares += row.sum_squares;
    term.params += static_cast<double>(row.params);
    term.bits += static_cast<double>(row.params) * row.bits;
  }
  return terms;
}

/// The median of what modules count; measured alphas have a scale of their own.
double usual_alpha(const allocation::Problem& problem) {
  std::vector<double> alphas;
  for (const auto& members : problem.members) {
    alphas.push_back(problem.alphas[members.front()].value);
  }
  if (alphas.empty()) return 1.0;
  const auto middle = alphas.begin() + std::ssize(alphas) / 2;
  std::ranges::nth_element(alphas, middle);
  return *middle > 0.0 ? *middle : 1.0;
}

}  // namespace

bool has_prior(const AllocateOptions& options) {
  if (options.prior == "role") return true;
  if (options.prior == "none") return false;
  throw Error(ExitCode::bad_usage, "--prior " + options.prior, "is not known",
              "choose role, or none (every error counts 1)");
}

void set_prior(AllocationSource& source) {
  auto prior = allocation::prior_of(source.tensors,
                                    allocation::output_facts(source.config, source.architecture));
  for (std::size_t i = 0; i < prior.size(); ++i) source.tensors[i].prior = std::move(prior[i]);
}

void note_unknown_roles(AllocationSetting& setting) {
  if (!has_prior(setting.options)) return;
  const auto& tensors = setting.problem.tensors;
  auto& notes = setting.source.notes;
  const auto says_nothing = [](const auto& tensor) { return tensor.prior.reason.empty(); };
  const auto is_output = [](const auto& tensor) {
    return tensor.prior.value >= allocation::counts_much;
  };
  const auto facts = allocation::output_facts(setting.source.config, setting.source.architecture);
  if (std::ranges::all_of(tensors, says_nothing)) {
    notes.emplace_back(
        "no name here says head, embedding that is also the head, or q, k and v: every error "
        "counts 1; --alpha says otherwise");
  } else if (facts.causal.value_or(false) && std::ranges::none_of(tensors, is_output)) {
    notes.emplace_back(
        "the model predicts tokens, but no name here says what makes its logits: that counts 1 "
        "like the rest; --alpha says otherwise");
  }
}

std::vector<AlphaGroup> alpha_groups(const AllocationSetting& setting) {
  const auto& problem = setting.problem;
  std::map<std::pair<double, std::string>, AlphaGroup> groups;
  for (const auto& members : problem.members) {
    for (const auto i : members) {
      const auto& [alpha, reason] = problem.alphas[i];
      auto& group = groups[{-alpha, reason}];
      group.alpha = alpha;
      group.reason = reason;
      if (group.tensors++ == 0) group.first = problem.tensors[i].name;
      group.params += problem.tensors[i].params();
    }
  }
  std::vector<AlphaGroup> sorted;
  for (auto& [key, group] : groups) sorted.push_back(std::move(group));
  return sorted;
}

void note_starved_terms(const AllocationSetting& setting, const allocation::Decisions& uniform,
                        AllocateReport& report) {
  const auto& problem = setting.problem;
  const auto& rows = report.plan.rows;  // one for each tensor, in their order
  const double unit = usual_alpha(problem);
  std::map<std::string, double> counts;
  for (std::size_t i = 0; i < problem.tensors.size(); ++i) {
    counts[rows[i].term] = std::max(problem.alphas[i].value / unit, problem.tensors[i].prior.value);
  }
  const auto of_uniform = terms_of(allocation::plan_rows(problem, uniform));
  for (const auto& [name, term] : terms_of(rows)) {
    const auto& other = of_uniform.at(name);
    // Not measured is not more.
    if (counts[name] < allocation::counts_much || !(term.error() > other.error())) continue;
    report.notes.push_back(fmt::format(
        "{} counts {:.3g} and gets {:.3g} bits here, {:.3g} under uniform of as many bytes: its "
        "relative squared error is {:.3g} instead of {:.3g}",
        printable(name), counts[name], term.mean_bits(), other.mean_bits(), term.error(),
        other.error()));
  }
}

}  // namespace moesweep::planning
