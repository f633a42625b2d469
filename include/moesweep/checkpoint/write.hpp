#pragma once
// Writing one safetensors file: tests, twins and quantized models use it.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <moesweep/base/dtype.hpp>

namespace moesweep::checkpoint {

/// A tensor to be written; `fill` is called once, with increasing offsets, to produce `out.size()`
/// bytes at `offset` of the tensor.
struct TensorSource {
  std::string name;
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape;
  std::function<void(std::uint64_t offset, std::span<std::byte> out)> fill;
};

/// Writes the tensors in the given order (header padded to 8 bytes, metadata {"format":"pt"}),
/// streaming at most 8 MiB at a time, to a temporary file that is fsynced and renamed to `path`.
/// Equal input gives equal bytes. Throws Error(io_error); bug() on duplicate names.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorSource> tensors);

}  // namespace moesweep::checkpoint
