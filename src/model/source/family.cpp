#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/source/family.hpp>

namespace moesweep::source {
namespace {

/// Converters that leave a vision tower out write the type of what is left.
bool is_same_type(std::string_view a, std::string_view b) {
  constexpr std::string_view of_text = "_text";
  for (auto* type : {&a, &b}) {
    if (type->ends_with(of_text)) type->remove_suffix(of_text.size());
  }
  return a == b;
}

/// The two differ in `planned`: "60 layers".
Error contradiction(const FamilyFacts& plan, const std::string& planned, const FamilyFacts& config,
                    const std::string& found, std::string_view also = {}) {
  return Error(ExitCode::bad_input, plan.place,
               fmt::format("is for a checkpoint with {}, but {} says {}", printable(planned),
                           printable(config.place), printable(found)),
               fmt::format("give the checkpoint that the plan was made for, or make the plan "
                           "again{}",
                           also));
}

std::string text_of_tied(bool tied) {
  return tied ? "tied embeddings" : "an output head of its own";
}

void refuse_contradiction(const FamilyFacts& user, const FamilyFacts& plan,
                          const FamilyFacts& config) {
  const auto& declared = config.declared_type;
  // A converter may have written the family that the plan's maker named.
  if (user.model_type.empty() && !plan.declared_type.empty() && !declared.empty() &&
      !is_same_type(plan.declared_type, declared) && !is_same_type(plan.model_type, declared)) {
    throw contradiction(plan, "the model_type " + plan.declared_type, config, declared,
                        ", or name the --architecture that its tensors have the names of");
  }
  const auto compare = [&](std::int64_t FamilyFacts::*count, const char* what) {
    const auto planned = plan.*count;
    const auto found = config.*count;
    if (user.*count > 0 || planned == 0 || found == 0 || planned == found) return;
    throw contradiction(plan, fmt::format("{} {}", planned, what), config,
                        fmt::format("{}", found));
  };
  compare(&FamilyFacts::layers, "layers");
  compare(&FamilyFacts::experts, "experts");
  const auto& planned = plan.tied_embeddings;
  const auto& found = config.tied_embeddings;
  if (!user.tied_embeddings && planned && found && *planned != *found) {
    throw contradiction(plan, text_of_tied(*planned), config, text_of_tied(*found));
  }
}

/// What the first of them says that isn't silent.
std::int64_t first_count(std::initializer_list<std::int64_t> counts) {
  const auto* const said = std::ranges::find_if(counts, [](auto count) { return count > 0; });
  return said == counts.end() ? 0 : *said;
}

}  // namespace

FamilyFacts family_named(const std::string& architecture) {
  if (architecture.empty() || names::is_known_architecture(architecture)) {
    return {.model_type = architecture};
  }
  throw Error(ExitCode::bad_usage, "--architecture " + printable(architecture), "is not known",
              fmt::format("choose one of {}", fmt::join(names::known_architectures(), ", ")));
}

FamilyFacts family_of_config(const ModelConfig& config, std::string place) {
  FamilyFacts facts{.place = std::move(place),
                    .model_type = config.model_type,
                    .declared_type = config.model_type,
                    .layers = config.layers,
                    .experts = config.experts,
                    .tied_embeddings = config.tied,
                    .problem = config.unreadable};
  if (facts.problem.empty()) facts.problem = config.misfit;
  const auto limit = [&](std::int64_t& count, const char* what) {
    if (count <= most_layers_or_experts) return;
    if (facts.problem.empty()) facts.problem = fmt::format("has {} {}", count, what);
    count = 0;
  };
  limit(facts.layers, "layers");
  limit(facts.experts, "experts");
  if (config.is_there && facts.problem.empty() && facts.model_type.empty()) {
    facts.problem = "names no model_type";
  }
  return facts;
}

void require_family(const FamilyFacts& facts) {
  if (facts.problem.empty() && !facts.model_type.empty()) return;
  throw Error(ExitCode::bad_input, facts.place,
              facts.problem.empty() ? "names no model_type" : facts.problem,
              "give the config.json of the checkpoint, or name the --architecture");
}

names::Architecture family_of(const FamilySources& sources) {
  const auto& [user, plan, config, layers_shown] = sources;
  refuse_contradiction(user, plan, config);
  names::Architecture family;
  family.model_type = user.model_type.empty() ? plan.model_type : user.model_type;
  if (family.model_type.empty()) {
    if (!config.problem.empty()) require_family(config);
    family.model_type = config.model_type.empty() ? "generic" : config.model_type;
  }
  family.layers = first_count({user.layers, plan.layers, config.layers, layers_shown});
  family.experts = first_count({user.experts, plan.experts, config.experts});
  for (const auto& tied : {user.tied_embeddings, plan.tied_embeddings, config.tied_embeddings}) {
    if (!tied) continue;
    family.tied_embeddings = *tied;
    break;
  }
  family.quantizable = plan.quantizable;
  return family;
}

}  // namespace moesweep::source
