#include <algorithm>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/quantize_rows.hpp>

#include "round_trip_kernel.hpp"

namespace moesweep::kernels {
namespace {

std::size_t rows_in(std::size_t values, std::int64_t columns) {
  expect(columns >= 1 && values % checked_cast<std::size_t>(columns) == 0,
         "not a whole number of rows");
  return values / checked_cast<std::size_t>(columns);
}

}  // namespace

void quantize_rows(const RowBlock& block, const Quantizer& quantizer, Dtype weight_dtype,
                   const QuantizedRows& out) {
  const auto rows = rows_in(block.values.size(), block.columns);
  const auto columns = checked_cast<std::size_t>(block.columns);
  const auto groups = checked_cast<std::size_t>(groups_of_row(block.columns, quantizer.group_size));
  expect(out.codes.size() == block.values.size() && out.scales.size() == rows * groups &&
             out.biases.size() == rows * groups,
         "quantize_rows: output sizes differ from the input's");
  const auto levels = static_cast<float>((1 << quantizer.bits) - 1);
  const auto stored = stored_as(weight_dtype);
  std::vector<float> arrays(6 * padded_groups(groups));
  const auto array = [&](std::size_t i) { return arrays.data() + i * padded_groups(groups); };
  const GroupArrays parameters{array(2), array(3), array(4), array(5)};
  for (std::size_t row = 0; row < rows; ++row) {
    const Tile tile{block.values.data() + row * columns, columns,
                    checked_cast<std::size_t>(quantizer.group_size)};
    group_ranges(tile, array(0), array(1));
    group_parameters(quantizer.family, levels, stored, groups, array(0), array(1), parameters);
    tile_codes(tile, parameters, levels, out.codes.data() + row * columns);
    std::copy_n(parameters.stored_step, groups, out.scales.data() + row * groups);
    std::copy_n(parameters.stored_offset, groups, out.biases.data() + row * groups);
  }
}

void dequantize_rows(std::span<const std::uint8_t> codes, std::span<const float> scales,
                     std::span<const float> biases, std::int64_t columns, int group_size,
                     std::span<float> out) {
  const auto rows = rows_in(codes.size(), columns);
  const auto groups = rows * checked_cast<std::size_t>(groups_of_row(columns, group_size));
  expect(out.size() == codes.size() && scales.size() == groups && biases.size() == groups,
         "dequantize_rows: sizes differ");
  const auto row_length = checked_cast<std::size_t>(columns);
  const auto group_length = checked_cast<std::size_t>(group_size);
  std::size_t group = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto row_end = (row + 1) * row_length;
    for (std::size_t begin = row * row_length; begin < row_end; begin += group_length, ++group) {
      const auto end = std::min(begin + group_length, row_end);
      const float scale = scales[group];
      const float bias = biases[group];
      for (std::size_t i = begin; i < end; ++i) {
        const float product = static_cast<float>(codes[i]) * scale;
        out[i] = product + bias;
      }
    }
  }
}

}  // namespace moesweep::kernels
