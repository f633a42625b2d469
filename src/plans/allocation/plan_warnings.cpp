#include <moesweep/plans/allocation/plan_warnings.hpp>
#include <moesweep/plans/allocation/starved_output.hpp>

namespace moesweep::allocation {

OutputFacts output_facts(const source::ModelConfig& config,
                         const names::Architecture& architecture) {
  OutputFacts facts{.tied = config.tied, .causal = config.causal};
  const auto& model_type = architecture.model_type;
  if (!facts.causal && model_type != "generic" && names::is_known_architecture(model_type)) {
    facts.causal = true;
  }
  return facts;
}

std::vector<std::string> warnings_of(const records::Plan& plan, const source::ModelConfig& config,
                                     const names::Architecture& architecture) {
  auto facts = output_facts(config, architecture);
  if (plan.tied_embeddings) facts.tied = plan.tied_embeddings;
  const auto starved = starved_output(plan, facts);
  return starved ? std::vector{starved->text()} : std::vector<std::string>{};
}

}  // namespace moesweep::allocation
