#pragma once
// Rows of a sensitivity sweep. Formulas: docs/metrics.md.

#include <limits>
#include <tuple>

#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

inline constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

/// Every tensor of the checkpoint, from the headers.
struct CheckpointTensorRow {
  std::string name;
  std::string shape;  ///< "512x2048x4096"
  std::string dtype;
  std::string role;
  std::int64_t params = 0;
  std::int64_t bytes = 0;
  std::int64_t slices = 0;  ///< matrices measured: E of an expert stack, 1, or 0 when not analysed
  std::int64_t rows = 0;    ///< of one slice as a matrix
  std::int64_t columns = 0;
  std::string skipped_because;  ///< empty when analysed
};

/// One matrix: a slice of an expert stack, or a whole tensor (slice 0).
struct SliceRow {
  std::string tensor;
  std::int64_t slice = 0;
  std::int64_t params = 0;
  double mean = not_measured;
  double variance = not_measured;
  double minimum = not_measured;
  double maximum = not_measured;
  double m2 = not_measured;
  double m3 = not_measured;
  double m4 = not_measured;
  double sum_squares = not_measured;
  double excess_kurtosis = not_measured;
  double spectral_concentration = not_measured;
  double concentration_full = not_measured;
  double stable_rank = not_measured;
  double effective_rank = not_measured;
  double noise_amplification = not_measured;
  double nrmse_rtn_4bit_g128 = not_measured;
  std::string reason;  ///< why a value is 0 by definition or missing
};

/// One tensor: pooled over its slices.
struct TensorRow {
  std::string name;
  std::string shape;
  std::string dtype;
  std::string role;
  std::int64_t params = 0;
  std::int64_t slices = 0;
  double mean = not_measured;
  double variance = not_measured;
  double minimum = not_measured;
  double maximum = not_measured;
  double excess_kurtosis = not_measured;
  double spectral_concentration = not_measured;
  double spectral_concentration_max = not_measured;
  double concentration_full = not_measured;
  double concentration_full_max = not_measured;
  double stable_rank = not_measured;
  double stable_rank_max = not_measured;
  double effective_rank = not_measured;
  double effective_rank_max = not_measured;
  double noise_amplification = not_measured;
  double nrmse_rtn_4bit_g128 = not_measured;
  double score_svd = not_measured;
  double score_kurtosis = not_measured;
  double score_noise = not_measured;
  double score_error = not_measured;
  double composite = not_measured;
  std::int32_t bits = 16;
  std::string reason;  ///< the rule that decided the bits, and anything unusual about the values
};

/// One quantizer on one matrix, or pooled over a tensor (slice -1).
struct DistortionRow {
  std::string tensor;
  std::int64_t slice = 0;
  std::string quantizer;
  std::int32_t bits = 0;
  std::int32_t group_size = 0;
  double bits_per_weight = not_measured;
  double sse = not_measured;
  double sum_squares = not_measured;
  double nrmse = not_measured;
};

template <>
struct TableOf<CheckpointTensorRow> {
  using Row = CheckpointTensorRow;
  static constexpr auto name = "checkpoint/tensors";
  static constexpr auto description =
      "Every tensor that the job selects, from the checkpoint's headers";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"name", &Row::name, "", "Tensor name"},
      Column{"shape", &Row::shape, "", "Sizes, outermost first, joined by x"},
      Column{"dtype", &Row::dtype, "", "Element type as in the header"},
      Column{"role", &Row::role, "", "What the tensor is for"},
      Column{"params", &Row::params, "1", "Number of elements"},
      Column{"bytes", &Row::bytes, "B", "Bytes in the file"},
      Column{"slices", &Row::slices, "1", "Matrices measured; 0 when the tensor is not analysed"},
      Column{"rows", &Row::rows, "1", "Rows of one such matrix"},
      Column{"columns", &Row::columns, "1", "Columns of one such matrix"},
      Column{"skipped_because", &Row::skipped_because, "", "Why it is not analysed"},
  };
};

template <>
struct TableOf<SliceRow> {
  using Row = SliceRow;
  static constexpr auto name = "sensitivity/slices";
  static constexpr auto description =
      "Metrics of every matrix: one row an expert slice or a whole tensor";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"tensor", &Row::tensor, "", "Tensor name"},
      Column{"slice", &Row::slice, "", "Index along the expert axis, 0 for a whole tensor"},
      Column{"params", &Row::params, "1", "Weights in the slice"},
      Column{"mean", &Row::mean, "1", "Mean weight"},
      Column{"variance", &Row::variance, "1", "Population variance"},
      Column{"minimum", &Row::minimum, "1", "Smallest weight"},
      Column{"maximum", &Row::maximum, "1", "Largest weight"},
      Column{"m2", &Row::m2, "1", "Sum of squared deviations from the mean"},
      Column{"m3", &Row::m3, "1", "Sum of cubed deviations"},
      Column{"m4", &Row::m4, "1", "Sum of fourth powers of deviations"},
      Column{"sum_squares", &Row::sum_squares, "1", "Squared Frobenius norm"},
      Column{"excess_kurtosis", &Row::excess_kurtosis, "1", "n m4/m2^2 - 3"},
      Column{"spectral_concentration", &Row::spectral_concentration, "1",
             "Share of the first t squared singular values among the first r (k<=512: r=k, t=k/10; "
             "else 256, 25)"},
      Column{"concentration_full", &Row::concentration_full, "1",
             "Share of the first k/10 squared singular values among all k"},
      Column{"stable_rank", &Row::stable_rank, "1",
             "Squared Frobenius norm / largest squared singular value"},
      Column{"effective_rank", &Row::effective_rank, "1",
             "exp(entropy of the normalized squared singular values)"},
      Column{"noise_amplification", &Row::noise_amplification, "1",
             "(maximum - minimum)/(16 sqrt(12) rms)"},
      Column{"nrmse_rtn_4bit_g128", &Row::nrmse_rtn_4bit_g128, "1",
             "Relative error of 4-bit round to nearest, groups of 128"},
      Column{"reason", &Row::reason, "", "Why a value is 0 by definition or missing"},
  };
};

