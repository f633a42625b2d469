#include <algorithm>

#include <cblas.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/kernels/matrix_product.hpp>

#include "blas_call.hpp"

namespace moesweep::kernels {
namespace {

CBLAS_TRANSPOSE operation(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

// BLAS refuses a stride of 0, which an empty matrix may have.
blasint stride(std::int64_t elements) {
  return checked_cast<blasint>(std::max<std::int64_t>(1, elements));
}

}  // namespace

void multiply(Transpose a_op, Transpose b_op, std::int64_t m, std::int64_t n, std::int64_t k,
              float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
              float beta, float* c, std::int64_t ldc) {
  const BlasCall blas;
  cblas_sgemm(CblasRowMajor, operation(a_op), operation(b_op), checked_cast<blasint>(m),
              checked_cast<blasint>(n), checked_cast<blasint>(k), alpha, a, stride(lda), b,
              stride(ldb), beta, c, stride(ldc));
}

void multiply(Transpose a_op, Transpose b_op, std::int64_t m, std::int64_t n, std::int64_t k,
              double alpha, const double* a, std::int64_t lda, const double* b, std::int64_t ldb,
              double beta, double* c, std::int64_t ldc) {
  const BlasCall blas;
  cblas_dgemm(CblasRowMajor, operation(a_op), operation(b_op), checked_cast<blasint>(m),
              checked_cast<blasint>(n), checked_cast<blasint>(k), alpha, a, stride(lda), b,
              stride(ldb), beta, c, stride(ldc));
}

}  // namespace moesweep::kernels
