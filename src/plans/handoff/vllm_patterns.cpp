#include "vllm_patterns.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "patterns.hpp"

namespace moesweep::handoff {
namespace {

// hf_to_vllm_mapper of vllm/model_executor/models/qwen3_vl.py and qwen3_5.py: a config that is read
// from the checkpoint is looked up with the names of the loaded model, which begin with
// "language_model.model." beside a vision tower and with "model." where only text is loaded.
std::string stem_pattern(std::string_view stem) {
  constexpr std::string_view text = "model.language_model.";
  constexpr std::string_view vision = "model.visual.";
  if (stem.starts_with(text)) {
    return R"((model(\.language_model)?|language_model\.model)\.)" +
           escaped(stem.substr(text.size()));
  }
  if (stem.starts_with(vision)) {
    return R"((model\.)?visual\.)" + escaped(stem.substr(vision.size()));
  }
  if (stem == "lm_head") return R"((language_model\.)?lm_head)";
  return escaped(stem);
}

}  // namespace

std::string experts_module(const plan::PlannedModules& planned, const std::string& module) {
  constexpr std::string_view last = ".experts";
  if (module.ends_with(last)) return module;
  const auto tie =
      names::tied_module(names::Runtime::vllm, planned.architecture, module + ".weight");
  return tie.ends_with(last) ? tie : std::string();
}

std::map<formats::Encoding, std::vector<std::string>> vllm_patterns(
    const plan::PlannedModules& planned, bool fused_names) {
  std::map<formats::Encoding, std::vector<LayerModule>> modules;
  for (const auto& [name, module] : planned.modules) {
    auto& alike = modules[module.storage];
    if (const auto experts = experts_module(planned, name); !experts.empty()) {
      auto all = layer_module(experts);
      all.rest += R"((\..+)?)";
      alike.push_back(std::move(all));
      continue;
    }
    alike.push_back(layer_module(name));
    if (!fused_names) continue;
    const auto tie =
        names::tied_module(names::Runtime::vllm, planned.architecture, name + ".weight");
    if (tie != name) alike.push_back(layer_module(tie));
  }
  std::map<formats::Encoding, std::vector<std::string>> patterns;
  for (const auto& [storage, alike] : modules) {
    patterns[storage] = patterns_of(alike, stem_pattern);
  }
  return patterns;
}

formats::Encoding most_common(const plan::PlannedModules& planned) {
  std::map<formats::Encoding, std::int64_t> counts;
  for (const auto& [name, module] : planned.modules) {
    if (!module.storage.quantizer.empty()) ++counts[module.storage];
  }
  const auto most = std::ranges::max_element(
      counts, {}, [](const auto& storage_and_count) { return storage_and_count.second; });
  return most == counts.end() ? formats::Encoding{} : most->first;
}

}  // namespace moesweep::handoff
