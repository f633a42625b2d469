#include "quantizers/offset_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "quantizers/gguf_steps.hpp"

namespace moesweep::kernels::gguf {
namespace {

/// The sub-block, and the sums over it that no code changes.
struct Weighted {
  std::span<const float> x;
  std::span<const float> weights;
  float sum_w = 0.0F;
  float sum_wx = 0.0F;

  Weighted(std::span<const float> values, std::span<const float> of) : x(values), weights(of) {
    sum_w = weights[0];
    sum_wx = sum_w * x[0];
    for (std::size_t i = 1; i < x.size(); ++i) {
      sum_w += weights[i];
      sum_wx += weights[i] * x[i];
    }
  }
};

void write_codes(std::span<const float> x, float inverse_scale, float lowest, int levels,
                 std::span<int> codes) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    codes[i] = std::clamp(nearest_integer(inverse_scale * (x[i] - lowest)), 0, levels);
  }
}

/// `lowest` is the value of code 0.
float error_of(const Weighted& block, std::span<const int> codes, float scale, float lowest,
               bool absolute) {
  float error = 0.0F;
  for (std::size_t i = 0; i < block.x.size(); ++i) {
    const float difference = scale * static_cast<float>(codes[i]) + lowest - block.x[i];
    error += block.weights[i] * (absolute ? std::fabs(difference) : difference * difference);
  }
  return error;
}

struct Line {
  bool found = false;
  float scale = 0.0F;
  float lowest = 0.0F;
};

/// Weighted least squares of x on its codes, lowest <= 0.
Line regress(const Weighted& block, std::span<const int> codes) {
  float sum_l = 0.0F;
  float sum_ll = 0.0F;
  float sum_xl = 0.0F;
  for (std::size_t i = 0; i < block.x.size(); ++i) {
    const auto l = static_cast<float>(codes[i]);
    const float wl = block.weights[i] * l;
    sum_l += wl;
    sum_ll += wl * l;
    sum_xl += wl * block.x[i];
  }
  const float determinant = block.sum_w * sum_ll - sum_l * sum_l;
  if (!(determinant > 0.0F)) return {};
  Line line{true, (block.sum_w * sum_xl - block.sum_wx * sum_l) / determinant,
            (sum_ll * block.sum_wx - sum_l * sum_xl) / determinant};
  if (line.lowest > 0.0F) line = {true, sum_xl / sum_ll, 0.0F};
  return line;
}

}  // namespace

OffsetFit fit_with_offset(std::span<const float> x, std::span<const float> weights, int levels,
                          const ScaleGrid& grid, std::span<int> codes) {
  const Weighted block(x, weights);
  const float highest = *std::max_element(x.begin(), x.end());
  float lowest = *std::min_element(x.begin(), x.end());
  if (lowest > 0.0F) lowest = 0.0F;
  if (highest == lowest) {
    std::fill(codes.begin(), codes.end(), 0);
    return {0.0F, -lowest};
  }
  const auto top = static_cast<float>(levels);
  float inverse_scale = top / (highest - lowest);
  float scale = 1.0F / inverse_scale;
  write_codes(x, inverse_scale, lowest, levels, codes);
  float least = error_of(block, codes, scale, lowest, grid.absolute_error);

  std::array<int, longest_sub_block> buffer{};
  const auto tried = std::span(buffer).first(x.size());
  for (int i = 0; i <= grid.last; ++i) {
    // From the best lowest so far, not from the block's own.
    inverse_scale = (grid.first + grid.step * static_cast<float>(i) + top) / (highest - lowest);
    write_codes(x, inverse_scale, lowest, levels, tried);
    const Line line = regress(block, tried);
    if (!line.found) continue;
    const float error = error_of(block, tried, line.scale, line.lowest, grid.absolute_error);
    if (error < least) {
      std::copy(tried.begin(), tried.end(), codes.begin());
      least = error;
      scale = line.scale;
      lowest = line.lowest;
    }
  }
  return {scale, -lowest};
}

}  // namespace moesweep::kernels::gguf
