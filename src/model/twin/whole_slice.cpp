#include <cmath>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/kernels/noise.hpp>

#include "addresses.hpp"
#include "slice.hpp"

namespace moesweep::twin {
namespace {

// In a fixed order that the compiler can still do eight at a time.
float dot(const float* a, const float* b, std::size_t count) {
  float lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < count; ++i) lanes[0] += a[i] * b[i];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

std::vector<float> transposed(std::span<const float> values, std::int64_t rows, std::int64_t cols) {
  std::vector<float> out(values.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      out[static_cast<std::size_t>(j * rows + i)] = values[static_cast<std::size_t>(i * cols + j)];
    }
  }
  return out;
}

// Modified Gram-Schmidt over `count` vectors of `length`, each then of length sqrt(length).
void orthogonalize(std::vector<float>& vectors, std::size_t count, std::size_t length) {
  for (std::size_t i = 0; i < count; ++i) {
    float* pivot = vectors.data() + i * length;
    const float norm = std::sqrt(dot(pivot, pivot, length));
    const float inverse = norm > 0.0F ? 1.0F / norm : 0.0F;
    for (std::size_t e = 0; e < length; ++e) pivot[e] *= inverse;
    for (std::size_t j = i + 1; j < count; ++j) {
      float* other = vectors.data() + j * length;
      const float along = dot(pivot, other, length);
      for (std::size_t e = 0; e < length; ++e) other[e] -= along * pivot[e];
    }
  }
  const float scale = std::sqrt(static_cast<float>(length));
  for (auto& value : vectors) value *= scale;
}

}  // namespace

std::vector<float> whole_noise(const Recipe& recipe, std::int64_t slice) {
  const auto count = checked_cast<std::size_t>(recipe.matrix.weights());
  constexpr std::size_t block = kernels::noise_block;
  std::vector<float> noise((count + block - 1) / block * block);
  kernels::counter_noise({.key = recipe.key,
                          .block = 0,
                          .row = 0,
                          .slice = checked_cast<std::uint32_t>(slice),
                          .stream = static_cast<std::uint32_t>(Stream::noise)},
                         noise);
  noise.resize(count);
  return noise;
}

std::vector<float> orthogonalized(const MatrixShape& matrix, std::span<const float> noise) {
  const auto count = checked_cast<std::size_t>(matrix.short_side());
  const auto length = checked_cast<std::size_t>(matrix.long_side());
  if (matrix.rows <= matrix.cols) {
    std::vector<float> vectors(noise.begin(), noise.end());
    orthogonalize(vectors, count, length);
    return vectors;
  }
  auto vectors = transposed(noise, matrix.rows, matrix.cols);
  orthogonalize(vectors, count, length);
  return transposed(vectors, matrix.cols, matrix.rows);
}

std::vector<float> unclipped_slice(const Recipe& recipe, std::int64_t slice,
                                   std::span<const float> noise,
                                   std::span<const float> orthogonal) {
  std::vector<float> weights(noise.begin(), noise.end());
  if (recipe.flatten > 0.0F) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = (1.0F - recipe.flatten) * noise[i] + recipe.flatten * orthogonal[i];
    }
  }
  if (recipe.spike == 0.0F) return weights;
  const auto rows = checked_cast<std::size_t>(recipe.matrix.rows);
  const auto cols = checked_cast<std::size_t>(recipe.matrix.cols);
  std::vector<float> u(rows), v(cols);
  direction_entries(recipe.u, recipe.key, Stream::row_direction, slice, 0, u);
  direction_entries(recipe.v, recipe.key, Stream::column_direction, slice, 0, v);
  const float bulk = std::sqrt(1.0F - recipe.spike);
  const float spike = std::sqrt(recipe.spike);
  for (std::size_t i = 0; i < rows; ++i) {
    const float along = spike * u[i];
    float* row = weights.data() + i * cols;
    for (std::size_t j = 0; j < cols; ++j) row[j] = bulk * row[j] + along * v[j];
  }
  return weights;
}

void clip_slice(float clip, std::span<float> weights) {
  if (clip == 0.0F) return;
  for (auto& weight : weights) weight /= std::sqrt(1.0F + clip * weight * weight);
}

void put_outliers(const Recipe& recipe, std::int64_t slice, std::span<float> weights) {
  if (recipe.outliers.magnitude == 0.0F) return;
  for_each_outlier(recipe, slice, 0, recipe.matrix.rows, [&](const Outlier& outlier) {
    weights[static_cast<std::size_t>(outlier.row * recipe.matrix.cols + outlier.col)] =
        recipe.outliers.magnitude * outlier.value;
  });
}

}  // namespace moesweep::twin
