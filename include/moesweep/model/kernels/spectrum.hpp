#pragma once
// Singular values from the Gram matrix of the smaller side, and the four numbers kept of them.

#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/core/base/philox.hpp>
#include <moesweep/model/kernels/aligned_buffer.hpp>

namespace moesweep::kernels {

/// G = sum over blocks of B^T B (blocks of rows of a tall matrix) or B B^T (column panels of a wide
/// one), in float64, lower triangle, single-threaded BLAS. Squares of any binary32 value fit. Block
/// order is the caller's and fixed, buffers are 64-byte aligned and owned here, so the result
/// depends neither on threads nor on where the blocks lie.
class GramAccumulator {
 public:
  /// side = min(m, n) >= 1
  explicit GramAccumulator(std::int64_t side);
  /// rows x side, row-major: G += B^T B.
  void add_rows(std::span<const float> block, std::int64_t rows);
  /// side x columns, row-major: G += B B^T.
  void add_columns(std::span<const float> panel, std::int64_t columns);
  /// Eigenvalues of G, descending, negative rounding noise clamped to 0. Destroys G: nothing may be
  /// added afterwards. Throws Error(bad_input) naming LAPACK's info when the iteration fails.
  std::vector<double> take_eigenvalues();
  /// The `rank` <= side largest eigenvalues as a randomized sketch sees them, descending (Halko,
  /// Martinsson and Tropp, SIAM Review 53, 2011, algorithm 4.4 with two power iterations): the
  /// squared singular values of Q^T A, Q an orthonormal basis of A (A^T A)^2 R, R normal from
  /// `key`. What torch.svd_lowrank(A, rank) estimates, computed in float64 from A^T A. They never
  /// exceed the true ones. Destroys G and throws like take_eigenvalues.
  std::vector<double> take_sketched_eigenvalues(std::int64_t rank, PhiloxKey key);
  /// The most bytes that this object has held at one time, LAPACK scratch and the eigenvalues
  /// included. BLAS keeps packing buffers of its own (OpenBLAS: 32 MiB a thread).
  std::int64_t peak_bytes() const { return peak_bytes_; }

 private:
  using Buffer = AlignedBuffer<double>;

  Buffer allocate(std::int64_t elements);
  void release(Buffer& buffer, std::int64_t elements);
  void reserve_panel(std::int64_t elements);
  void multiply(const double* columns, std::int64_t count, double* product) const;

  std::int64_t side_;
  std::int64_t held_bytes_ = 0;
  std::int64_t peak_bytes_ = 0;
  std::int64_t panel_elements_ = 0;
  Buffer gram_;   // side x side, column-major
  Buffer panel_;  // a slab of the block, widened to float64
};

/// Bytes a GramAccumulator of this side holds at its peak when its blocks have up to
/// `block_elements` values: what peak_bytes() will say.
std::int64_t gram_peak_bytes(std::int64_t side, std::int64_t block_elements);
/// The same when take_sketched_eigenvalues(rank) is called in place of take_eigenvalues.
std::int64_t sketch_peak_bytes(std::int64_t side, std::int64_t block_elements, std::int64_t rank);

/// Numbers of one spectrum (k singular values). All are 0 for a zero matrix and for an empty
/// spectrum.
struct SpectrumSummary {
  double spectral_concentration = 0.0;  ///< sum of the first t sigma^2 / sum of the first r;
                                        ///< k<=512: r=k, t=max(1,k/10); else r=256, t=25
  double concentration_full = 0.0;      ///< r=k, t=max(1,k/10)
  double stable_rank = 0.0;             ///< |W|_F^2 / sigma_1^2
  double effective_rank =
      0.0;  ///< exp(entropy of sigma^2/sum), Roy & Vetterli 2007 on squared values
};

/// `eigenvalues` = sigma^2, descending, non-negative.
SpectrumSummary summarize_spectrum(std::span<const double> eigenvalues);

/// From the eigenvalues of a sketch: `spectral_concentration` is the share of the first tenth of
/// them; the other numbers need the whole spectrum and are NaN. 0 for a zero matrix.
SpectrumSummary summarize_sketch(std::span<const double> eigenvalues);

}  // namespace moesweep::kernels
