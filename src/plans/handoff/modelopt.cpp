// NVIDIA ModelOpt: quant_cfg, an ordered list of wildcards (fnmatch) for names of quantizers; later
// entries win (modelopt/torch/quantization/config.py, conversion.py in NVIDIA/Model-Optimizer).
// A Python file, since keys of block_sizes are numbers.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <moesweep/model/formats/catalog.hpp>

#include "plan_format.hpp"
#include "vllm_patterns.hpp"

namespace moesweep::handoff {
namespace {

constexpr std::string_view head =
    R"py("""quant_cfg of NVIDIA ModelOpt, made by moesweep from a plan.

    import modelopt.torch.quantization as mtq
    from modelopt_config import CONFIG
    mtq.quantize(model, CONFIG, forward_loop=None)
"""

CONFIG = {
    "quant_cfg": [
        {"quantizer_name": "*", "enable": False},
)py";

constexpr std::string_view tail = R"py(    ],
    "algorithm": "max",
}
)py";

std::string settings_of(const formats::Encoding& storage) {
  if (formats::format_named(storage.quantizer).family == formats::Family::nvfp4) {
    return R"({"num_bits": (2, 1), "block_sizes": {-1: 16, "type": "dynamic", "scale_bits": (4, 3)}})";
  }
  if (storage.group_size == 0) {
    return fmt::format(R"({{"num_bits": {}, "axis": 0}})", storage.bits);
  }
  return fmt::format(R"({{"num_bits": {}, "block_sizes": {{-1: {}, "type": "static"}}}})",
                     storage.bits, storage.group_size);
}

// fnmatch's only characters that names could have.
std::string literal(const std::string& name) {
  std::string pattern;
  for (const char c : name) {
    const bool special = c == '*' || c == '?' || c == '[';
    pattern += special ? fmt::format("[{}]", c) : std::string(1, c);
  }
  return pattern;
}

void check(const records::PlanRow& row) {
  const auto* const format = formats::find_format(row.quantizer);
  const bool known = format != nullptr && format->words.modelopt &&
                     format->has_bits_of(formats::encoding_of(row)) &&
                     (!format->has_fixed_block() || row.group_size == format->groups.front());
  if (known) return;
  throw plan::refusal(
      row, "ModelOpt",
      "plan for it (allocate --for vllm), with ct_int4, ct_int8 or nvfp4: affine codes "
      "have a bias that its symmetric "
      "integers lack");
}

PlanExport write(const plan::PlannedModules& planned) {
  std::map<std::string, formats::Encoding> quantizers;
  for (const auto& [name, module] : planned.modules) {
    if (module.storage.quantizer.empty()) continue;
    const auto experts = experts_module(planned, name);
    quantizers.emplace(experts.empty() ? literal(name) + ".weight_quantizer"
                                       : literal(experts) + ".*weight_quantizer*",
                       module.storage);
  }
  std::string text(head);
  for (const auto& [quantizer, storage] : quantizers) {
    text += fmt::format("        {{\"quantizer_name\": {}, \"cfg\": {}}},\n",
                        nlohmann::json(quantizer).dump(), settings_of(storage));
  }
  text += tail;
  return {.files = {{"modelopt_config.py", std::move(text)}},
          .unmapped = planned.unmapped,
          .how_to_use =
              "modelopt_config.py is the config of mtq.quantize (its first lines say "
              "how). ModelOpt scales integers by their largest code 2^(b-1)-1, not by "
              "(2^b-1)/2 as ct_int4 and ct_int8 do: bits and groups are the plan's, "
              "values and errors its own."};
}

}  // namespace

PlanFormat modelopt_plans() {
  return {.name = "modelopt", .runtime = names::Runtime::vllm, .check = check, .write = write};
}

}  // namespace moesweep::handoff
