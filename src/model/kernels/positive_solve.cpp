#include <utility>

#include <lapacke.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/positive_solve.hpp>

#include "blas_call.hpp"

namespace moesweep::kernels {

bool solve_positive_definite(std::int64_t side, std::span<double> matrix, std::int64_t count,
                             std::span<double> right) {
  expect(side >= 1 && std::cmp_equal(matrix.size(), side * side), "a matrix that is not square");
  expect(std::cmp_equal(right.size(), side * count), "right-hand sides of another length");
  const auto n = checked_cast<lapack_int>(side);
  // Row-major upper is column-major lower, and rows are columns.
  const auto info = [&] {
    const BlasCall blas;
    return LAPACKE_dposv_work(LAPACK_COL_MAJOR, 'L', n, checked_cast<lapack_int>(count),
                              matrix.data(), n, right.data(), n);
  }();
  expect(info >= 0, "dposv: argument refused");
  return info == 0;
}

}  // namespace moesweep::kernels
