// GPTQModel: QuantizeConfig(dynamic={"+:regex": overrides, "-:regex": {}}): the first match counts,
// anchored at the beginning (gptqmodel/quantization/config.py, dynamic_get). vLLM reads the same
// patterns with the names of projections that it joins.

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/base/json.hpp>
#include <moesweep/model/formats/catalog.hpp>

#include "plan_format.hpp"
#include "vllm_patterns.hpp"

namespace moesweep::handoff {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array bits = {2, 3, 4, 8};
constexpr std::array group_sizes = {0, 16, 32, 64, 128, 256, 512, 1024};  // 0: the whole row

// Its symmetric codes have no offset; the others one a group, as affine has.
bool is_symmetric(const formats::Encoding& storage) {
  return !formats::format_named(storage.quantizer).has_offset();
}

Json settings_of(const formats::Encoding& storage) {
  return {{"bits", storage.bits},
          {"group_size", storage.group_size == 0 ? -1 : storage.group_size},
          {"sym", is_symmetric(storage)}};
}

void check(const records::PlanRow& row) {
  const auto* const format = formats::find_format(row.quantizer);
  const bool family = format != nullptr && format->words.gptqmodel;
  const bool known = std::ranges::find(bits, row.bits) != bits.end() &&
                     std::ranges::find(group_sizes, row.group_size) != group_sizes.end();
  if (family && known) return;
  throw plan::refusal(
      row, "GPTQModel",
      "plan for it (allocate --for vllm), with affine, ct_int4 or ct_int8, 2, 3, 4 or 8 "
      "bits and groups that are a "
      "power of two from 16 to 1024");
}

PlanExport write(const plan::PlannedModules& planned) {
  auto common = most_common(planned);
  if (common.quantizer.empty()) common = {"ct_int4", 4, 128};
  OrderedObject dynamic;
  for (const auto& [storage, patterns] : vllm_patterns(planned, true)) {
    const bool kept = storage.quantizer.empty();
    for (const auto& pattern : patterns) {
      dynamic.set((kept ? "-:" : "+:") + pattern, kept ? Json::object() : settings_of(storage));
    }
  }
  auto config = settings_of(common);
  config["desc_act"] = false;
  config["lm_head"] = false;
  config["dynamic"] = std::move(dynamic).take();
  return {.files = {{"quantize_config.json", config.dump(1) + '\n'}},
          .unmapped = planned.unmapped,
          .how_to_use =
              "GPTQModel.load(CHECKPOINT, QuantizeConfig(**json.load(open("
              "\"quantize_config.json\")))). GPTQModel chooses codes from calibration "
              "data: bits and groups are the plan's, values and errors its own. Rows "
              "planned as affine are its asymmetric ones (\"sym\": false), whose offsets "
              "are integers."};
}

}  // namespace

PlanFormat gptqmodel_plans() {
  return {.name = "gptqmodel", .runtime = names::Runtime::vllm, .check = check, .write = write};
}

}  // namespace moesweep::handoff
