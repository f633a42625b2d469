#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/nearest_pattern.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

#include "estimate.hpp"
#include "padded_error.hpp"
#include "probes.hpp"
#include "quantizers.hpp"
#include "slice_spectrum.hpp"
#include "stream.hpp"
#include "tiling.hpp"

namespace moesweep::sensitivity {
namespace {

std::int64_t saturated(double value) {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  return value >= static_cast<double>(largest) ? largest : static_cast<std::int64_t>(value);
}

/// A symmetric rank update is k^2 n multiply-adds of half a matrix; the eigenvalues of a symmetric
/// matrix without vectors are 4/3 k^3.
double gram_flops_of_slice(const MatrixView& view, const Options& options) {
  if (!options.spectrum) return 0.0;
  const auto side = static_cast<double>(std::min(view.rows, view.columns));
  const auto depth = static_cast<double>(std::max(view.rows, view.columns));
  const auto update = side * side * depth;
  // Three products with the sketch's columns.
  if (is_sketched(view, options)) return update + 6.0 * side * side * double{sketch_rank};
  return update + 4.0 / 3.0 * side * side * side;
}

/// Two products of the matrix's size with the probes.
double probe_flops_of_slice(const MatrixView& view, const Options& options) {
  if (!options.noise || options.estimator == Estimator::exact) return 0.0;
  return 4.0 * static_cast<double>(view.rows * view.columns) * double{probe_count};
}

/// The stream's buffers, and beside them the Gram matrix or, once that is gone, the buffers of the
/// pass that locates a non-finite weight.
std::int64_t peak_bytes_of(const MatrixView& view, Dtype dtype, const Options& options) {
  const auto tiling = tiling_of(view, dtype, options);
  auto streamed = stream_bytes(view, tiling, dtype);
  if (options.noise && options.estimator == Estimator::swan) {
    streamed += ProbeProducts::bytes(view, tiling.block_rows);
  }
  if (counts_padding(view, options)) streamed += PaddedReference::bytes(tiling.block_columns);
  if (!options.spectrum) return streamed;
  const auto gram = spectrum_peak_bytes(view, tiling, options);
  if (!tiling.column_panels) return streamed + gram;
  return streamed +
         std::max(gram, stream_bytes(view, file_order_tiling(view, dtype, options), dtype));
}

/// Of one weight, in round trips of the fast quantizers.
std::int64_t round_trips_of(const MatrixView& view, const Options& options) {
  auto trips = checked_cast<std::int64_t>(measured_quantizers(options).size());
  for (const auto& quantizer : fitting_block_quantizers(view.columns, options)) {
    trips += quantizer.format->entry->relative_cost;
  }
  return trips;
}

void require_matches(const checkpoint::Checkpoint& checkpoint, const Options& options) {
  const auto& tensors = checkpoint.tensors;
  const auto require_match = [&](const char* which, const std::string& glob) {
    const bool matches = std::any_of(tensors.begin(), tensors.end(), [&](const auto& tensor) {
      return matches_glob(glob, tensor.name);
    });
    if (matches) return;
    std::vector<std::string> names;
    for (const auto& tensor : tensors) names.push_back(tensor.name);
    throw Error(ExitCode::bad_input, checkpoint.directory.string(),
                fmt::format("no tensor matches the {} pattern \"{}\"", which, printable(glob)),
                remedy_for_pattern(glob, names));
  };
  for (const auto& glob : options.include) require_match("include", glob);
  for (const auto& glob : options.exclude) require_match("exclude", glob);
  const bool selects = std::any_of(tensors.begin(), tensors.end(), [&](const auto& tensor) {
    return is_selected(tensor.name, options);
  });
  if (!selects) {
    throw Error(ExitCode::bad_input, checkpoint.directory.string(),
                "include and exclude leave no tensor", "widen include or narrow exclude");
  }
}

}  // namespace

std::string key_of(const WorkItem& item, const checkpoint::Checkpoint& checkpoint,
                   const Options& options) {
  const auto& tensor = checkpoint.tensors.at(item.tensor);
  const auto width = fmt::formatted_size("{}", view_of(tensor, options).slices - 1);
  return fmt::format("sensitivity/{}/{:0{}}-{:0{}}", tensor.name, item.slice_first, width,
                     item.slice_last, width);
}

std::vector<WorkItem> cut(const checkpoint::Checkpoint& checkpoint, const Options& options) {
  require_matches(checkpoint, options);
  std::vector<WorkItem> items;
  for (std::size_t i = 0; i < checkpoint.tensors.size(); ++i) {
    const auto& tensor = checkpoint.tensors[i];
    if (!is_selected(tensor.name, options)) continue;
    const auto view = view_of(tensor, options);
    if (view.slices == 0) continue;
    const auto slice_bytes = view.rows * view.columns * dtype_bytes(tensor.dtype);
    const auto round_trips = round_trips_of(view, options);
    const auto slice_flops =
        gram_flops_of_slice(view, options) + probe_flops_of_slice(view, options);
    const auto peak_bytes = peak_bytes_of(view, tensor.dtype, options);
    const auto slices_a_unit = std::max<std::int64_t>(options.unit_bytes / slice_bytes, 1);
    for (std::int64_t first = 0; first < view.slices; first += slices_a_unit) {
      const auto count = std::min(slices_a_unit, view.slices - first);
      const auto weights = count * view.rows * view.columns;
      items.push_back({.tensor = i,
                       .slice_first = first,
                       .slice_last = first + count - 1,
                       .bytes_read = count * slice_bytes,
                       .weights = weights,
                       .round_trips = weights * round_trips,
                       .gram_flops = saturated(static_cast<double>(count) * slice_flops),
                       .peak_bytes = peak_bytes});
    }
  }
  return items;
}

}  // namespace moesweep::sensitivity
