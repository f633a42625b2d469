// mlx-lm: exact module paths, no patterns (mlx_lm/utils.py: load_model, quantize_model).

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/base/json.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/plans/handoff/mlx.hpp>

#include "plan_format.hpp"
#include "vllm_patterns.hpp"

namespace moesweep::handoff {
namespace {

using Json = nlohmann::ordered_json;

/// What mlx-lm quantizes to.
const formats::Format& affine() {
  return formats::format_named("affine");
}

// A file that is imported, so names come as JSON strings, which are Python's too.
constexpr std::string_view predicate_head =
    R"py("""Which modules mlx_lm.convert quantizes, and how; made by moesweep from a plan.

    from mlx_lm import convert
    from quant_predicate import GROUP_SIZE, BITS, quant_predicate
    convert(CHECKPOINT, OUT, quantize=True, q_group_size=GROUP_SIZE, q_bits=BITS,
            quant_predicate=quant_predicate)

A module that the plan does not name stops the conversion: no default is applied in silence.
"""

# convert asks about modules only whose rows are whole groups of this size: the smallest of the plan.
GROUP_SIZE = {group_size}
BITS = {bits}

MODULES = {{
)py";

constexpr std::string_view predicate_tail = R"py(}


def quant_predicate(path, module=None, *_):
    try:
        return MODULES[path]
    except KeyError:
        raise KeyError(f"{path}: the plan has no such module") from None
)py";

std::string predicate_of(const plan::PlannedModules& planned, const formats::Encoding& globals) {
  auto text = fmt::format(fmt::runtime(predicate_head), fmt::arg("group_size", globals.group_size),
                          fmt::arg("bits", globals.bits));
  for (const auto& [name, module] : planned.modules) {
    const auto& storage = module.storage;
    const auto value =
        storage.quantizer.empty()
            ? std::string("False")
            : fmt::format("{{\"group_size\": {}, \"bits\": {}}}", storage.group_size, storage.bits);
    text += fmt::format("    {}: {},\n", Json(name).dump(), value);
  }
  text += predicate_tail;
  return text;
}

// Globals apply to modules that the dictionary does not name, and the group also decides which
// modules convert asks about.
formats::Encoding globals_of(const plan::PlannedModules& planned) {
  auto globals = most_common(planned);
  if (globals.quantizer.empty()) return {"affine", 4, affine().groups.front()};
  for (const auto& [name, module] : planned.modules) {
    if (module.storage.quantizer.empty()) continue;
    globals.group_size = std::min(globals.group_size, module.storage.group_size);
  }
  return globals;
}

// load_model asks this before it looks for scales: `false` for gpt-oss's blocks would make a module
// that can't hold them.
Json entry_of(const plan::PlannedModule& module) {
  const auto& storage = module.storage;
  if (!storage.quantizer.empty()) {
    return {{"group_size", storage.group_size}, {"bits", storage.bits}};
  }
  if (module.row->dtype == "U8") return {{"group_size", 32}, {"bits", 4}, {"mode", "mxfp4"}};
  return false;
}

Json config_keys(const plan::PlannedModules& planned, const formats::Encoding& globals) {
  OrderedObject entries;
  entries.set("group_size", globals.group_size);
  entries.set("bits", globals.bits);
  entries.set("mode", std::string(affine().words.mlx_mode));
  for (const auto& [name, module] : planned.modules) entries.set(name, entry_of(module));
  const auto quantization = std::move(entries).take();
  return {{"quantization", quantization}, {"quantization_config", quantization}};
}

void check(const records::PlanRow& row) {
  if (affine().offers(formats::encoding_of(row))) return;
  throw plan::refusal(
      row, "mlx-lm",
      "plan for it (allocate --for mlx), with affine, 2, 3, 4, 5, 6 or 8 bits and groups "
      "of 32, 64 or 128");
}

PlanExport write(const plan::PlannedModules& planned) {
  const auto globals = globals_of(planned);
  return {.files = {{"quantization.json", config_keys(planned, globals).dump(1) + '\n'},
                    {"quant_predicate.py", predicate_of(planned, globals)}},
          .unmapped = planned.unmapped,
          .how_to_use =
              "quant_predicate.py converts the checkpoint with mlx_lm.convert (its first "
              "lines say how). quantization.json holds both keys of the config.json of a "
              "checkpoint that is already written so."};
}

}  // namespace

Json mlx_config_keys(const records::Plan& plan, const names::Architecture& architecture,
                     bool allow_unmapped) {
  const auto planned =
      plan::modules_of(plan, architecture, names::Runtime::mlx, allow_unmapped, check);
  return config_keys(planned, globals_of(planned));
}

PlanFormat mlx_plans() {
  return {.name = "mlx-lm", .runtime = names::Runtime::mlx, .check = check, .write = write};
}

}  // namespace moesweep::handoff
