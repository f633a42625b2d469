#include "allocation_formats.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>

namespace moesweep::planning {
namespace {

using formats::Encoding;

/// Whose formats a runtime's own quantizer makes.
formats::Family family_of(names::Runtime runtime) {
  switch (runtime) {
    case names::Runtime::mlx:
      return formats::Family::affine;
    case names::Runtime::gguf:
      return formats::Family::ggml;
    case names::Runtime::vllm:
      return formats::Family::compressed_tensors;
  }
  bug("a runtime without formats");
}

/// Fewest bits first.
std::vector<std::string> default_quantizers(names::Runtime runtime) {
  std::vector<const formats::Format*> defaults;
  for (const auto& format : formats::catalog()) {
    if (format.is_default && format.family == family_of(runtime)) defaults.push_back(&format);
  }
  std::ranges::stable_sort(defaults, {}, [](const auto* format) { return format->bits.front(); });
  std::vector<std::string> names;
  for (const auto* format : defaults) names.emplace_back(format->name);
  return names;
}

void add_encodings(const std::string& quantizer, std::vector<Encoding>& encodings) {
  const auto* const format = formats::find_format(quantizer);
  if (format == nullptr) {
    throw Error(ExitCode::bad_usage, fmt::format("--quantizer {}", quantizer), "is not known",
                fmt::format("choose from {}", fmt::join(formats::names(), ", ")));
  }
  for (const auto bits : format->bits) {
    for (const auto group_size : format->groups) encodings.push_back({quantizer, bits, group_size});
  }
}

}  // namespace

std::vector<Encoding> formats_of(names::Runtime runtime,
                                 const std::vector<std::string>& quantizers) {
  std::vector<Encoding> encodings;
  for (const auto& quantizer : quantizers.empty() ? default_quantizers(runtime) : quantizers) {
    add_encodings(quantizer, encodings);
  }
  return encodings;
}

bool is_widened_in_gguf(const names::RuntimeTensor& target, std::span<const std::int64_t> shape) {
  constexpr std::array<std::string_view, 2> always = {"ffn_gate_inp", "ssm_conv1d"};
  return shape.size() < 2 || target.suffix != "weight" || target.module.ends_with("_norm") ||
         std::ranges::any_of(always, [&](std::string_view part) {
           return target.module.find(part) != std::string::npos;
         });
}

std::int64_t stored_bytes(const allocation::Tensor& tensor, const Encoding& encoding) {
  return formats::stored_bytes(encoding, tensor.shape, tensor.dtype);
}

}  // namespace moesweep::planning
