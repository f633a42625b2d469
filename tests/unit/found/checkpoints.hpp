#pragma once
// Small checkpoints and plans to compare.

#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/write.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::found::test {

using Sizes = std::vector<std::int64_t>;

inline std::vector<std::byte> bytes_of(const void* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), data, size);
  return bytes;
}
template <typename Value>
std::vector<std::byte> bytes_of(const std::vector<Value>& values) {
  return bytes_of(values.data(), values.size() * sizeof(Value));
}

inline checkpoint::TensorSource stored(std::string name, Dtype dtype, Sizes shape,
                                       std::vector<std::byte> bytes = {}) {
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = std::move(shape),
          .fill = [bytes = std::move(bytes)](std::uint64_t offset, std::span<std::byte> out) {
            // Zeros where a test says nothing about the values.
            if (bytes.empty()) return std::fill(out.begin(), out.end(), std::byte{0});
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(),
                        out.begin());
          }};
}

/// Codes, scales and biases of a module whose weights have this shape.
inline std::vector<checkpoint::TensorSource> mlx_module(const std::string& name, Sizes shape,
                                                        int bits, int group_size) {
  auto scales = shape;
  const auto columns = shape.back();
  shape.back() = columns * bits / 32;
  scales.back() = columns / group_size;
  return {stored(name + ".weight", Dtype::u32, shape),
          stored(name + ".scales", Dtype::bf16, scales),
          stored(name + ".biases", Dtype::bf16, scales)};
}

/// A folder with one shard and config.json.
inline void write_checkpoint(const std::filesystem::path& folder,
                             const std::vector<checkpoint::TensorSource>& tensors,
                             const std::string& config) {
  std::filesystem::create_directories(folder);
  checkpoint::write_safetensors(folder / "model.safetensors", tensors);
  if (!config.empty()) publish_file(folder / "config.json", config);
}

inline std::int64_t product_of(const Sizes& shape) {
  std::int64_t product = 1;
  for (const auto size : shape) product *= size;
  return product;
}

inline records::PlanRow kept(std::string tensor, const Sizes& shape) {
  return {.tensor = std::move(tensor),
          .shape = fmt::format("{}", fmt::join(shape, "x")),
          .dtype = "BF16",
          .role = {},
          .module = {},
          .action = "keep",
          .quantizer = {},
          .bits = 16,
          .params = product_of(shape),
          .bytes = 2 * product_of(shape),
          .term = {},
          .reason = {}};
}

inline records::PlanRow affine(std::string tensor, const Sizes& shape, int bits, int group_size) {
  auto row = kept(std::move(tensor), shape);
  row.action = "quantize";
  row.quantizer = "affine";
  row.bits = bits;
  row.group_size = group_size;
  row.bytes = row.params * bits / 8 + row.params / group_size * 4;
  return row;
}

inline records::Plan plan_of(std::vector<records::PlanRow> rows,
                             std::string architecture = "generic") {
  records::Plan plan;
  plan.runtime = "mlx";
  plan.architecture = std::move(architecture);
  plan.rows = std::move(rows);
  for (const auto& row : plan.rows) plan.bytes += row.bytes;
  return plan;
}

inline names::Architecture generic() {
  return {.model_type = "generic"};
}

}  // namespace moesweep::found::test
