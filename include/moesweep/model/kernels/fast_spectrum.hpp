#pragma once
// The four spectral numbers from a Gram matrix in binary32, where that is accurate enough.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <moesweep/model/kernels/aligned_buffer.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

namespace moesweep::kernels {

/// Smaller Gram matrices gain nothing by it.
inline constexpr std::int64_t least_fast_side = 512;

/// G = sum over blocks of B^T B or B B^T like GramAccumulator, but in binary32 (SSYRK), reduced to
/// tridiagonal form in binary32 (SSYTRD), and only the eigenvalues of that are binary64.
///
/// How far G is off is measured against the weights: G x is compared with the sum of B^T (B x) in
/// binary64 for two random x of signs; the mean square of the difference is |error|_F^2. For the
/// reduction 12 * 2^-24 |G|_F is added. Both together decide whether the summary is good enough.
class FastGram {
 public:
  /// side = min(m, n) >= 1
  explicit FastGram(std::int64_t side);
  /// rows x side, row-major: G += B^T B.
  void add_rows(std::span<const float> block, std::int64_t rows);
  /// side x columns, row-major: G += B B^T.
  void add_columns(std::span<const float> panel, std::int64_t columns);
  /// Nothing when some number of the summary may be off by more than 1e-5 of itself
  /// (effective_rank: 1e-4), or when squares overflow or vanish: GramAccumulator has to do it.
  /// Destroys G. Throws Error(bad_input) naming LAPACK's info when the iteration fails.
  std::optional<SpectrumSummary> take_summary();

 private:
  struct Tridiagonal {
    std::vector<double> diagonal, beside;
    double frobenius = 0.0;  ///< of G too
  };

  double measured_error() const;
  Tridiagonal reduce();

  std::int64_t side_;
  AlignedBuffer<float> gram_;                    ///< column-major, lower triangle
  std::array<std::vector<double>, 2> signs_;     ///< x
  std::array<std::vector<double>, 2> products_;  ///< sum of B^T (B x)
  std::array<std::vector<double>, 2> inner_;     ///< B^T x of a panel
};

/// Is each number of the summary within 1e-5 of itself (effective_rank: 1e-4), when `error` is the
/// root of the summed squares of what the eigenvalues are off, and no direction is preferred? The
/// sum of t of them is off by at most sqrt(t) error, and one of them by about 2/sqrt(k) error, of
/// which four times is assumed.
bool is_accurate_enough(std::span<const double> eigenvalues, double error);

}  // namespace moesweep::kernels
