#include "allocation_formats.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>
#include <moesweep/model/kernels/round_trip.hpp>
#include <moesweep/plans/written/layout.hpp>

namespace moesweep::planning {
namespace {

using allocation::Format;

constexpr std::initializer_list<std::int32_t> all_bits = {2, 3, 4, 5, 6, 8};
constexpr std::initializer_list<std::int32_t> all_group_sizes = {32, 64, 128};

std::vector<std::string> quantizers_of(names::Runtime runtime) {
  switch (runtime) {
    case names::Runtime::mlx:
      return {"affine"};
    case names::Runtime::gguf:
      return {"q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "q8_0"};
    case names::Runtime::vllm:
      return {"ct_int4", "ct_int8"};
  }
  return {};
}

void add_formats(const std::string& quantizer, std::vector<Format>& formats) {
  if (quantizer == "affine" || quantizer == "rtn") {
    for (const auto bits : all_bits) {
      for (const auto group_size : all_group_sizes) {
        formats.push_back({quantizer, bits, group_size});
      }
    }
    return;
  }
  const auto* format = kernels::find_block_format(quantizer);
  if (format == nullptr) {
    std::vector<std::string_view> known = {"affine", "rtn"};
    for (const auto& other : kernels::block_formats()) known.push_back(other.name);
    throw Error(ExitCode::bad_usage, fmt::format("--quantizer {}", quantizer), "is not known",
                fmt::format("choose from {}", fmt::join(known, ", ")));
  }
  if (format->block_length != 0) {
    formats.push_back({quantizer, format->bits, format->block_length});
    return;
  }
  for (const auto group_size : all_group_sizes) {
    formats.push_back({quantizer, format->bits, group_size});
  }
}

std::int64_t block_bytes(const allocation::Tensor& tensor, const Format& format,
                         const kernels::BlockFormat& block) {
  const auto columns = tensor.shape.back();
  if (columns % format.group_size != 0) return -1;
  const auto bits =
      kernels::bits_per_weight(kernels::BlockQuantizer{&block, format.group_size}, tensor.dtype);
  const auto weights = static_cast<double>(tensor.params());
  std::int64_t matrix_scales = 0;
  if (block.needs_matrix_amax) matrix_scales = tensor.shape.size() == 3 ? tensor.shape[0] : 1;
  return std::llround(std::ceil(weights * bits / 8.0)) + 4 * matrix_scales;
}

std::int64_t rtn_bytes(const allocation::Tensor& tensor, const Format& format) {
  const auto columns = tensor.shape.back();
  const auto groups =
      tensor.params() / columns * ((columns + format.group_size - 1) / format.group_size);
  return (tensor.params() * format.bits + 7) / 8 + groups * 8;
}

}  // namespace

std::vector<Format> formats_of(names::Runtime runtime, const std::vector<std::string>& quantizers) {
  std::vector<Format> formats;
  for (const auto& quantizer : quantizers.empty() ? quantizers_of(runtime) : quantizers) {
    add_formats(quantizer, formats);
  }
  return formats;
}

bool is_widened_in_gguf(const names::RuntimeTensor& target, std::span<const std::int64_t> shape) {
  constexpr std::array<std::string_view, 2> always = {"ffn_gate_inp", "ssm_conv1d"};
  return shape.size() < 2 || target.suffix != "weight" || target.module.ends_with("_norm") ||
         std::ranges::any_of(always, [&](std::string_view part) {
           return target.module.find(part) != std::string::npos;
         });
}

std::int64_t stored_bytes(const allocation::Tensor& tensor, const Format& format) {
  const bool is_matrix =
      tensor.shape.size() >= 2 && tensor.params() > 0 && is_floating_point(tensor.dtype);
  if (!is_matrix) return -1;
  if (format.quantizer == "affine") {
    return written::affine_bytes(tensor.shape, tensor.dtype, format.bits, format.group_size);
  }
  if (format.quantizer == "rtn") return rtn_bytes(tensor, format);
  const auto* block = kernels::find_block_format(format.quantizer);
  expect(block != nullptr, "a format that is not known");
  return block_bytes(tensor, format, *block);
}

}  // namespace moesweep::planning
