#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/moments.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

#include "estimate.hpp"
#include "padded_error.hpp"
#include "pool.hpp"
#include "probes.hpp"
#include "quantizers.hpp"
#include "reasons.hpp"
#include "slice_spectrum.hpp"
#include "stream.hpp"
#include "tiling.hpp"

namespace moesweep::sensitivity {
namespace {

/// What accumulates over the blocks of one slice.
struct SliceSums {
  kernels::Moments moments;
  std::vector<double> sse;        ///< one a measured quantizer
  std::vector<double> block_sse;  ///< one a fitting block quantizer
  double reference_sse = 0.0;     ///< of the reference quantizer, with padding where it counts
  double noise_amplification = 0.0;
  kernels::SpectrumSummary spectrum;
};

struct Nonfinite {
  std::int64_t index = 0;  ///< flat, within the tensor as it is in the file
  float value = 0.0F;
};

/// What one item needs again for each slice.
struct Task {
  const checkpoint::TensorReader& reader;
  const checkpoint::Tensor& tensor;
  const Options& options;
  MatrixView view;
  std::vector<kernels::Quantizer> quantizers;
  std::vector<kernels::BlockQuantizer> block_quantizers;
  kernels::RoundTripErrors& errors;  ///< of `quantizers`
  PaddedReference& padded_reference;

