#pragma once
// The round trip of one weight and the parameters of one group, step by step in scalar binary32.
// The reference, and the code for elements that do not fill a vector. -ffp-contract=off matters
// here: a fused multiply-add would be one rounding instead of two.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels {

/// Smallest step of a family: keeps the division of a constant group finite.
inline constexpr float rtn_smallest_step = 1e-12F;
inline constexpr float affine_smallest_step = 1e-7F;

/// How scale and bias are stored.
enum class StoredAs : std::uint8_t { bf16, f16, f32 };

/// As formats::scale_dtype().
constexpr StoredAs stored_as(Dtype weight_dtype) {
  switch (formats::scale_dtype(weight_dtype)) {
    case Dtype::bf16:
      return StoredAs::bf16;
    case Dtype::f16:
      return StoredAs::f16;
    default:
      return StoredAs::f32;
  }
}

/// Codes come from `step` and `offset`, dequantized values from the stored pair.
struct GroupParameters {
  float step = 0.0F;
  float offset = 0.0F;
  float stored_step = 0.0F;
  float stored_offset = 0.0F;
};

/// To nearest even, finite or infinite values.
inline float round_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7FFFU + ((bits >> 16) & 1U)) & 0xFFFF0000U);
}

/// To nearest even. Below 2^-14 halves are multiples of 2^-24, the spacing of binary32 in [0.5, 1).
inline float round_to_f16(float value) {
  const float magnitude = std::fabs(value);
  const auto bits = std::bit_cast<std::uint32_t>(magnitude);
  const float normal = std::bit_cast<float>((bits + 0xFFFU + ((bits >> 13) & 1U)) & 0xFFFFE000U);
  float rounded = magnitude < 0x1p-14F ? (magnitude + 0.5F) - 0.5F : normal;
  if (rounded >= 0x1p16F) rounded = std::numeric_limits<float>::infinity();
  return std::copysign(rounded, value);
}

inline float round_to_stored(StoredAs stored, float value) {
  switch (stored) {
    case StoredAs::bf16:
      return round_to_bf16(value);
    case StoredAs::f16:
      return round_to_f16(value);
    case StoredAs::f32:
      break;
  }
  return value;
}

inline GroupParameters rtn_parameters(float lo, float hi, float levels) {
  const float quotient = (hi - lo) / levels;
  const float step = quotient > rtn_smallest_step ? quotient : rtn_smallest_step;
  return {step, lo, step, lo};
}

inline GroupParameters affine_parameters(float lo, float hi, float levels, StoredAs stored) {
  const float quotient = (hi - lo) / levels;
  const float step = quotient > affine_smallest_step ? quotient : affine_smallest_step;
  const bool low_is_edge = std::fabs(lo) > std::fabs(hi);
  const float edge = low_is_edge ? lo : hi;
  GroupParameters group;
  group.step = low_is_edge ? step : -step;
  const float edge_code = std::nearbyint(edge / group.step);
  if (edge_code != 0.0F) {
    group.step = edge / edge_code;
    group.offset = edge;
  }
  group.stored_step = round_to_stored(stored, group.step);
  group.stored_offset = round_to_stored(stored, group.offset);
  return group;
}

/// Code as a binary32 integer in [0, levels]; 0 when it is no number (range beyond binary32).
inline float code_of(float weight, const GroupParameters& group, float levels) {
  const float rounded = std::nearbyint((weight - group.offset) / group.step);
  const float not_below = rounded > 0.0F ? rounded : 0.0F;
  return not_below < levels ? not_below : levels;
}

inline float dequantize(float code, const GroupParameters& group) {
  const float product = code * group.stored_step;
  return product + group.stored_offset;
}

}  // namespace moesweep::kernels
