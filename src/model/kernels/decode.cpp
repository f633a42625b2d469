#include <moesweep/model/kernels/decode.hpp>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "decode.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first.
#include <hwy/highway.h>

#include "decode-inl.h"

#if HWY_ONCE

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::kernels {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

HWY_EXPORT(widen_bf16);
HWY_EXPORT(widen_f16);
HWY_EXPORT(find_nonfinite);

using Table = std::array<float, 256>;

// Value of an 8-bit float with the given field widths; the largest exponent counts as any other.
float minifloat(unsigned bits, int mantissa_bits, int bias) {
  const unsigned magnitude = bits & 0x7FU;
  const int exponent = static_cast<int>(magnitude >> mantissa_bits);
  const auto mantissa = static_cast<int>(magnitude & ((1U << mantissa_bits) - 1U));
  const int significand = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);
  const int scale = (exponent == 0 ? 1 : exponent) - bias - mantissa_bits;
  const float value = std::ldexp(static_cast<float>(significand), scale);
  return (bits & 0x80U) != 0 ? -value : value;
}

// OCP 8-bit floating point specification 1.0: E4M3 keeps its largest exponent for numbers, only
// S.1111.111 is NaN.
const Table& e4m3_table() {
  static const Table table = [] {
    Table values{};
    for (unsigned bits = 0; bits < values.size(); ++bits) values[bits] = minifloat(bits, 3, 7);
    values[0x7F] = values[0xFF] = std::numeric_limits<float>::quiet_NaN();
    return values;
  }();
  return table;
}

// E5M2 follows IEEE: exponent 31 is infinity (mantissa 0) or NaN.
const Table& e5m2_table() {
  static const Table table = [] {
    Table values{};
    for (unsigned bits = 0; bits < values.size(); ++bits) {
      const float sign = (bits & 0x80U) != 0 ? -1.0F : 1.0F;
      if ((bits & 0x7CU) != 0x7CU) {
        values[bits] = minifloat(bits, 2, 15);
      } else if ((bits & 3U) == 0) {
        values[bits] = sign * std::numeric_limits<float>::infinity();
      } else {
        values[bits] = std::numeric_limits<float>::quiet_NaN();
      }
    }
    return values;
  }();
  return table;
}

void look_up(const Table& table, std::span<const std::byte> bytes, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = table[std::to_integer<unsigned>(bytes[i])];
}

// Integer and F64 conversions round to nearest even (IEEE 754; beyond binary32 to infinity).
template <typename T>
void convert(std::span<const std::byte> bytes, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>(value);
  }
}

void convert_booleans(std::span<const std::byte> bytes, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = bytes[i] == std::byte{0} ? 0.0F : 1.0F;
}

}  // namespace

void decode(Dtype dtype, std::span<const std::byte> bytes, std::span<float> out) {
  expect(bytes.size() == out.size() * checked_cast<std::size_t>(dtype_bytes(dtype)),
         "decode: byte count does not match the element count");
  if (out.empty()) return;
  switch (dtype) {
    case Dtype::bf16:
      HWY_DYNAMIC_DISPATCH(widen_bf16)(bytes.data(), out.size(), out.data());
      return;
    case Dtype::f16:
      HWY_DYNAMIC_DISPATCH(widen_f16)(bytes.data(), out.size(), out.data());
      return;
    case Dtype::f32:
      std::memcpy(out.data(), bytes.data(), bytes.size());
      return;
    case Dtype::f64:
      return convert<double>(bytes, out);
    case Dtype::f8_e4m3:
      return look_up(e4m3_table(), bytes, out);
    case Dtype::f8_e5m2:
      return look_up(e5m2_table(), bytes, out);
    case Dtype::i8:
      return convert<std::int8_t>(bytes, out);
    case Dtype::i16:
      return convert<std::int16_t>(bytes, out);
    case Dtype::i32:
      return convert<std::int32_t>(bytes, out);
    case Dtype::i64:
      return convert<std::int64_t>(bytes, out);
    case Dtype::u8:
      return convert<std::uint8_t>(bytes, out);
    case Dtype::u16:
      return convert<std::uint16_t>(bytes, out);
    case Dtype::u32:
      return convert<std::uint32_t>(bytes, out);
    case Dtype::u64:
      return convert<std::uint64_t>(bytes, out);
    case Dtype::boolean:
      return convert_booleans(bytes, out);
    case Dtype::c64:
    case Dtype::f8_e8m0:
    case Dtype::f6_e2m3:
    case Dtype::f6_e3m2:
    case Dtype::f4:
    case Dtype::f8_e4m3fnuz:
    case Dtype::f8_e5m2fnuz:
      break;  // are no weights by themselves
  }
  bug("decode: a dtype that carries no weights");
}

std::optional<std::int64_t> first_nonfinite(std::span<const float> values) {
  const std::size_t index = HWY_DYNAMIC_DISPATCH(find_nonfinite)(values.data(), values.size());
  if (index == values.size()) return std::nullopt;
  return checked_cast<std::int64_t>(index);
}

}  // namespace moesweep::kernels

#endif  // HWY_ONCE