template <>
struct TableOf<TensorRow> {
  using Row = TensorRow;
  static constexpr auto name = "sensitivity/tensors";
  static constexpr auto description = "Metrics, scores and the bit decision of every tensor";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"name", &Row::name, "", "Tensor name"},
      Column{"shape", &Row::shape, "", "Sizes, outermost first, joined by x"},
      Column{"dtype", &Row::dtype, "", "Element type as in the header"},
      Column{"role", &Row::role, "", "What the tensor is for"},
      Column{"params", &Row::params, "1", "Number of elements"},
      Column{"slices", &Row::slices, "1", "Matrices measured; 0 when not analysed"},
      Column{"mean", &Row::mean, "1", "Mean weight, exact over all slices"},
      Column{"variance", &Row::variance, "1", "Population variance, exact over all slices"},
      Column{"minimum", &Row::minimum, "1", "Smallest weight"},
      Column{"maximum", &Row::maximum, "1", "Largest weight"},
      Column{"excess_kurtosis", &Row::excess_kurtosis, "1", "n m4/m2^2 - 3 over all slices"},
      Column{"spectral_concentration", &Row::spectral_concentration, "1", "Mean over slices"},
      Column{"spectral_concentration_max", &Row::spectral_concentration_max, "1",
             "Maximum over slices"},
      Column{"concentration_full", &Row::concentration_full, "1", "Mean over slices"},
      Column{"concentration_full_max", &Row::concentration_full_max, "1", "Maximum over slices"},
      Column{"stable_rank", &Row::stable_rank, "1", "Mean over slices"},
      Column{"stable_rank_max", &Row::stable_rank_max, "1", "Maximum over slices"},
      Column{"effective_rank", &Row::effective_rank, "1", "Mean over slices"},
      Column{"effective_rank_max", &Row::effective_rank_max, "1", "Maximum over slices"},
      Column{"noise_amplification", &Row::noise_amplification, "1",
             "From the pooled range and rms"},
      Column{"nrmse_rtn_4bit_g128", &Row::nrmse_rtn_4bit_g128, "1", "Pooled relative error"},
      Column{"score_svd", &Row::score_svd, "1", "clip((spectral_concentration-0.1)/0.8)"},
      Column{"score_kurtosis", &Row::score_kurtosis, "1", "clip(excess_kurtosis/10)"},
      Column{"score_noise", &Row::score_noise, "1",
             "clip((log10(max(noise_amplification,0.01))+2)/3)"},
      Column{"score_error", &Row::score_error, "1", "clip((nrmse_rtn_4bit_g128-0.005)/0.045)"},
      Column{"composite", &Row::composite, "1", "Weighted sum of the four scores"},
      Column{"bits", &Row::bits, "bit", "The SWAN rule's decision: 2, 4, 8 or 16"},
      Column{"reason", &Row::reason, "", "The rule that decided, and anything unusual"},
  };
};

template <>
struct TableOf<DistortionRow> {
  using Row = DistortionRow;
  static constexpr auto name = "sensitivity/distortion";
  static constexpr auto description =
      "Squared error of every quantizer on every matrix, and pooled (slice -1)";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"tensor", &Row::tensor, "", "Tensor name"},
      Column{"slice", &Row::slice, "", "Index along the expert axis; -1 pooled over the tensor"},
      Column{"quantizer", &Row::quantizer, "", "Family (rtn, affine) or block format"},
      Column{"bits", &Row::bits, "bit", "Bits of one code"},
      Column{"group_size", &Row::group_size, "1",
             "Weights that share a scale: the group size or block length"},
      Column{"bits_per_weight", &Row::bits_per_weight, "bit",
             "Storage including scales and biases"},
      Column{"sse", &Row::sse, "1", "Sum of squared errors"},
      Column{"sum_squares", &Row::sum_squares, "1", "Squared Frobenius norm"},
      Column{"nrmse", &Row::nrmse, "1", "sqrt(sse/sum_squares)"},
  };
};

}  // namespace moesweep::records
