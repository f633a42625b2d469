#pragma once
// How sensitive each weight matrix is to quantization, without data: four metrics, a composite
// score and a bit decision (SWAN), plus exact squared errors of every quantizer. Formulas and
// sources: docs/metrics.md.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::sensitivity {

enum class NonfinitePolicy : std::uint8_t { fail, skip };

/// Which matrices stand for a rank-3 tensor.
enum class ExpertChoice : std::uint8_t {
  all,   ///< every expert, pooled
  swan,  ///< for comparison, of any rank-3 tensor [E, m, n]: slices trunc(linspace(0, E-1, 4)) as
         ///< one matrix [4m, n] (all when E <= 4), and zeros that pad short groups count as weights
         ///< in `nrmse_rtn_4bit_g128`, of tensors of any rank
};

/// How spectra and noise amplification are computed. Estimates are named in `reason`.
enum class Estimator : std::uint8_t {
  exact,  ///< all eigenvalues, closed form
  swan,   ///< for comparison: a sketch of rank 256 where min(m, n) > 512, and 32 random probes
};

struct Weights {  // of the composite
  double svd = 0.20, kurtosis = 0.45, noise = 0.15, error = 0.20;
};
struct Thresholds {  // on the composite
  double bits2 = 0.10, bits8 = 0.65, bits16 = 0.90;
};

struct Options {
  std::vector<std::string> include = {"*"};  ///< globs on tensor names
  std::vector<std::string> exclude;
  std::vector<std::string> expert_patterns = {"experts"};
  NonfinitePolicy nonfinite = NonfinitePolicy::fail;
  ExpertChoice experts = ExpertChoice::all;
  Estimator estimator = Estimator::exact;
  bool moments = true, noise = true, error = true, spectrum = true;  ///< metrics computed
  std::vector<kernels::Quantizer> quantizers;                        ///< rate-distortion table
  /// More of its rows, after those of `quantizers`, for matrices whose rows are whole blocks.
  /// Others are named in the reasons of slice and tensor.
  std::vector<kernels::BlockQuantizer> block_quantizers;
  Weights weights;
  Thresholds thresholds;
  std::vector<std::string> protected_patterns;  ///< substrings, case-insensitive: 16 bits
  std::vector<std::string> sensitive_patterns;  ///< substrings, case-insensitive: 8 bits
  std::int64_t unit_bytes = std::int64_t{256}
                            << 20;  ///< slices are cut into blocks of at most this many bytes
};

/// How a tensor is seen: `slices` matrices of `rows` x `columns`; slices is 0 when it is not
/// analysed.
struct MatrixView {
  std::int64_t slices = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::string skipped_because;  ///< "1-D", "integer dtype", "dtype F4, which is not decoded"
  /// Slices of the tensor that the matrix is a sample of, stacked (ExpertChoice::swan); 0 when
  /// nothing is left out.
  std::int64_t sampled_of = 0;
  bool is_transposed = false;  ///< columns are contiguous in the file, rows are not
};
MatrixView view_of(const checkpoint::Tensor& tensor, const Options& options);

/// Names that pass include and exclude.
bool is_selected(const std::string& name, const Options& options);

/// The smallest piece of work: slices [slice_first, slice_last] of one tensor.
struct WorkItem {
  std::size_t tensor = 0;  ///< index into Checkpoint::tensors
  std::int64_t slice_first = 0;
  std::int64_t slice_last = 0;
  std::int64_t bytes_read = 0;
  std::int64_t weights = 0;      ///< through decoding and moments
  std::int64_t round_trips = 0;  ///< weights x quantizers, block formats by relative cost
  std::int64_t gram_flops = 0;   ///< k^2 max(m,n) + 4/3 k^3 a slice, k the smaller side; sketches
                                 ///< and probes where those are asked for
  std::int64_t peak_bytes = 0;   ///< buffers, Gram and LAPACK scratch
  /// All arithmetic, counting 12 operations a weight for moments and 8 a round trip.
  std::int64_t flops() const { return 12 * weights + 8 * round_trips + gram_flops; }
};
/// Canonical key "sensitivity/<tensor>/<first>-<last>", indices zero-padded so that keys sort in
/// slice order.
std::string key_of(const WorkItem& item, const checkpoint::Checkpoint& checkpoint,
                   const Options& options);

/// Cuts the selected tensors into work. Depends on shapes and options only. Throws Error(bad_input)
/// when nothing is selected or a pattern of include matches no tensor (naming it).
std::vector<WorkItem> cut(const checkpoint::Checkpoint& checkpoint, const Options& options);

/// Rows of `checkpoint/tensors`, one a selected tensor.
records::Tables describe(const checkpoint::Checkpoint& checkpoint, const Options& options);

/// Measures one item: rows of `sensitivity/slices` and `sensitivity/distortion`. A pure function of
/// bytes and options. Throws Error(bad_input) naming tensor, slice and first index of a NaN or
/// infinity under NonfinitePolicy::fail; under skip the slice's metrics are NaN with a reason.
records::Tables measure(const checkpoint::Checkpoint& checkpoint,
                        const checkpoint::TensorReader& reader, const WorkItem& item,
                        const Options& options);

/// Pools slices to tensors in slice order, scores them and decides the bits. Input: all rows of
/// describe() and measure(), slices in key order. Output: `checkpoint/tensors`,
/// `sensitivity/slices`, `sensitivity/tensors` (sorted by name) and `sensitivity/distortion` with
/// the pooled rows. A tensor with missing slices (failed units) is left out of
/// `sensitivity/tensors`.
records::Tables reduce(records::Tables measured, const Options& options);

/// Scores of DESIGN section 8, each in [0,1].
double score_svd(double spectral_concentration);
double score_kurtosis(double excess_kurtosis);
double score_noise(double noise_amplification);
double score_error(double nrmse_rtn_4bit_g128);

struct Decision {
  std::int32_t bits = 16;
  std::string reason;
};
/// SWAN's rule with one departure: a matrix of fewer than 1,024 weights keeps 16 bits.
Decision decide_bits(const std::string& name, const MatrixView& view, double composite,
                     const Options& options);

}  // namespace moesweep::sensitivity
