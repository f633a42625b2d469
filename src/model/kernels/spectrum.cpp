#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <cblas.h>
#include <lapacke.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

#include "blas_call.hpp"
#include "eigenvalues.hpp"
#include "sketch.hpp"

namespace moesweep::kernels {
namespace {

// Rows (or columns) widened at a time: deep enough for BLAS to reach its speed. Part of the
// definition of the result: changing it changes bits.
constexpr std::int64_t slab_depth = 512;

std::int64_t bytes_of(std::int64_t doubles) {
  return doubles * static_cast<std::int64_t>(sizeof(double));
}

std::int64_t panel_size(std::int64_t side, std::int64_t block_elements) {
  return std::min(block_elements, slab_depth * side);
}

std::int64_t work_size(std::int64_t side) {
  return (lapack_block + 2) * side + 1;
}

void expect_block(std::span<const float> block, std::int64_t side, std::int64_t other) {
  expect(std::cmp_equal(block.size(), side * other), "gram: block size is not side x other side");
}

}  // namespace

GramAccumulator::Buffer GramAccumulator::allocate(std::int64_t elements) {
  Buffer buffer = allocate_aligned<double>(elements);
  held_bytes_ += bytes_of(elements);
  peak_bytes_ = std::max(peak_bytes_, held_bytes_);
  return buffer;
}

void GramAccumulator::release(Buffer& buffer, std::int64_t elements) {
  if (buffer) held_bytes_ -= bytes_of(elements);
  buffer.reset();
}

void GramAccumulator::reserve_panel(std::int64_t elements) {
  if (elements <= panel_elements_) return;
  release(panel_, panel_elements_);
  panel_ = allocate(elements);
  panel_elements_ = elements;
}

GramAccumulator::GramAccumulator(std::int64_t side) : side_(side) {
  expect(side >= 1, "gram: side below 1");
  gram_ = allocate(side * side);
  std::fill_n(gram_.get(), side * side, 0.0);
}

void GramAccumulator::add_rows(std::span<const float> block, std::int64_t rows) {
  expect(gram_ != nullptr, "gram: added to after its eigenvalues were taken");
  expect_block(block, side_, rows);
  reserve_panel(panel_size(side_, rows * side_));
  const auto side = checked_cast<blasint>(side_);
  for (std::int64_t row = 0; row < rows; row += slab_depth) {
    const std::int64_t depth = std::min(slab_depth, rows - row);
    std::copy_n(block.data() + row * side_, depth * side_, panel_.get());
    // Row-major depth x side is column-major side x depth.
    const BlasCall blas;
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, side, checked_cast<blasint>(depth), 1.0,
                panel_.get(), side, 1.0, gram_.get(), side);
  }
}

void GramAccumulator::add_columns(std::span<const float> panel, std::int64_t columns) {
  expect(gram_ != nullptr, "gram: added to after its eigenvalues were taken");
  expect_block(panel, side_, columns);
  reserve_panel(panel_size(side_, columns * side_));
  const auto side = checked_cast<blasint>(side_);
  for (std::int64_t column = 0; column < columns; column += slab_depth) {
    const std::int64_t depth = std::min(slab_depth, columns - column);
    for (std::int64_t i = 0; i < side_; ++i) {
      std::copy_n(panel.data() + i * columns + column, depth, panel_.get() + i * depth);
    }
    // Row-major side x depth is column-major depth x side.
    const BlasCall blas;
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, side, checked_cast<blasint>(depth), 1.0,
                panel_.get(), checked_cast<blasint>(depth), 1.0, gram_.get(), side);
  }
}

std::vector<double> GramAccumulator::take_eigenvalues() {
  expect(gram_ != nullptr, "gram: eigenvalues taken twice");
  release(panel_, panel_elements_);
  panel_elements_ = 0;
  const std::int64_t work_elements = work_size(side_);
  Buffer work = allocate(work_elements);
  Buffer ascending = allocate(side_);
  lapack_int integer_work = 0;  // one is enough without eigenvectors
  const auto side = checked_cast<lapack_int>(side_);
  const auto info = [&] {
    const BlasCall blas;
    return LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'N', 'L', side, gram_.get(), side, ascending.get(),
                               work.get(), checked_cast<lapack_int>(work_elements), &integer_work,
                               1);
  }();
  release(gram_, side_ * side_);
  release(work, work_elements);
  require_success("eigenvalues of a Gram matrix", "dsyevd", info);
  auto eigenvalues = descending(std::span(ascending.get(), checked_cast<std::size_t>(side_)));
  release(ascending, side_);
  return eigenvalues;
}

