#include "stored_rows.hpp"

#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/pack.hpp>
#include <moesweep/model/kernels/quantize_rows.hpp>

#include "module_tensors.hpp"

namespace moesweep::found {
namespace {

using checkpoint::Tensor;
using checkpoint::TensorReader;

/// `rows` rows of the tensor's last axis as binary32.
void read_values(const TensorReader& reader, const Tensor& tensor, std::int64_t first_row,
                 std::int64_t rows, std::vector<std::byte>& bytes, std::vector<float>& values) {
  const auto row_bytes = tensor.shape.back() * dtype_bytes(tensor.dtype);
  bytes.resize(checked_cast<std::size_t>(rows * row_bytes));
  reader.read(tensor, checked_cast<std::uint64_t>(first_row * row_bytes), bytes);
  values.resize(checked_cast<std::size_t>(rows * tensor.shape.back()));
  kernels::decode(tensor.dtype, bytes, values);
}

/// q*scale; codes are stored with 2^(bits-1) added, so that none is negative.
void dequantize_symmetric(std::span<const std::uint8_t> codes, std::span<const float> scales,
                          std::int64_t columns, int bits, int group_size, std::span<float> out) {
  const auto groups = static_cast<std::size_t>(kernels::groups_of_row(columns, group_size));
  const auto row_length = static_cast<std::size_t>(columns);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto row = i / row_length;
    const auto group = i % row_length / static_cast<std::size_t>(group_size);
    const auto code = static_cast<int>(codes[i]) - (1 << (bits - 1));
    out[i] = static_cast<float>(code) * scales[row * groups + group];
  }
}

}  // namespace

std::optional<StoredRows> StoredRows::open(const checkpoint::Checkpoint& checkpoint,
                                           const FoundModule& module, Format format,
                                           std::int64_t columns) {
  const bool is_mlx = format == Format::mlx;
  StoredRows rows;
  rows.codes_ = checkpoint::find_tensor(
      checkpoint, tensor_name(module.name, is_mlx ? "weight" : "weight_packed"));
  rows.scales_ = checkpoint::find_tensor(
      checkpoint, tensor_name(module.name, is_mlx ? "scales" : "weight_scale"));
  rows.biases_ = checkpoint::find_tensor(checkpoint, tensor_name(module.name, "biases"));
  const bool asymmetric = !is_mlx && !module.encoding.quantizer.starts_with("ct_int");
  if (rows.codes_ == nullptr || rows.scales_ == nullptr || asymmetric ||
      (rows.biases_ != nullptr) != is_mlx || dtype_bits(rows.codes_->dtype) != 32) {
    return std::nullopt;
  }
  if (!is_floating_point(rows.scales_->dtype) ||
      (rows.biases_ != nullptr && !is_floating_point(rows.biases_->dtype))) {
    return std::nullopt;
  }
  // 32 codes fill whole words; other rows end in padding that depends on the format.
  if (columns < 1 || columns % 32 != 0 || rows.scales_->shape.size() < 2) return std::nullopt;
  const auto words = rows.codes_->shape.back();
  const auto groups = rows.scales_->shape.back();
  const auto bits = words * 32 / columns;
  const bool fits = words * 32 == bits * columns && columns % groups == 0 && bits >= 1 &&
                    bits <= 8 && (is_mlx || 32 % bits == 0);
  if (!fits || product(module.shape) % columns != 0) return std::nullopt;
  rows.columns_ = columns;
  rows.rows_ = product(rows.codes_->shape) / words;
  rows.bits_ = checked_cast<int>(bits);
  rows.group_size_ = checked_cast<int>(columns / groups);
  if (product(rows.scales_->shape) / groups != rows.rows_) return std::nullopt;
  return rows;
}

void StoredRows::read(const TensorReader& reader, std::int64_t first_row, Buffers& buffers,
                      std::span<float> out) const {
  auto& [bytes, words, codes, scales, biases] = buffers;
  const auto rows = checked_cast<std::int64_t>(out.size()) / columns_;
  const auto words_a_row = codes_->shape.back();
  words.resize(checked_cast<std::size_t>(rows * words_a_row));
  reader.read(*codes_, checked_cast<std::uint64_t>(first_row * words_a_row * 4),
              std::as_writable_bytes(std::span(words)));
  codes.resize(out.size());
  kernels::unpack_codes(words, bits_, codes);
  read_values(reader, *scales_, first_row, rows, bytes, scales);
  if (biases_ == nullptr) {
    return dequantize_symmetric(codes, scales, columns_, bits_, group_size_, out);
  }
  read_values(reader, *biases_, first_row, rows, bytes, biases);
  kernels::dequantize_rows(codes, scales, biases, columns_, group_size_, out);
}

}  // namespace moesweep::found
