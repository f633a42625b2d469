#pragma once
// Slices to one tensor.

#include <optional>
#include <span>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

namespace moesweep::sensitivity {

/// sqrt(sse/sum_squares), 0 for a zero matrix.
double relative_error(double sse, double sum_squares);

/// The tensor's metrics, scores and bits from all its slices in slice order. `reference_sse` is the
/// pooled error of the reference quantizer where the distortion table has it, without padding;
/// otherwise it is recovered from the slices' NRMSE.
records::TensorRow pool_slices(const records::CheckpointTensorRow& tensor,
                               std::span<const records::SliceRow> slices,
                               std::optional<double> reference_sse, const Options& options);

/// The row of a tensor that is not analysed.
records::TensorRow unanalysed(const records::CheckpointTensorRow& tensor, const Options& options);

/// Was the slice passed over for a NaN or infinity?
bool is_skipped(const records::SliceRow& slice);

}  // namespace moesweep::sensitivity
