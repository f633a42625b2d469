#pragma once
// Writing one safetensors file: tests, twins and quantized models use it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moesweep/core/base/dtype.hpp>

namespace moesweep::checkpoint {

/// A tensor to be written. `fill` produces `out.size()` bytes at `offset` of the tensor; it is
/// called for one piece after the other, each once, and not at all for an empty tensor. Pieces hold
/// whole elements. What `fill` throws ends the writing.
struct TensorSource {
  std::string name;
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape;
  std::function<void(std::uint64_t offset, std::span<std::byte> out)> fill;
};

/// What the header says of a tensor.
struct TensorShape {
  std::string name;
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape;
};

/// The beginning of a file with these tensors in this order: length prefix and JSON header, padded
/// to 8 bytes, metadata {"format":`format`}. The tensors' bytes follow one behind the other. bug()
/// on duplicate names and on what parse_header would refuse.
std::string safetensors_header(std::span<const TensorShape> tensors,
                               std::string_view format = "pt");
/// Bytes of a whole file with these tensors.
std::int64_t safetensors_bytes(std::span<const TensorShape> tensors,
                               std::string_view format = "pt");

/// Writes the tensors in the given order (header padded to 8 bytes, metadata {"format":"pt"}),
/// streaming at most 8 MiB at a time, to a temporary file that is fsynced and renamed to `path`.
/// Equal input gives equal bytes. Throws Error(io_error), and then `path` is as it was before;
/// bug() on duplicate names and on what parse_header would refuse.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorSource> tensors);

/// The bytes of such a file, for one that is named by their hash and fits in memory.
std::vector<std::byte> encode_safetensors(std::span<const TensorSource> tensors);

}  // namespace moesweep::checkpoint
