#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/runtime.hpp>

#include "runtimes.hpp"

namespace moesweep::names {
namespace {

constexpr std::array<std::string_view, 3> runtime_names = {"mlx", "gguf", "vllm"};

Mapping map_generic(const Architecture& architecture, std::string_view name,
                    std::span<const std::int64_t> shape) {
  const auto [module, leaf] = split_leaf(name);
  const RuntimeTensor target{.module = std::string(module), .suffix = std::string(leaf)};
  if (shape.size() < 2) return kept(target, "only weights of two and more axes are quantized");
  if (leaf == "weight") return quantized(target);
  const bool is_named = std::ranges::any_of(
      architecture.quantizable, [&](const std::string& glob) { return matches_glob(glob, name); });
  // The tensor's own name becomes that of a module.
  if (is_named) return quantized({.module = std::string(name), .suffix = {}});
  return kept(target, std::string(not_called_weight));
}

}  // namespace

std::string_view runtime_name(Runtime runtime) {
  return runtime_names[static_cast<std::size_t>(runtime)];
}

Runtime runtime_named(std::string_view name) {
  for (std::size_t i = 0; i < runtime_names.size(); ++i) {
    if (runtime_names[i] == name) return static_cast<Runtime>(i);
  }
  throw Error(ExitCode::bad_usage, std::string(name), "is no runtime",
              fmt::format("choose one of {}", fmt::join(runtime_names, ", ")));
}

Mapping map_tensor(Runtime runtime, const Architecture& architecture, std::string_view name,
                   std::span<const std::int64_t> shape) {
  if (architecture.model_type == "generic") return map_generic(architecture, name, shape);
  const auto* family = find_family(architecture.model_type);
  if (family == nullptr) {
    return unmapped(
        fmt::format("names of the architecture {} are unknown", architecture.model_type));
  }
  const auto place = place_of(*family, architecture, name);
  if (place.section == Section::unknown) {
    return unmapped(fmt::format("no tensor of {} has this name", architecture.model_type));
  }
  if (place.section == Section::frequencies) return dropped("loaders compute the frequencies");
  if (place.section == Section::top && place.part->kind == Kind::head &&
      architecture.tied_embeddings) {
    return dropped("the head is the embedding table");
  }
  const Question question{*family, architecture, place, name, shape};
  switch (runtime) {
    case Runtime::mlx:
      return map_to_mlx(question);
    case Runtime::gguf:
      return map_to_gguf(question);
    case Runtime::vllm:
      return map_to_vllm(question);
  }
  bug("a runtime without names");
}

}  // namespace moesweep::names
