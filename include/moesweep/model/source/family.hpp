#pragma once
// Which family's names the tensors of a checkpoint have: the one place that says who is believed.
//
//   1. what the user names       --architecture, quantize.architecture (the family); --config (all)
//   2. the plan file             before schema 3 the family and the quantizable names alone
//   3. config.json               of the checkpoint
//   4. what tensor names show    how many layers a language model has at least; else unknown, and
//                                the family is "generic": names stay as they are
//
// Each fact (family, layers, experts, tied embeddings, quantizable names) is taken from the first
// that says it. The plan comes before config.json because a plan was made with these facts and its
// tensors are named by them, while config.json may have been written by a converter; where both
// speak and differ, one of the two is not what the user takes it for, and neither is believed.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/model/names/runtime.hpp>
#include <moesweep/model/source/model_config.hpp>

namespace moesweep::source {

/// What one of them says; empty, 0 and nothing where it is silent.
struct FamilyFacts {
  std::string place = {};       ///< that errors name: "plan.json", "model/config.json"
  std::string model_type = {};  ///< whose names the tensors have
  /// What config.json of the checkpoint names; `model_type` is another where a user has said so.
  std::string declared_type = {};
  std::int64_t layers = 0;
  std::int64_t experts = 0;  ///< routed, of a layer
  std::optional<bool> tied_embeddings = {};
  std::vector<std::string> quantizable = {};  ///< names::Architecture::quantizable
  /// Why something is there and doesn't tell all: "is not a JSON object", "names no model_type".
  std::string problem = {};
};

/// Beyond any model, and far from where sums of them overflow.
inline constexpr std::int64_t most_layers_or_experts = std::int64_t{1} << 20;

/// By option. Error(bad_usage) for a family that is not known; silent for an empty name.
FamilyFacts family_named(const std::string& architecture);

/// By config.json; silent where there is none. Counts that are none, or beyond
/// most_layers_or_experts, are a problem and unknown.
FamilyFacts family_of_config(const ModelConfig& config, std::string place = "config.json");

/// Error(bad_input) with the problem of `facts`, or because they name no family.
void require_family(const FamilyFacts& facts);

struct FamilySources {
  FamilyFacts user = {};
  FamilyFacts plan = {};
  FamilyFacts config = {};
  std::int64_t layers_shown = 0;  ///< names::layers_shown_by
};

/// Error(bad_input) naming both when plan and config.json differ in what the user doesn't say:
/// layers, experts, tied embeddings, or the type that config.json names (which may gain or lose the
/// ending "_text"). Error(bad_input) when config.json has to tell the family and can't, or has a
/// count that is none (require_family); where the family is known from elsewhere, what is wrong
/// with config.json is no error.
names::Architecture family_of(const FamilySources& sources);

}  // namespace moesweep::source
