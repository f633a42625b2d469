#include "estimate.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/hash.hpp>

#include "quantizers.hpp"

namespace moesweep::sensitivity {
namespace {

std::int64_t rows_of_a_slice(const MatrixView& view) {
  return view.sampled_of == 0 ? view.rows : view.rows / sampled_slices;
}

}  // namespace

// The slices are those of trunc(linspace(0, E - 1, 4)).
std::int64_t tensor_element(const MatrixView& view, std::int64_t slice, std::int64_t row,
                            std::int64_t column) {
  if (view.sampled_of == 0) return (slice * view.rows + row) * view.columns + column;
  const auto rows = rows_of_a_slice(view);
  const auto sampled = (row / rows) * (view.sampled_of - 1) / (sampled_slices - 1);
  return (sampled * rows + row % rows) * view.columns + column;
}

std::int64_t contiguous_elements(const MatrixView& view, std::int64_t row, std::int64_t column) {
  const auto rows = rows_of_a_slice(view);
  return (rows - row % rows) * view.columns - column;
}

std::int64_t decided_weights(const MatrixView& view) {
  const auto slices = view.sampled_of == 0 ? 1 : view.sampled_of;
  return rows_of_a_slice(view) * view.columns * slices;
}

bool is_sketched(const MatrixView& view, const Options& options) {
  return options.spectrum && options.estimator == Estimator::swan &&
         std::min(view.rows, view.columns) > 2 * sketch_rank;
}

bool counts_padding(const MatrixView& view, const Options& options) {
  return options.error && options.experts == ExpertChoice::swan &&
         view.columns % reference_quantizer.group_size != 0;
}

PhiloxKey random_key(const std::string& tensor, std::int64_t slice) {
  const auto hash = hash64(fmt::format("{}/{}", tensor, slice));
  return {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)};
}

std::string estimates(const MatrixView& view, const Options& options) {
  std::vector<std::string> texts;
  if (view.sampled_of > 0) {
    texts.push_back(fmt::format("{} of {} slices stacked", sampled_slices, view.sampled_of));
  }
  if (is_sketched(view, options)) {
    texts.push_back(fmt::format("spectrum from a sketch of rank {}", sketch_rank));
  }
  if (options.noise && options.estimator == Estimator::swan) {
    texts.push_back(
        fmt::format("noise from {} random probes", std::min(probe_count, view.columns)));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

}  // namespace moesweep::sensitivity
