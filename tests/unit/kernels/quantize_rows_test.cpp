#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/quantize_rows.hpp>

namespace moesweep::kernels {
namespace {

struct Quantized {
  std::vector<std::uint8_t> codes;
  std::vector<float> scales, biases, values;
  bool operator==(const Quantized&) const = default;
};

Quantized by_rows(const std::vector<float>& values, std::int64_t columns,
                  const Quantizer& quantizer, Dtype dtype) {
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  const auto groups = static_cast<std::size_t>(rows * groups_of_row(columns, quantizer.group_size));
  Quantized out{std::vector<std::uint8_t>(values.size()), std::vector<float>(groups),
                std::vector<float>(groups), std::vector<float>(values.size())};
  quantize_rows({values, columns}, quantizer, dtype, {out.codes, out.scales, out.biases});
  dequantize_rows(out.codes, out.scales, out.biases, columns, quantizer.group_size, out.values);
  return out;
}

Quantized by_groups(const std::vector<float>& values, std::int64_t columns,
                    const Quantizer& quantizer, Dtype dtype) {
  Quantized out{
      std::vector<std::uint8_t>(values.size()), {}, {}, std::vector<float>(values.size())};
  const auto row_length = static_cast<std::size_t>(columns);
  for (std::size_t row = 0; row < values.size(); row += row_length) {
    for (std::size_t begin = row; begin < row + row_length;) {
      const auto count =
          std::min(static_cast<std::size_t>(quantizer.group_size), row + row_length - begin);
      const auto code = quantize_group(std::span(values).subspan(begin, count), quantizer, dtype,
                                       std::span(out.codes).subspan(begin, count),
                                       std::span(out.values).subspan(begin, count));
      out.scales.push_back(code.scale);
      out.biases.push_back(code.bias);
      begin += count;
    }
  }
  return out;
}

// Several magnitudes, signs that lean one way, groups of one value and of zeros.
std::vector<float> awkward_weights(std::size_t count) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto block = i / 32 % 7;
    const float value = normal(random);
    values[i] = block == 0   ? 0.0F
                : block == 1 ? 0.5F
                : block == 2 ? std::fabs(value)
                : block == 3 ? -std::fabs(value) - 1.0F
                : block == 4 ? value * 1e-6F
                             : value;
  }
  return values;
}

TEST(QuantizeRows, AgreesWithTheScalarReferenceBitForBit) {
  for (const std::int64_t columns : {128, 384, 200, 33}) {
    const auto values = awkward_weights(static_cast<std::size_t>(5 * columns));
    for (const auto family : {QuantizerFamily::rtn, QuantizerFamily::affine}) {
      for (const int bits : {2, 3, 4, 5, 6, 8}) {
        for (const int group_size : {32, 64, 128}) {
          for (const auto dtype : {Dtype::bf16, Dtype::f16, Dtype::f32}) {
            const Quantizer quantizer{family, bits, group_size};
            EXPECT_EQ(by_rows(values, columns, quantizer, dtype),
                      by_groups(values, columns, quantizer, dtype))
                << columns << " columns, " << family_name(family) << ' ' << bits << " bits, groups "
                << group_size << ", " << dtype_name(dtype);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace moesweep::kernels
