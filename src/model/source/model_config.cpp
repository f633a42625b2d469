#include <algorithm>
#include <array>
#include <initializer_list>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/companion.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/model/source/model_config.hpp>

namespace moesweep::source {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

using checkpoint::config_name;
constexpr auto quantization_name = "hf_quant_config.json";

const Json* find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// Text configurations nest in those of models that also see: the inner one wins.
const Json* find_key(const Json& config, const char* key) {
  if (const auto* text = find(config, "text_config")) {
    if (const auto* value = find(*text, key)) return value;
  }
  return find(config, key);
}

/// `misfit` becomes what is wrong with the first count that is none.
std::int64_t count_of(const Json& config, std::initializer_list<const char*> keys,
                      std::string& misfit) {
  for (const auto* key : keys) {
    const auto* value = find_key(config, key);
    if (value == nullptr) continue;
    // Beyond 2^63 it is negative.
    const bool is_count = value->is_number_integer() && value->get<std::int64_t>() >= 0;
    if (is_count) return value->get<std::int64_t>();
    if (misfit.empty()) misfit = fmt::format("{} is not a count", key);
  }
  return 0;
}

std::optional<bool> predicts_tokens(const Json& config) {
  const auto* classes = find(config, "architectures");
  if (classes == nullptr || !classes->is_array() || classes->empty()) return std::nullopt;
  return std::ranges::any_of(*classes, [](const Json& name) {
    if (!name.is_string()) return false;
    const auto text = name.get<std::string>();
    constexpr std::array ends = {"ForCausalLM", "ForConditionalGeneration", "LMHeadModel"};
    return std::ranges::any_of(ends, [&](const char* end) { return text.ends_with(end); });
  });
}

std::string text_at(const Json& object, const char* key) {
  const auto* value = find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

/// A number that every group of modules agrees on.
class Agreed {
 public:
  void add(const Json* value) {
    if (value == nullptr || !value->is_number_integer()) return;
    const auto number = value->get<std::int64_t>();
    differs_ = differs_ || (value_ != 0 && number != value_);
    value_ = number;
  }
  std::int64_t value() const { return differs_ ? 0 : std::max<std::int64_t>(0, value_); }

 private:
  std::int64_t value_ = 0;
  bool differs_ = false;
};

/// Groups of modules as compressed-tensors lists them, else the object itself, with what MLX says
/// of single modules.
void add_bits(const Json& declared, DeclaredStorage& storage) {
  Agreed bits, group_size;
  const auto add = [&](const Json& object) {
    for (const auto* key : {"bits", "num_bits", "w_bit"}) bits.add(find(object, key));
    for (const auto* key : {"group_size", "q_group_size"}) group_size.add(find(object, key));
  };
  add(declared);
  for (const auto& [name, value] : declared.items()) {
    if (value.is_object() && value.contains("bits") && value.contains("group_size")) add(value);
  }
  if (const auto* groups = find(declared, "config_groups"); groups && groups->is_object()) {
    for (const auto& [name, group] : groups->items()) {
      if (const auto* weights = find(group, "weights")) add(*weights);
    }
  }
  storage.bits = bits.value();
  storage.group_size = group_size.value();
}

DeclaredStorage declared_in(const Json& declared, const std::string& place) {
  DeclaredStorage storage{.place = place};
  for (const auto* key : {"quant_method", "quant_algo", "mode", "quantization_mode"}) {
    if (storage.method.empty()) storage.method = text_at(declared, key);
  }
  const auto* transforms = find(declared, "transform_config");
  const auto* sparsity = find(declared, "sparsity_config");
  const auto sparse_format = sparsity != nullptr ? text_at(*sparsity, "format") : std::string();
  storage.is_sparse = !sparse_format.empty() && sparse_format != "dense";
  storage.rotates_weights = transforms != nullptr && transforms->is_object() &&
                            (find(*transforms, "config_groups") == nullptr ||
                             !find(*transforms, "config_groups")->empty());
  add_bits(declared, storage);
  return storage;
}

std::optional<DeclaredStorage> declared_storage(const Json& config, const Json& quantization) {
  const auto named = [](const char* key, const char* file) {
    return std::string(key) + " of " + file;
  };
  for (const auto* key : {"quantization_config", "compression_config", "quantization"}) {
    if (const auto* value = find_key(config, key); value != nullptr && value->is_object()) {
      return declared_in(*value, named(key, config_name));
    }
  }
  if (const auto* value = find(quantization, "quantization"); value && value->is_object()) {
    return declared_in(*value, named("quantization", quantization_name));
  }
  if (const auto* value = find_key(config, "expert_dtype"); value && value->is_string()) {
    return DeclaredStorage{.place = named("expert_dtype", config_name),
                           .method = value->get<std::string>()};
  }
  return std::nullopt;
}

/// Empty when there is none, or only a link that leads out: `why` is told then.
std::string text_of_config(const fs::path& folder, std::string& why) {
  const auto found = checkpoint::find_companion(folder, config_name);
  if (found && !found->is_inside) {
    why = fmt::format("{} and is not read",
                      checkpoint::outside_error(folder, config_name, *found).problem());
    return {};
  }
  auto text = checkpoint::read_companion(folder, config_name).value_or("");
  if (found && text.empty()) return " ";  // there, and says nothing that can be read
  return text;
}

/// Null when it can't be read: `why` is told then.
Json object_of(const std::string& text, const char* name, std::string& why) {
  try {
    return checkpoint::parse_config(text, {.file = name});
  } catch (const Error& error) {
    why = error.problem();
    if (!error.remedy().empty()) why += fmt::format(" ({})", error.remedy());
    return nullptr;
  }
}

}  // namespace

ModelConfig model_config_from(const std::string& config_text, const std::string& quantization) {
  ModelConfig model;
  model.is_there = !config_text.empty();
  const auto config = object_of(config_text, config_name, model.unreadable);
  const auto* type = find(config, "model_type");
  if (type == nullptr) type = find_key(config, "model_type");
  if (type != nullptr && type->is_string()) model.model_type = type->get<std::string>();
  model.layers = count_of(config, {"num_hidden_layers", "n_layer"}, model.misfit);
  model.experts =
      count_of(config, {"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"},
               model.misfit);
  std::string unused;
  model.hidden_size = count_of(config, {"hidden_size"}, unused);
  const auto* tied = find_key(config, "tie_word_embeddings");
  if (tied != nullptr && tied->is_boolean()) model.tied = tied->get<bool>();
  model.causal = predicts_tokens(config);
  model.storage = declared_storage(config, object_of(quantization, quantization_name, unused));
  return model;
}

ModelConfig read_model_config(const fs::path& folder) {
  // It says what codes are: without it numbers could be wrong, hence no link out of the folder.
  const auto quantization = checkpoint::read_companion(folder, quantization_name).value_or("");
  std::string why;
  auto model = model_config_from(text_of_config(folder, why), quantization);
  if (!why.empty()) {
    model.is_there = true;
    model.unreadable = why;
  }
  return model;
}

}  // namespace moesweep::source
