#include "quantizers/signed_fit.hpp"

#include <algorithm>
#include <cmath>

#include "quantizers/gguf_steps.hpp"

namespace moesweep::kernels::gguf {
namespace {

/// The first value of largest magnitude, with its sign.
float extreme_of(std::span<const float> x) {
  float extreme = 0.0F;
  for (const float value : x) {
    if (std::fabs(value) > std::fabs(extreme)) extreme = value;
  }
  return extreme;
}

int code_of(float value, float inverse_scale, int half) {
  return std::clamp(nearest_integer(inverse_scale * value), -half, half - 1);
}

/// sum w x l and sum w l^2 with w = x^2: the best scale for codes l is their quotient, and it
/// explains xl^2/ll of the weighted norm.
struct Products {
  float xl = 0.0F;
  float ll = 0.0F;

  void add(float x, int code) {
    const float weight = x * x;
    const auto l = static_cast<float>(code);
    xl += weight * x * l;
    ll += weight * l * l;
  }
  void remove(float x, int code) {
    const float weight = x * x;
    const auto l = static_cast<float>(code);
    xl -= weight * x * l;
    ll -= weight * l * l;
  }
};

Products products_of(std::span<const float> x, float inverse_scale, int half) {
  Products sums;
  for (const float value : x) sums.add(value, code_of(value, inverse_scale, half));
  return sums;
}

void write_codes(std::span<const float> x, float inverse_scale, int half, std::span<int> codes) {
  for (std::size_t i = 0; i < x.size(); ++i) codes[i] = half + code_of(x[i], inverse_scale, half);
}

/// One round over the sub-block; whether a code changed.
bool improve(std::span<const float> x, int half, Products& sums, std::span<int> codes) {
  bool changed = false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    Products others = sums;
    others.remove(x[i], codes[i]);
    if (!(others.xl > 0.0F)) continue;
    const int code = std::clamp(nearest_integer(x[i] * others.ll / others.xl), -half, half - 1);
    if (code == codes[i]) continue;
    others.add(x[i], code);
    const bool better = others.xl * others.xl * sums.ll > sums.xl * sums.xl * others.ll;
    if (others.ll > 0.0F && better) {
      codes[i] = code;
      sums = others;
      changed = true;
    }
  }
  return changed;
}

}  // namespace

float fit_by_grid(std::span<const float> x, int half, std::span<int> codes) {
  const float extreme = extreme_of(x);
  if (std::fabs(extreme) < smallest_magnitude) {
    std::fill(codes.begin(), codes.end(), 0);
    return 0.0F;
  }
  float inverse_scale = static_cast<float>(-half) / extreme;
  write_codes(x, inverse_scale, half, codes);
  Products sums = products_of(x, inverse_scale, half);
  float scale = sums.ll != 0.0F ? sums.xl / sums.ll : 0.0F;
  float explained = scale * sums.xl;
  for (int step = -9; step <= 9; ++step) {
    if (step == 0) continue;
    inverse_scale = -(static_cast<float>(half) + 0.1F * static_cast<float>(step)) / extreme;
    sums = products_of(x, inverse_scale, half);
    if (sums.ll > 0.0F && sums.xl * sums.xl > explained * sums.ll) {
      write_codes(x, inverse_scale, half, codes);
      scale = sums.xl / sums.ll;
      explained = scale * sums.xl;
    }
  }
  return scale;
}

float fit_by_descent(std::span<const float> x, int half, std::span<int> codes) {
  const float extreme = extreme_of(x);
  if (std::fabs(extreme) < smallest_magnitude) {
    std::fill(codes.begin(), codes.end(), 0);
    return 0.0F;
  }
  const float inverse_scale = static_cast<float>(-half) / extreme;
  for (std::size_t i = 0; i < x.size(); ++i) codes[i] = code_of(x[i], inverse_scale, half);
  Products sums = products_of(x, inverse_scale, half);
  for (int round = 0; round < 5 && improve(x, half, sums, codes); ++round) {
  }
  for (auto& code : codes) code += half;
  return sums.ll > 0.0F ? sums.xl / sums.ll : 0.0F;
}

}  // namespace moesweep::kernels::gguf
