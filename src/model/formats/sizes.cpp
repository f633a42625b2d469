#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>

namespace moesweep::formats {
namespace {

/// Scales, minima and biases of one block.
std::int64_t parameter_bits(const Format& format, Dtype weight_dtype) {
  return format.metadata_bits + format.weight_dtype_numbers * dtype_bits(scale_dtype(weight_dtype));
}

/// Whole bytes of `blocks` blocks, filled up once. Their product may not fit before the division.
std::int64_t bytes_of(std::int64_t blocks, std::int64_t block_bits) {
  return blocks / 8 * block_bits + (blocks % 8 * block_bits + 7) / 8;
}

std::int64_t matrices_of(std::span<const std::int64_t> shape) {
  return shape.size() == 3 ? shape.front() : 1;
}

}  // namespace

BlockBytes block_bytes(const Encoding& encoding, Dtype weight_dtype) {
  const auto& format = format_named(encoding.quantizer);
  const auto codes = bytes_of(encoding.group_size, encoding.bits);
  const auto parameters = parameter_bits(format, weight_dtype) / 8;
  if (format.words.ggml_type) return {.codes = codes + parameters};
  if (!format.has_offset()) return {.codes = codes, .scales = parameters};
  return {.codes = codes, .scales = parameters / 2, .biases = parameters / 2};
}

double bits_per_weight(const Encoding& encoding, Dtype weight_dtype) {
  const auto& format = format_named(encoding.quantizer);
  return encoding.bits +
         static_cast<double>(parameter_bits(format, weight_dtype)) / encoding.group_size;
}

std::int64_t stored_bytes(const Encoding& encoding, std::span<const std::int64_t> shape,
                          Dtype dtype) {
  const auto& format = format_named(encoding.quantizer);
  if (shape.size() < 2 || !is_floating_point(dtype)) return -1;
  if (!format.offers(encoding)) return -1;
  const auto columns = shape.back();
  std::int64_t rows = 1;
  for (const auto side : shape.first(shape.size() - 1)) rows *= side;
  if (columns == 0 || rows == 0) return -1;
  const auto parameters = parameter_bits(format, dtype);
  if (format.family == Family::rtn) {
    const auto groups = rows * ((columns + encoding.group_size - 1) / encoding.group_size);
    return bytes_of(rows * columns, encoding.bits) + groups * (parameters / 8);
  }
  if (columns % encoding.group_size != 0) return -1;
  const auto blocks = rows * (columns / encoding.group_size);
  const auto of_matrices = format.has_matrix_parameter() ? 4 * matrices_of(shape) : 0;
  return bytes_of(blocks, std::int64_t{encoding.group_size} * encoding.bits + parameters) +
         of_matrices;
}

}  // namespace moesweep::formats
