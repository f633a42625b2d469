#include <utility>

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

std::vector<std::string> expert_patterns_of(const records::Plan& plan) {
  if (plan.expert_patterns.empty()) return {"experts"};
  return plan.expert_patterns;
}

}  // namespace moesweep::plan
