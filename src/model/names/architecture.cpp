#include <algorithm>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/model/names/runtime.hpp>

#include "parts.hpp"

namespace moesweep::names {
namespace {

using Json = nlohmann::json;

constexpr std::string_view generic = "generic";
constexpr auto remedy = "give the config.json of the checkpoint, or name the --architecture";

Error complaint(const std::string& file, const std::string& problem) {
  return Error(ExitCode::bad_input, file, problem, remedy);
}

// Text configurations nest in those of models that also see: the inner one wins.
const Json* find_key(const Json& config, const char* key) {
  const auto text = config.find("text_config");
  if (text != config.end() && text->is_object() && text->contains(key)) return &text->at(key);
  return config.contains(key) ? &config.at(key) : nullptr;
}

std::int64_t count_of(const Json& config, std::initializer_list<const char*> keys,
                      const std::string& file) {
  for (const auto* key : keys) {
    const auto* value = find_key(config, key);
    if (value == nullptr || value->is_null()) continue;
    if (!value->is_number_integer() || value->get<std::int64_t>() < 0) {
      throw complaint(file, std::string(key) + " is not a count");
    }
    return value->get<std::int64_t>();
  }
  return 0;
}

Json object_of(std::string_view config_json, const std::string& file) {
  auto config = parse_json(config_json, {file, remedy}, JsonNumbers::python);
  if (!config.is_object()) throw complaint(file, "is not a JSON object");
  return config;
}

/// All but the model type.
Architecture facts_of(const Json& config, const std::string& file) {
  Architecture architecture;
  architecture.layers = count_of(config, {"num_hidden_layers"}, file);
  architecture.experts =
      count_of(config, {"num_experts", "num_local_experts", "n_routed_experts"}, file);
  const auto* tied = find_key(config, "tie_word_embeddings");
  architecture.tied_embeddings = tied != nullptr && tied->is_boolean() && tied->get<bool>();
  return architecture;
}

}  // namespace

std::span<const std::string_view> known_architectures() {
  static const auto names = [] {
    std::vector<std::string_view> known;
    for (const auto& family : families()) known.push_back(family.model_type);
    known.push_back(generic);
    return known;
  }();
  return names;
}

bool is_known_architecture(std::string_view model_type) {
  return std::ranges::find(known_architectures(), model_type) != known_architectures().end();
}

Architecture architecture_from(std::string_view config_json, const std::string& file) {
  const auto config = object_of(config_json, file);
  // The outer type names the model that is loaded; configurations of text alone have no other.
  const auto* type =
      config.contains("model_type") ? &config.at("model_type") : find_key(config, "model_type");
  if (type == nullptr || !type->is_string()) throw complaint(file, "names no model_type");
  auto architecture = facts_of(config, file);
  architecture.model_type = type->get<std::string>();
  return architecture;
}

Architecture architecture_named(std::string_view model_type, std::string_view config_json,
                                std::string& problem) {
  Architecture architecture;
  if (!config_json.empty()) {
    try {
      architecture = facts_of(object_of(config_json, "config.json"), "config.json");
    } catch (const Error& error) {
      problem = error.problem();
    }
  }
  architecture.model_type = model_type;
  return architecture;
}

}  // namespace moesweep::names
