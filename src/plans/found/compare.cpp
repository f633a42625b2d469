#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/plans/found/compare.hpp>

#include "module_tensors.hpp"
#include "similar_names.hpp"

namespace moesweep::found {
namespace {

/// MLX codes alone don't tell bits from group; with the columns of the plan they do.
void settle_by_columns(FoundModule& module, std::int64_t columns) {
  if (module.code_columns == 0 || columns == 0) return;
  if (module.code_columns * 32 % columns != 0 || columns % module.scale_columns != 0) return;
  const auto bits = module.code_columns * 32 / columns;
  const auto group_size = columns / module.scale_columns;
  constexpr std::int64_t widest = 32;
  if (bits > widest || !std::in_range<std::int32_t>(group_size)) return;
  if (module.problem.empty() &&
      (bits != module.encoding.bits || group_size != module.encoding.group_size)) {
    module.problem = fmt::format(
        "config.json says {} bits in groups of {}, codes and scales are {} bits in groups of {}",
        module.encoding.bits, module.encoding.group_size, bits, group_size);
  }
  module.encoding.bits = static_cast<std::int32_t>(bits);
  module.encoding.group_size = static_cast<std::int32_t>(group_size);
  module.shape.back() = columns;
}

bool same_quantizer(const std::string& planned, const std::string& found) {
  const auto* const format = formats::find_format(planned);
  return planned == found || (format != nullptr && format->stored_as == found);
}

using Whys = std::vector<std::string>;

void compare_kept(const PlannedModule& planned, const FoundModule& found, Format format,
                  Whys& whys) {
  if (found.is_quantized()) {
    whys.emplace_back("the plan keeps it, the checkpoint has it quantized");
  } else if (format == Format::gguf ? found.encoding.bits < planned.encoding.bits
                                    : found.encoding.bits != planned.encoding.bits) {
    whys.push_back(
        fmt::format("is stored as {}, planned are {} bits", found.element, planned.encoding.bits));
  }
}

void compare_quantized(const PlannedModule& planned, const FoundModule& found, Whys& whys) {
  if (!found.is_quantized()) {
    whys.push_back(fmt::format("is not quantized but stored as {}", found.element));
    return;
  }
  const auto before = whys.size();
  if (!same_quantizer(planned.encoding.quantizer, found.encoding.quantizer)) {
    whys.push_back(
        fmt::format("is {} instead of {}", found.encoding.quantizer, planned.encoding.quantizer));
  }
  if (found.encoding.bits != planned.encoding.bits) {
    whys.push_back(
        fmt::format("has {} bits instead of {}", found.encoding.bits, planned.encoding.bits));
  }
  if (found.encoding.group_size != planned.encoding.group_size) {
    whys.push_back(fmt::format("has groups of {} instead of {}", found.encoding.group_size,
                               planned.encoding.group_size));
  }
  if (whys.size() == before && found.bytes != planned.bytes) {
    whys.push_back(fmt::format("takes {} B instead of {}", format_count(found.bytes),
                               format_count(planned.bytes)));
  }
}

std::string compare_module(const PlannedModule& planned, const FoundModule& found, Format format) {
  Whys whys;
  if (!planned.problem.empty()) whys.push_back(planned.problem);
  // What a runtime has no place for may stay in a model with the original's names.
  if (planned.dropped && format != Format::plain) {
    whys.emplace_back("the plan drops it, the checkpoint has it");
    return fmt::format("{}", fmt::join(whys, "; "));
  }
  if (!found.problem.empty()) whys.push_back(found.problem);
  if (planned.dropped) return fmt::format("{}", fmt::join(whys, "; "));
  if (const auto params = product(found.shape); params != planned.params && whys.empty()) {
    whys.push_back(fmt::format("holds {} weights instead of {}", format_count(params),
                               format_count(planned.params)));
  }
  if (planned.encoding.keeps()) {
    compare_kept(planned, found, format, whys);
  } else {
    compare_quantized(planned, found, whys);
  }
  return fmt::format("{}", fmt::join(whys, "; "));
}

/// llama.cpp's converter computes these from config.json.
bool is_from_config(const FoundModule& module, Format format) {
  return format == Format::gguf && !module.is_quantized() &&
         (module.name == "rope_freqs" || module.name.starts_with("rope_factors_"));
}

Storage storage_of(const PlannedModule& module) {
  return {module.encoding, module.bytes};
}
Storage storage_of(const FoundModule& module) {
  return {module.encoding, module.bytes};
}

/// As wide as in the original.
void expect_dequantized(std::vector<PlannedModule>& modules, const records::Plan& plan) {
  std::map<std::string_view, const records::PlanRow*> rows;
  for (const auto& row : plan.rows) rows.emplace(row.tensor, &row);
  for (auto& module : modules) {
    const auto dtype = parse_dtype(rows.at(module.tensors.front())->dtype);
    if (module.encoding.keeps() || !dtype) continue;
    module.encoding = {};
    // 8-bit floats can't hold the values and are written as BF16.
    const auto bits = std::max<std::int64_t>(16, dtype_bits(*dtype));
    module.encoding.bits = checked_cast<std::int32_t>(bits);
    module.bytes = module.params * (bits / 8);
    module.problem.clear();
  }
}

/// What no name is known for is listed as a tensor, not as a module.
std::string_view without_weight(std::string_view name) {
  constexpr std::string_view weight = ".weight";
  if (name.ends_with(weight)) name.remove_suffix(weight.size());
  return name;
}

class Comparer {
 public:
  Comparer(const std::vector<PlannedModule>& planned, const Found& found)
      : format_(found.format), missing_(names_without(planned, found)) {
    for (const auto& module : planned) planned_.emplace(module.name, &module);
  }

