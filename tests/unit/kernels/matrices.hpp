#pragma once
// Matrices of random weights.

#include <cstdint>
#include <random>
#include <span>

#include <Eigen/Core>

#include "samples.hpp"

namespace moesweep::kernels {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline Matrix gaussian_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  Matrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = gaussian(random);
  return matrix;
}

inline std::span<const float> elements(const Matrix& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

}  // namespace moesweep::kernels
