#include <set>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>
#include <moesweep/plans/found/found.hpp>

#include "config_size.hpp"
#include "module_tensors.hpp"

namespace moesweep::found {
namespace {

using nlohmann::json;

/// What mlx-lm gives a module when it loads a model.
struct MlxSetting {
  std::string mode = "affine";
  std::int32_t bits = 0;  ///< 0: config.json says nothing that applies
  std::int32_t group_size = 0;
};

class MlxConfig {
 public:
  explicit MlxConfig(const json& config) {
    const auto found = config.find("quantization");
    if (found == config.end()) return;
    if (!found->is_object()) {
      throw Error(ExitCode::bad_input, "config.json", "\"quantization\" is no object");
    }
    settings_ = *found;
    is_there_ = true;
  }

  bool is_there() const { return is_there_; }

  MlxSetting of(const std::string& module) const {
    const auto own = settings_.find(module);
    if (own == settings_.end() || *own == true) return setting(settings_, 0, 0);
    if (!own->is_object()) return {};
    // What an entry leaves out are the defaults of mlx.nn, not the globals.
    return setting(*own, 4, 64);
  }

  /// Keys that name modules.
  std::vector<std::string> modules() const {
    std::vector<std::string> names;
    for (const auto& [key, value] : settings_.items()) {
      if (value.is_object()) names.push_back(key);
    }
    return names;
  }

 private:
  static MlxSetting setting(const json& from, std::int32_t bits, std::int32_t group_size) {
    MlxSetting made;
    const auto mode = from.find("mode");
    if (mode != from.end() && mode->is_string()) made.mode = mode->get<std::string>();
    made.bits = size_under(from, "bits", bits);
    made.group_size = size_under(from, "group_size", group_size);
    return made;
  }

  json settings_ = json::object();
  bool is_there_ = false;
};

void check_shapes(const checkpoint::Checkpoint& checkpoint, const checkpoint::Tensor& codes,
                  const checkpoint::Tensor& scales, const checkpoint::Tensor* biases) {
  if (codes.dtype != Dtype::u32) refuse_tensor(checkpoint, codes, "has scales, but no U32 codes");
  const auto outer = [](const checkpoint::Tensor& tensor) {
    return std::span(tensor.shape).first(tensor.shape.size() - 1);
  };
  const bool alike = codes.shape.size() >= 2 && codes.shape.size() == scales.shape.size() &&
                     std::ranges::equal(outer(codes), outer(scales)) && codes.shape.back() > 0 &&
                     scales.shape.back() > 0;
  if (!alike) refuse_tensor(checkpoint, scales, "does not have the shape of its codes");
  if (biases != nullptr && (biases->shape != scales.shape || biases->dtype != scales.dtype)) {
    refuse_tensor(checkpoint, *biases, "does not have shape and dtype of its scales");
  }
}

/// Bits and group by config.json; the shapes must bear them out.
void apply_setting(const MlxConfig& config, FoundModule& module) {
  if (!config.is_there()) {
    module.problem = "config.json has no \"quantization\": codes are loaded as weights";
    return;
  }
  const auto setting = config.of(module.name);
  if (setting.bits == 0 || setting.group_size == 0) {
    module.problem = "config.json says nothing about it, and has no bits and group for all";
    return;
  }
  module.encoding.bits = setting.bits;
  module.encoding.group_size = setting.group_size;
  module.encoding.quantizer = setting.mode;
  // Both sides are 32 times the columns over the group.
  if (module.code_columns * 32 != module.scale_columns * setting.bits * setting.group_size) {
    module.problem =
        fmt::format("config.json says {} bits in groups of {}, codes and scales have other shapes",
                    setting.bits, setting.group_size);
  }
}

FoundModule quantized_module(const checkpoint::Checkpoint& checkpoint, const std::string& name,
                             const Parts& parts, const MlxConfig& config) {
  const auto& codes = *find_part(parts, "weight");
  const auto& scales = *find_part(parts, "scales");
  const auto* biases = find_part(parts, "biases");
  check_shapes(checkpoint, codes, scales, biases);
  FoundModule module;
  module.name = name;
  module.element = element_name(codes.dtype);
  module.encoding.quantizer = biases != nullptr ? "affine" : "scales only";
  module.code_columns = codes.shape.back();
  module.scale_columns = scales.shape.back();
  module.bytes = codes.bytes() + scales.bytes() + (biases != nullptr ? biases->bytes() : 0);
  apply_setting(config, module);
  if (module.problem.empty() && (module.encoding.quantizer == "affine") != (biases != nullptr)) {
    module.problem =
        fmt::format("config.json says mode \"{}\", {}", printable(module.encoding.quantizer),
                    biases != nullptr ? "but it has biases" : "but it has no biases");
  }
  module.shape = codes.shape;
  module.shape.back() = module.encoding.group_size > 0
                            ? module.scale_columns * module.encoding.group_size
                            : module.code_columns;
  return module;
}

}  // namespace

Found find_mlx(const checkpoint::Checkpoint& checkpoint, const std::string& config) {
  const MlxConfig settings(checkpoint::parse_config(config));
  Found found{.format = Format::mlx, .bytes = file_bytes(checkpoint)};
  std::set<std::string> quantized;
  for (const auto& [name, parts] : parts_by_module(checkpoint)) {
    const bool packed =
        find_part(parts, "scales") != nullptr && find_part(parts, "weight") != nullptr;
    if (packed) {
      found.modules.push_back(quantized_module(checkpoint, name, parts, settings));
      quantized.insert(name);
    }
    for (const auto& [part, tensor] : parts) {
      if (packed && (part == "weight" || part == "scales" || part == "biases")) continue;
      found.modules.push_back(unquantized(name, part, *tensor));
    }
  }
  for (const auto& module : settings.modules()) {
    if (!quantized.contains(module)) found.unused.push_back(module);
  }
  sort_by_name(found);
  return found;
}

}  // namespace moesweep::found
