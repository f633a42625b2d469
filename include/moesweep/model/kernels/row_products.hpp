#pragma once
// Products for training: a matrix of a few dozen rows with one that lies in cache.

#include <cstdint>

#include <moesweep/model/kernels/matrix_product.hpp>

namespace moesweep::kernels {

/// c += op(a) b, row-major: op(a) is [m, k], `a` being [m, k] with row stride lda, or [k, m] when
/// transposed; b is [k, n] and c [m, n] with row strides ldb and ldc. c overlaps neither. Sizes may
/// be 0. Every element adds its terms in order of k, each by one fused multiply-add where the
/// target has it (AVX2, AVX-512, NEON): the result depends neither on the width of the vectors nor
/// on how c is divided among calls. On the calling thread.
void add_product(Transpose a_op, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                 std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc);

}  // namespace moesweep::kernels
