// compressed-tensors: config_groups with targets that are matched from the beginning of a module's
// name (`re:`), in sorted order; read by vLLM (vllm/model_executor/layers/quantization/
// compressed_tensors).

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <moesweep/model/formats/catalog.hpp>

#include "plan_format.hpp"
#include "vllm_patterns.hpp"

namespace moesweep::handoff {
namespace {

using Json = nlohmann::ordered_json;

Json targets_of(const std::vector<std::string>& patterns) {
  auto targets = Json::array();
  for (const auto& pattern : patterns) targets.push_back("re:" + pattern);
  return targets;
}

std::string format_of(const formats::Encoding& storage) {
  return std::string(formats::format_named(storage.quantizer).words.compressed_tensors);
}

Json weights_of(const formats::Encoding& storage) {
  Json weights = {{"num_bits", storage.bits},
                  {"type", "int"},
                  {"symmetric", true},
                  {"strategy", storage.group_size == 0 ? "channel" : "group"}};
  if (storage.group_size > 0) weights["group_size"] = storage.group_size;
  weights["dynamic"] = false;
  return weights;
}

void check(const records::PlanRow& row) {
  const auto* const format = formats::find_format(row.quantizer);
  const bool known = format != nullptr && !format->words.compressed_tensors.empty() &&
                     format->has_bits_of(formats::encoding_of(row));
  if (known) return;
  throw plan::refusal(
      row, "compressed-tensors",
      "plan for it (allocate --for vllm), with ct_int4 or ct_int8: affine codes have a "
      "bias that its symmetric "
      "integers lack");
}

PlanExport write(const plan::PlannedModules& planned) {
  Json groups = Json::object();
  Json ignore = Json::array();
  for (const auto& [storage, patterns] : vllm_patterns(planned, false)) {
    if (storage.quantizer.empty()) {
      ignore = targets_of(patterns);
      continue;
    }
    groups[fmt::format("group_{}", groups.size())] = {{"targets", targets_of(patterns)},
                                                      {"format", format_of(storage)},
                                                      {"weights", weights_of(storage)},
                                                      {"input_activations", nullptr},
                                                      {"output_activations", nullptr}};
  }
  const Json config = {{"quantization_config",
                        {{"quant_method", "compressed-tensors"},
                         {"format", groups.size() > 1 ? "mixed-precision" : "pack-quantized"},
                         {"quantization_status", "compressed"},
                         {"config_groups", groups},
                         {"ignore", ignore}}}};
  return {.files = {{"quantization_config.json", config.dump(1) + '\n'}},
          .unmapped = planned.unmapped,
          .how_to_use =
              "quantization_config.json belongs into the config.json of a checkpoint "
              "whose weights a compressor (llm-compressor) stored so."};
}

}  // namespace

PlanFormat compressed_tensors_plans() {
  return {.name = "compressed-tensors",
          .runtime = names::Runtime::vllm,
          .check = check,
          .write = write};
}

}  // namespace moesweep::handoff
