// llama.cpp: --tensor-type-file of llama-quantize (tools/quantize/quantize.cpp): pattern=type,
// separated by white space, lower-cased, searched for as ECMAScript, the first match wins. It
// counts only when the type of the whole file is a quantized one (src/llama-quant.cpp).

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/model/formats/catalog.hpp>

#include "patterns.hpp"
#include "plan_format.hpp"

namespace moesweep::handoff {
namespace {

/// Null for what llama-quantize has no type of.
const formats::Format* find_type(std::string_view quantizer) {
  const auto* const format = formats::find_format(quantizer);
  return format != nullptr && format->words.ggml_type ? format : nullptr;
}

/// "q8_0, q6_k, ... or mxfp4_ggml".
std::string known_quantizers() {
  std::vector<std::string_view> known;
  for (const auto& format : formats::catalog()) {
    if (format.words.ggml_type) known.push_back(format.name);
  }
  const auto last = known.back();
  known.pop_back();
  return fmt::format("{} or {}", fmt::join(known, ", "), last);
}

// Of a tensor that is kept, as the converter writes it with --outtype bf16.
std::string_view kept_type(std::string_view dtype) {
  if (dtype == "F32") return "f32";
  if (dtype == "F16") return "f16";
  return dtype == "U8" ? "mxfp4" : "bf16";  // bytes are blocks of gpt-oss
}

std::string_view type_of(const plan::PlannedModule& module) {
  if (module.storage.quantizer.empty()) return kept_type(module.row->dtype);
  return find_type(module.storage.quantizer)->stored_as;
}

std::string type_option(const plan::PlannedModules& planned, const char* tensor,
                        const char* option) {
  const auto found = planned.modules.find(tensor);
  if (found == planned.modules.end()) return {};
  return fmt::format(" {} {}", option, type_of(found->second));
}

void check(const records::PlanRow& row) {
  const auto* type = find_type(row.quantizer);
  if (type == nullptr) {
    throw plan::refusal(
        row, "llama.cpp",
        fmt::format("plan for it (allocate --for gguf), with {}", known_quantizers()));
  }
  // llama-quantize stores other rows as something else, with a warning.
  const auto block = type->groups.front();
  if (shape_of(row).back() % block != 0) {
    throw Error(
        ExitCode::bad_input, printable(row.tensor),
        fmt::format("has rows of {} weights, no whole blocks of {}", shape_of(row).back(), block),
        "plan it with q8_0, or keep it");
  }
}

PlanExport write(const plan::PlannedModules& planned) {
  std::map<std::string, std::vector<LayerModule>> by_type;
  for (const auto& [name, module] : planned.modules) {
    by_type[std::string(type_of(module))].push_back(layer_module(name));
  }
  std::string text;
  for (const auto& [type, modules] : by_type) {
    for (const auto& pattern : patterns_of(modules)) text += fmt::format("{}={}\n", pattern, type);
  }
  const auto command = fmt::format(
      "llama-quantize --tensor-type-file tensor-types.txt{}{} MODEL-BF16.gguf MODEL.gguf Q8_0",
      type_option(planned, "token_embd.weight", "--token-embedding-type"),
      type_option(planned, "output.weight", "--output-tensor-type"));
  return {.files = {{"tensor-types.txt", std::move(text)}, {"command.txt", command + '\n'}},
          .unmapped = planned.unmapped,
          .how_to_use = command +
                        "\nMODEL-BF16.gguf is convert_hf_to_gguf.py's with --outtype bf16. Q8_0 is "
                        "only what the file calls itself: every tensor is listed."};
}

}  // namespace

PlanFormat llama_cpp_plans() {
  return {.name = "llama.cpp", .runtime = names::Runtime::gguf, .check = check, .write = write};
}

}  // namespace moesweep::handoff
