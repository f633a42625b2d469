#pragma once
// Linear systems with a symmetric positive definite matrix.

#include <cstdint>
#include <span>

namespace moesweep::kernels {

/// Replaces each of the right-hand sides, rows of `right` [count, side] row-major, by the solution
/// of matrix x = row, by Cholesky (LAPACK's dposv, one thread). `matrix` is symmetric [side, side];
/// only its upper triangle (row-major) is read; it is destroyed. False when it is not positive
/// definite to rounding: `right` is then unchanged.
bool solve_positive_definite(std::int64_t side, std::span<double> matrix, std::int64_t count,
                             std::span<double> right);

}  // namespace moesweep::kernels
