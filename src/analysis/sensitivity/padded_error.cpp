#include "padded_error.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <moesweep/core/base/cast.hpp>

#include "quantizers.hpp"

namespace moesweep::sensitivity {
namespace {

constexpr std::int64_t group = reference_quantizer.group_size;
constexpr std::int64_t most_elements = std::int64_t{1} << 20;

}  // namespace

PaddedReference::PaddedReference(Dtype weight_dtype)
    : errors_(std::span(&reference_quantizer, 1), weight_dtype) {}

double PaddedReference::sse(const Block& block) {
  std::array<double, 1> sse = {0.0};
  const auto width = (block.columns + group - 1) / group * group;
  const auto rows_at_once = std::min(std::max<std::int64_t>(most_elements / width, 1), block.rows);
  padded_.assign(checked_cast<std::size_t>(width * rows_at_once), 0.0F);
  for (std::int64_t row = 0; row < block.rows; row += rows_at_once) {
    const auto rows = std::min(rows_at_once, block.rows - row);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::copy_n(block.values.data() + (row + i) * block.columns, block.columns,
                  padded_.data() + i * width);
    }
    const auto values =
        std::span<const float>(padded_).first(checked_cast<std::size_t>(rows * width));
    errors_.add({values, width}, sse);
  }
  return sse.front();
}

std::int64_t PaddedReference::bytes(std::int64_t block_columns) {
  return std::max(most_elements, block_columns + group) * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace moesweep::sensitivity
