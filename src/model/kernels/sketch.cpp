#include "sketch.hpp"

#include <algorithm>
#include <cmath>

#include <cblas.h>
#include <lapacke.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/normal.hpp>

#include "blas_call.hpp"
#include "eigenvalues.hpp"

namespace moesweep::kernels {
namespace {

constexpr std::int64_t qr_block = 64;
// Eigenvalues below this share of the largest are rounding noise of a matrix of lower rank.
constexpr double noise_share = 1e-12;

std::int64_t work_size(std::int64_t rank) {
  return std::max(1 + 6 * rank + 2 * rank * rank, qr_block * rank);
}

void require(lapack_int info, const char* routine) {
  require_success("sketch of a Gram matrix", routine, info);
}

/// Of the rank x rank matrix at the start of scratch, ascending, behind it; with 'V' the matrix
/// becomes the eigenvectors.
const double* solve_small(const SketchSpace& space, char job) {
  double* const matrix = space.scratch;
  double* const values = matrix + space.rank * space.rank;
  double* const work = values + space.rank;
  std::vector<lapack_int> integer_work(checked_cast<std::size_t>(3 + 5 * space.rank));
  const auto rank = checked_cast<lapack_int>(space.rank);
  const BlasCall blas;
  require(LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, job, 'L', rank, matrix, rank, values, work,
                              checked_cast<lapack_int>(work_size(space.rank)), integer_work.data(),
                              checked_cast<lapack_int>(integer_work.size())),
          "dsyevd");
  return values;
}

/// Eigenvector columns to columns scaled by 1/sqrt(eigenvalue), 0 where that is noise.
void whiten(const SketchSpace& space, const double* values) {
  const double least = noise_share * values[space.rank - 1];
  for (std::int64_t j = 0; j < space.rank; ++j) {
    const double factor = values[j] > least ? 1.0 / std::sqrt(values[j]) : 0.0;
    double* const column = space.scratch + j * space.rank;
    for (std::int64_t i = 0; i < space.rank; ++i) column[i] *= factor;
  }
}

}  // namespace

std::int64_t sketch_scratch(std::int64_t rank) {
  return rank * rank + rank + work_size(rank);
}

void fill_with_normals(const SketchSpace& space, PhiloxKey key) {
  const std::int64_t count = space.side * space.rank;
  for (std::int64_t first = 0; first < count; first += 4) {
    const auto block = static_cast<std::uint64_t>(first) / 4;
    const auto drawn = normals(
        philox4x32_10({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                       0, static_cast<std::uint32_t>(RandomPurpose::sketch)},
                      key));
    std::copy_n(drawn.begin(), std::min<std::int64_t>(4, count - first), space.basis + first);
  }
}

void orthonormalize(const SketchSpace& space) {
  const auto side = checked_cast<lapack_int>(space.side);
  const auto rank = checked_cast<lapack_int>(space.rank);
  double* const tau = space.scratch;
  double* const work = tau + space.rank;
  const auto work_elements = checked_cast<lapack_int>(work_size(space.rank));
  const BlasCall blas;
  require(LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, side, rank, space.basis, side, tau, work,
                              work_elements),
          "dgeqrf");
  require(LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, side, rank, rank, space.basis, side, tau, work,
                              work_elements),
          "dorgqr");
}

// With P = basis, P^T G P = U D U^T: the columns of A P U D^(-1/2) are the basis Q, and
// A^T Q = G P U D^(-1/2). Scaling before squaring keeps small eigenvalues accurate.
std::vector<double> projected_eigenvalues(const SketchSpace& space) {
  const auto side = checked_cast<blasint>(space.side);
  const auto rank = checked_cast<blasint>(space.rank);
  const auto count = checked_cast<std::size_t>(space.rank);
  {
    const BlasCall blas;
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, rank, rank, side, 1.0, space.basis, side,
                space.image, side, 0.0, space.scratch, rank);
  }
  const double* values = solve_small(space, 'V');
  if (values[space.rank - 1] <= 0.0) return std::vector<double>(count, 0.0);
  whiten(space, values);
  {
    const BlasCall blas;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, side, rank, rank, 1.0, space.image, side,
                space.scratch, rank, 0.0, space.basis, side);
  }
  {
    const BlasCall blas;
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, rank, side, 1.0, space.basis, side, 0.0,
                space.scratch, rank);
  }
  values = solve_small(space, 'N');
  return descending(std::span(values, count));
}

}  // namespace moesweep::kernels
