#pragma once
// What the comparison modes (`experts = "swan"`, `estimator = "swan"`) sample instead of measuring.

#include <string>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/philox.hpp>

namespace moesweep::sensitivity {

/// Slices of a larger stack that stand for all of them.
inline constexpr std::int64_t sampled_slices = 4;
/// Rank of the sketch that takes the place of the spectrum of matrices with a larger side.
inline constexpr std::int64_t sketch_rank = 256;
inline constexpr std::int64_t probe_count = 32;

/// Index of the tensor's element that the matrix has at row, column: the matrix may be a stack of
/// sampled slices.
std::int64_t tensor_element(const MatrixView& view, std::int64_t slice, std::int64_t row,
                            std::int64_t column);

/// Elements from tensor_element() on that follow each other in the file.
std::int64_t contiguous_elements(const MatrixView& view, std::int64_t row, std::int64_t column);

/// Weights that a decision is about: the matrix, or all of the tensor it is a sample of.
std::int64_t decided_weights(const MatrixView& view);

/// Is the spectrum estimated by a sketch?
bool is_sketched(const MatrixView& view, const Options& options);

/// Are zeros that fill up the last group of a row counted as weights?
bool counts_padding(const MatrixView& view, const Options& options);

/// The random streams of one matrix.
PhiloxKey random_key(const std::string& tensor, std::int64_t slice);

/// Names every estimate among the numbers, "; " between them: "4 of 512 slices stacked; ...". Empty
/// when all are exact.
std::string estimates(const MatrixView& view, const Options& options);

}  // namespace moesweep::sensitivity