void GramAccumulator::multiply(const double* columns, std::int64_t count, double* product) const {
  const auto side = checked_cast<blasint>(side_);
  const BlasCall blas;
  cblas_dsymm(CblasColMajor, CblasLeft, CblasLower, side, checked_cast<blasint>(count), 1.0,
              gram_.get(), side, columns, side, 0.0, product, side);
}

std::vector<double> GramAccumulator::take_sketched_eigenvalues(std::int64_t rank, PhiloxKey key) {
  expect(gram_ != nullptr, "gram: eigenvalues taken twice");
  expect(1 <= rank && rank <= side_, "gram: a sketch of more columns than there are");
  release(panel_, panel_elements_);
  panel_elements_ = 0;
  Buffer basis = allocate(side_ * rank);
  Buffer image = allocate(side_ * rank);
  Buffer scratch = allocate(sketch_scratch(rank));
  const SketchSpace space{side_, rank, basis.get(), image.get(), scratch.get()};
  fill_with_normals(space, key);
  constexpr int power_iterations = 2;
  for (int i = 0; i < power_iterations; ++i) {
    multiply(basis.get(), rank, image.get());
    std::swap(basis, image);
    orthonormalize({side_, rank, basis.get(), image.get(), scratch.get()});
  }
  multiply(basis.get(), rank, image.get());
  auto descending = projected_eigenvalues({side_, rank, basis.get(), image.get(), scratch.get()});
  release(gram_, side_ * side_);
  release(basis, side_ * rank);
  release(image, side_ * rank);
  release(scratch, sketch_scratch(rank));
  return descending;
}

std::int64_t sketch_peak_bytes(std::int64_t side, std::int64_t block_elements, std::int64_t rank) {
  const std::int64_t panel = panel_size(side, block_elements);
  return bytes_of(side * side + std::max(panel, 2 * side * rank + sketch_scratch(rank)));
}

SpectrumSummary summarize_sketch(std::span<const double> eigenvalues) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  const std::size_t k = eigenvalues.size();
  if (k == 0 || eigenvalues.front() == 0.0) return {};
  const std::size_t tenth = std::max<std::size_t>(1, k / 10);
  return {.spectral_concentration = sum_of_first(eigenvalues, tenth) / sum_of_first(eigenvalues, k),
          .concentration_full = unknown,
          .stable_rank = unknown,
          .effective_rank = unknown};
}

std::int64_t gram_peak_bytes(std::int64_t side, std::int64_t block_elements) {
  const std::int64_t panel = panel_size(side, block_elements);
  const std::int64_t lapack = work_size(side) + side;
  return bytes_of(side * side + std::max(panel, lapack));
}

SpectrumSummary summarize_spectrum(std::span<const double> eigenvalues) {
  SpectrumSummary summary;
  const std::size_t k = eigenvalues.size();
  if (k == 0 || eigenvalues.front() == 0.0) return summary;
  const std::size_t tenth = std::max<std::size_t>(1, k / 10);
  const double sum = sum_of_first(eigenvalues, k);
  summary.concentration_full = sum_of_first(eigenvalues, tenth) / sum;
  // The published code takes a rank-256 approximation of larger matrices.
  summary.spectral_concentration =
      k <= 512 ? summary.concentration_full
               : sum_of_first(eigenvalues, 25) / sum_of_first(eigenvalues, 256);
  summary.stable_rank = sum / eigenvalues.front();
  double entropy = 0.0;
  for (const double eigenvalue : eigenvalues) {
    const double share = eigenvalue / sum;
    if (share > 0.0) entropy -= share * std::log(share);
  }
  summary.effective_rank = std::exp(entropy);
  return summary;
}

}  // namespace moesweep::kernels