  void add_found(FoundModule module) {
    const auto place = planned_.find(module.name);
    if (place == planned_.end()) {
      if (!is_from_config(module, format_)) add_unplanned(module);
      return;
    }
    const auto& planned = *place->second;
    settle_by_columns(module, planned.columns);
    auto why = compare_module(planned, module, format_);
    checks_.push_back({module.name,
                       planned.dropped ? std::nullopt : std::optional(storage_of(planned)),
                       storage_of(module), std::move(why)});
    planned_.erase(place);
  }

  void add_missing(const SimilarNames& unplanned) {
    for (const auto& [name, planned] : planned_) {
      if (planned->dropped && planned->problem.empty()) continue;
      auto why = planned->problem.empty() ? "the checkpoint doesn't have it" : planned->problem;
      const auto like = unplanned.like(without_weight(name));
      if (!like.empty()) {
        why += fmt::format(", {} has {}", planned->problem.empty() ? "it" : "the checkpoint", like);
      }
      checks_.push_back({std::string(name), storage_of(*planned), std::nullopt, std::move(why)});
    }
  }

  void add_unused(const std::string& name) {
    checks_.push_back({name, std::nullopt, std::nullopt,
                       "config.json speaks of it, the checkpoint has no such quantized module"});
  }

  std::vector<ModuleCheck> checks() {
    std::ranges::stable_sort(checks_, {}, &ModuleCheck::module);
    return std::move(checks_);
  }

 private:
  static std::vector<std::string> names_without(const std::vector<PlannedModule>& planned,
                                                const Found& found) {
    std::vector<std::string> names;
    for (const auto& module : planned) {
      if (!std::ranges::binary_search(found.modules, module.name, {}, &FoundModule::name)) {
        names.emplace_back(without_weight(module.name));
      }
    }
    return names;
  }

  void add_unplanned(const FoundModule& module) {
    std::string why = "the plan doesn't speak of it";
    const auto like = missing_.like(module.name);
    if (!like.empty()) why += fmt::format(", but of {}", like);
    if (!module.problem.empty()) why += "; " + module.problem;
    checks_.push_back({module.name, std::nullopt, storage_of(module), std::move(why)});
  }

  Format format_;
  std::map<std::string_view, const PlannedModule*> planned_;
  SimilarNames missing_;
  std::vector<ModuleCheck> checks_;
};

}  // namespace

std::vector<ModuleCheck> Comparison::offenders() const {
  std::vector<ModuleCheck> offenders;
  std::ranges::copy_if(modules, std::back_inserter(offenders),
                       [](const ModuleCheck& check) { return !check.why.empty(); });
  return offenders;
}

names::Runtime runtime_of(Format format) {
  switch (format) {
    case Format::gguf:
      return names::Runtime::gguf;
    case Format::compressed_tensors:
      return names::Runtime::vllm;
    case Format::mlx:
    case Format::plain:
      break;
  }
  return names::Runtime::mlx;
}

names::Architecture names_in(Format format, const names::Architecture& architecture) {
  if (format != Format::plain) return architecture;
  return {.model_type = "generic"};
}

Comparison compare(const records::Plan& plan, const Found& found,
                   const names::Architecture& architecture, Plain plain) {
  auto planned =
      planned_modules(plan, runtime_of(found.format), names_in(found.format, architecture));
  if (found.format == Format::plain && plain == Plain::dequantized) {
    expect_dequantized(planned, plan);
  }
  std::vector<std::string> unplanned;
  for (const auto& module : found.modules) {
    if (!std::ranges::binary_search(planned, module.name, {}, &PlannedModule::name)) {
      unplanned.push_back(module.name);
    }
  }
  Comparer comparer(planned, found);
  for (const auto& module : found.modules) comparer.add_found(module);
  comparer.add_missing(SimilarNames(unplanned));
  for (const auto& name : found.unused) comparer.add_unused(name);
  return {.modules = comparer.checks(), .bytes_planned = plan.bytes, .bytes_found = found.bytes};
}

}  // namespace moesweep::found
