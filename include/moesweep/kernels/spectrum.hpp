#pragma once
// Singular values from the Gram matrix of the smaller side, and the four numbers kept of them.

#include <cstdint>
#include <span>
#include <vector>

namespace moesweep::kernels {

/// G = sum over blocks of B^T B (blocks of rows of a tall matrix) or B B^T (column panels of a wide
/// one), in float64, lower triangle, single-threaded BLAS. Block order is the caller's and fixed,
/// so the result does not depend on threads.
class GramAccumulator {
 public:
  /// side = min(m, n) >= 1
  explicit GramAccumulator(std::int64_t side);
  /// rows x side, row-major: G += B^T B.
  void add_rows(std::span<const float> block, std::int64_t rows);
  /// side x columns, row-major: G += B B^T.
  void add_columns(std::span<const float> panel, std::int64_t columns);
  /// Eigenvalues of G, descending, negative rounding noise clamped to 0. Destroys G.
  /// Throws Error(bad_input) naming LAPACK's info when the iteration fails.
  std::vector<double> take_eigenvalues();

 private:
  std::int64_t side_;
  std::vector<double> gram_;
  std::vector<double> panel_;  // the block widened to float64
};

/// Bytes a GramAccumulator of this side holds at its peak, LAPACK scratch and the widened panel of
/// `block_elements` included.
std::int64_t gram_peak_bytes(std::int64_t side, std::int64_t block_elements);

/// Numbers of one spectrum (k singular values). All are 0 for a zero matrix.
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

}  // namespace moesweep::kernels
