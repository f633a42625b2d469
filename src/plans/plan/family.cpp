#include <algorithm>
#include <utility>

#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/plan/family.hpp>

namespace moesweep::plan {

source::FamilyFacts family_of_plan(const records::Plan& plan, std::string place) {
  return {.place = std::move(place),
          .model_type = plan.architecture,
          .declared_type = plan.source.model_type,
          .layers = plan.layers,
          .experts = plan.experts,
          .tied_embeddings = plan.tied_embeddings,
          .quantizable = plan.quantizable};
}

std::int64_t layers_shown_by(const records::Plan& plan) {
  std::int64_t layers = 0;
  for (const auto& row : plan.rows) layers = std::max(layers, names::layers_shown_by(row.tensor));
  return layers;
}

std::vector<std::string> expert_patterns_of(const records::Plan& plan) {
  return plan.expert_patterns.value_or(std::vector<std::string>{"experts"});
}

}  // namespace moesweep::plan
