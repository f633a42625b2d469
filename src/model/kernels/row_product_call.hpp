#pragma once
// What add_product() was called with, its sizes checked.

#include <cstddef>

namespace moesweep::kernels {

struct RowProduct {
  bool is_transposed;
  std::size_t rows, columns, terms;  ///< of op(a) b: [rows, columns], sums of `terms`
  const float* a;
  std::size_t lda;
  const float* b;
  std::size_t ldb;
  float* c;
  std::size_t ldc;
};

}  // namespace moesweep::kernels