  bool draws_probes() const { return options.noise && options.estimator == Estimator::swan; }
};

/// A scale of the whole matrix has to be known before its first block: a pass of its own, whose
/// bytes the next one mostly finds in the page cache.
float matrix_amax(const Task& task, SliceStream& stream, std::int64_t slice) {
  float amax = 0.0F;
  const bool needed = std::any_of(
      task.block_quantizers.begin(), task.block_quantizers.end(),
      [](const auto& quantizer) { return quantizer.format->entry->has_matrix_parameter(); });
  if (!needed) return amax;
  stream.visit(slice, [&](const Block& block) {
    amax = kernels::largest_magnitude(block.values, amax);
    return true;
  });
  return amax;
}

void add_errors(const Task& task, const Block& block, float amax, SliceSums& sums) {
  const kernels::RowBlock rows{block.values, block.columns};
  if (!task.quantizers.empty()) {
    task.errors.add(rows, sums.sse);
    if (counts_padding(task.view, task.options)) {
      sums.reference_sse += task.padded_reference.sse(block);
    }
  }
  kernels::add_block_errors(rows, task.block_quantizers, {task.tensor.dtype, amax}, sums.block_sse);
}

/// The sums that are made of the others, once all blocks are in.
void complete(const Task& task, const std::optional<ProbeProducts>& probes, SliceSums& sums) {
  if (!task.quantizers.empty() && !counts_padding(task.view, task.options)) {
    const auto listed = listed_at(reference_quantizer, task.options);
    sums.reference_sse = listed ? sums.sse[*listed] : sums.sse.back();
  }
  sums.noise_amplification =
      probes ? probes->amplification(sums.moments.maximum - sums.moments.minimum)
             : kernels::noise_amplification(sums.moments);
}

/// Nothing when the slice has a NaN or an infinity.
std::optional<SliceSums> sum_slice(const Task& task, SliceStream& stream, const Tiling& tiling,
                                   std::int64_t slice) {
  SliceSums sums;
  sums.sse.assign(task.quantizers.size(), 0.0);
  sums.block_sse.assign(task.block_quantizers.size(), 0.0);
  const float amax = matrix_amax(task, stream, slice);
  std::optional<SliceSpectrum> spectrum;
  if (task.options.spectrum) spectrum.emplace(task.view, tiling, task.options);
  const auto key = random_key(task.tensor.name, slice);
  std::optional<ProbeProducts> probes;
  if (task.draws_probes()) probes.emplace(task.view, tiling.block_rows, key);
  bool finite = true;
  stream.visit(slice, [&](const Block& block) {
    const auto moments = kernels::moments_of(block.values);
    // No sum of squares of binary32 values overflows.
    finite = std::isfinite(moments.sum_squares);
    if (!finite) return false;
    sums.moments = sums.moments.count == 0 ? moments : kernels::merge(sums.moments, moments);
    add_errors(task, block, amax, sums);
    if (probes) probes->add(block);
    if (spectrum) spectrum->add(block);
    return true;
  });
  if (!finite) return std::nullopt;
  complete(task, probes, sums);
  if (spectrum) sums.spectrum = spectrum->take_summary(stream, slice, key);
  return sums;
}

std::int64_t index_in_file(const checkpoint::Tensor& tensor, std::int64_t index) {
  if (!tensor.is_transposed) return index;
  const auto rows = tensor.shape[1];
  const auto columns = tensor.shape[2];
  const auto slice = index / (rows * columns);
  return (slice * columns + index % columns) * rows + index / columns % rows;
}

Nonfinite find_nonfinite(const Task& task, SliceStream& in_file_order, std::int64_t slice) {
  std::optional<Nonfinite> found;
  in_file_order.visit(slice, [&](const Block& block) {
    const auto at = kernels::first_nonfinite(block.values);
    if (!at) return true;
    const auto index = tensor_element(task.view, slice, block.row_first + *at / block.columns,
                                      block.column_first + *at % block.columns);
    found =
        Nonfinite{index_in_file(task.tensor, index), block.values[checked_cast<std::size_t>(*at)]};
    return false;
  });
  if (!found) {
    throw Error(ExitCode::bad_input, fmt::format("{} slice {}", task.tensor.name, slice),
                "changed while it was being read", "run again when nothing writes the checkpoint");
  }
  return *found;
}

/// Panels meet values in another order than the file has them, hence a pass of its own.
Nonfinite first_in_file(const Task& task, SliceStream& stream, const Tiling& tiling,
                        std::int64_t slice) {
  if (!tiling.column_panels) return find_nonfinite(task, stream, slice);
  SliceStream in_file_order(task.reader, task.tensor, task.view,
                            file_order_tiling(task.view, task.tensor.dtype, task.options), slice);
  return find_nonfinite(task, in_file_order, slice);
}

std::string explain_or_throw(const Task& task, const Nonfinite& nonfinite, std::int64_t slice) {
  const auto [index, value] = nonfinite;
  if (task.options.nonfinite == NonfinitePolicy::skip) {
    return fmt::format("{}non-finite weight at index {}", skipped_prefix, index);
  }
  throw Error(ExitCode::bad_input, fmt::format("{} slice {}", task.tensor.name, slice),
              fmt::format("the weight at index {} of the tensor is {}{}", index, value,
                          task.tensor.dtype == Dtype::f64 ? " as binary32" : ""),
              "check the file against its source, or set checkpoint.nonfinite = \"skip\"");
}

/// Range and norm are what noise and error are made of, so those metrics bring them along.
void fill_moments(const kernels::Moments& moments, const Options& options, records::SliceRow& row) {
  if (options.moments) {
    row.mean = moments.mean;
    row.variance = kernels::variance(moments);
    row.m2 = moments.m2;
    row.m3 = moments.m3;
    row.m4 = moments.m4;
    row.excess_kurtosis = kernels::excess_kurtosis(moments);
  }
  if (options.moments || options.noise) {
    row.minimum = moments.minimum;
    row.maximum = moments.maximum;
  }
  if (options.moments || options.noise || options.error) row.sum_squares = moments.sum_squares;
}

void fill_spectrum(const kernels::SpectrumSummary& spectrum, records::SliceRow& row) {
  row.spectral_concentration = spectrum.spectral_concentration;
  row.concentration_full = spectrum.concentration_full;
  row.stable_rank = spectrum.stable_rank;
  row.effective_rank = spectrum.effective_rank;
}

records::SliceRow slice_row(const Task& task, const SliceSums& sums, records::SliceRow row) {
  fill_moments(sums.moments, task.options, row);
  if (task.options.noise) row.noise_amplification = sums.noise_amplification;
  if (task.options.spectrum) fill_spectrum(sums.spectrum, row);
  if (task.options.error) {
    row.nrmse_rtn_4bit_g128 = relative_error(sums.reference_sse, sums.moments.sum_squares);
  }
  if (sums.moments.sum_squares == 0.0)
    row.reason = all_zero;
  else if (task.options.moments && kernels::variance(sums.moments) == 0.0)
    row.reason = no_variance;
  for (const auto& remark : {refused_block_quantizers(task.view.columns, task.options),
                             estimates(task.view, task.options)}) {
    if (remark.empty()) continue;
    row.reason += (row.reason.empty() ? "" : "; ") + remark;
  }
  return row;
}

void append_distortion(const Task& task, const SliceSums& sums, std::int64_t slice,
                       records::Tables& tables) {
  if (!task.options.error) return;
  const auto append = [&](const formats::Encoding& encoding, double sse) {
    records::DistortionRow row{
        .tensor = task.tensor.name,
        .slice = slice,
        .quantizer = {},
        .bits_per_weight = formats::bits_per_weight(encoding, task.tensor.dtype),
        .sse = sse,
        .sum_squares = sums.moments.sum_squares,
        .nrmse = relative_error(sse, sums.moments.sum_squares),
    };
    formats::set_encoding(row, encoding);
    records::append_row(tables, row);
  };
  for (std::size_t i = 0; i < task.options.quantizers.size(); ++i) {
    append(task.options.quantizers[i].encoding(), sums.sse[i]);
  }
  for (std::size_t i = 0; i < task.block_quantizers.size(); ++i) {
    append(task.block_quantizers[i].encoding(), sums.block_sse[i]);
  }
}

}  // namespace

records::Tables measure(const checkpoint::Checkpoint& checkpoint,
                        const checkpoint::TensorReader& reader, const WorkItem& item,
                        const Options& options) {
  const auto& tensor = checkpoint.tensors.at(item.tensor);
  const auto view = view_of(tensor, options);
  const auto quantizers = measured_quantizers(options);
  kernels::RoundTripErrors errors(quantizers, tensor.dtype);
  PaddedReference padded_reference(tensor.dtype);
  const Task task{reader, tensor,          options,
                  view,   quantizers,      fitting_block_quantizers(view.columns, options),
                  errors, padded_reference};
  expect(0 <= item.slice_first && item.slice_first <= item.slice_last &&
             item.slice_last < task.view.slices,
         "work item outside its tensor");
  const auto tiling = tiling_of(task.view, tensor.dtype, options);
  SliceStream stream(reader, tensor, task.view, tiling, item.slice_last);
  records::Tables tables;
  for (auto slice = item.slice_first; slice <= item.slice_last; ++slice) {
    records::SliceRow row;
    row.tensor = tensor.name;
    row.slice = slice;
    row.params = task.view.rows * task.view.columns;
    if (const auto sums = sum_slice(task, stream, tiling, slice)) {
      records::append_row(tables, slice_row(task, *sums, row));
      append_distortion(task, *sums, slice, tables);
    } else {
      row.reason = explain_or_throw(task, first_in_file(task, stream, tiling, slice), slice);
      records::append_row(tables, row);
    }
  }
  return tables;
}

}  // namespace moesweep::sensitivity
