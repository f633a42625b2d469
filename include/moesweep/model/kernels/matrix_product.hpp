#pragma once
// Dense matrix products of row-major matrices, through BLAS, one thread a call.

#include <cstdint>

namespace moesweep::kernels {

enum class Transpose : std::uint8_t { no, yes };

/// c = alpha op(a) op(b) + beta c, where
///   op(a) is [m, k]: `a` is [m, k] with row stride lda, or [k, m] when transposed;
///   op(b) is [k, n]: `b` is [k, n] with row stride ldb, or [n, k] when transposed;
///   c is [m, n] with row stride ldc and overlaps neither. beta = 0 overwrites it unread.
/// Sizes may be 0. The result depends on the sizes and values only, not on where the matrices lie
/// nor on who else calls.
void multiply(Transpose a_op, Transpose b_op, std::int64_t m, std::int64_t n, std::int64_t k,
              float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
              float beta, float* c, std::int64_t ldc);
void multiply(Transpose a_op, Transpose b_op, std::int64_t m, std::int64_t n, std::int64_t k,
              double alpha, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
              double beta, double* c, std::int64_t ldc);

}  // namespace moesweep::kernels
