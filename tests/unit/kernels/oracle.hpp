#pragma once
// Independent scalar computations to compare with: plain loops, no shared code.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels::oracle {

// Nearest value with `digits` significant bits, no finer than 2^smallest; `largest` and beyond
// become infinite. By float64 arithmetic, which is exact here.
inline float nearest_in_format(float value, int digits, int smallest, double overflow) {
  if (value == 0.0F || std::isinf(value)) return value;
  int exponent = 0;
  std::frexp(static_cast<double>(value), &exponent);
  const int unit = std::max(exponent - digits, smallest);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(double{value}, -unit)), unit);
  if (std::fabs(rounded) >= overflow) {
    return std::copysign(std::numeric_limits<float>::infinity(), value);
  }
  return static_cast<float>(rounded);
}

inline float stored(float value, Dtype dtype) {
  switch (dtype) {
    case Dtype::f16:
      return nearest_in_format(value, 11, -24, 65536.0);
    case Dtype::bf16:
    case Dtype::f8_e4m3:
    case Dtype::f8_e5m2:
      return nearest_in_format(value, 8, -133, 0x1p128);
    default:
      return value;
  }
}

struct Group {
  float scale = 0.0F;
  float bias = 0.0F;
  std::vector<int> codes;
  long double sse = 0.0L;
};

inline Group quantize(const float* weights, std::size_t count, const Quantizer& quantizer,
                      Dtype dtype) {
  const auto size = static_cast<std::size_t>(quantizer.group_size);
  std::vector<float> padded(weights, weights + count);
  padded.resize(size, 0.0F);
  float lo = padded[0];
  float hi = padded[0];
  for (const float w : padded) {
    lo = std::fmin(lo, w);
    hi = std::fmax(hi, w);
  }
  if (lo == 0.0F) lo = 0.0F;
  if (hi == 0.0F) hi = 0.0F;
  const float n = std::ldexp(1.0F, quantizer.bits) - 1.0F;
  float s = (hi - lo) / n;
  float bias = std::fabs(lo);  // +0 when lo is a zero of any sign
  if (lo != 0.0F) bias = lo;
  Group group;
  if (quantizer.family == QuantizerFamily::rtn) {
    s = std::fmax(s, 1e-12F);
    group.scale = s;
    group.bias = bias;
  } else {
    s = std::fmax(s, 1e-7F);
    float edge = lo;
    if (!(std::fabs(lo) > std::fabs(hi))) {
      s = -s;
      edge = hi;
    }
    const float q0 = std::rint(edge / s);
    if (q0 != 0.0F) {
      s = edge / q0;
      bias = edge;
    } else {
      bias = 0.0F;
    }
    group.scale = stored(s, dtype);
    group.bias = stored(bias, dtype);
  }
  for (std::size_t i = 0; i < count; ++i) {
    float q = std::rint((weights[i] - bias) / s);
    if (!(q > 0.0F)) q = 0.0F;
    if (q > n) q = n;
    const volatile float product = q * group.scale;  // volatile: no compiler can fuse the steps
    const volatile float restored = product + group.bias;
    const float error = weights[i] - restored;
    group.codes.push_back(static_cast<int>(q));
    group.sse += static_cast<long double>(error) * static_cast<long double>(error);
  }
  return group;
}

// Squared error of one row-major matrix.
inline long double matrix_error(const std::vector<float>& values, std::size_t columns,
                                const Quantizer& quantizer, Dtype dtype) {
  const auto size = static_cast<std::size_t>(quantizer.group_size);
  long double sse = 0.0L;
  for (std::size_t row = 0; row < values.size(); row += columns) {
    for (std::size_t begin = 0; begin < columns; begin += size) {
      const std::size_t count = std::min(size, columns - begin);
      sse += quantize(values.data() + row + begin, count, quantizer, dtype).sse;
    }
  }
  return sse;
}

}  // namespace moesweep::kernels::oracle
