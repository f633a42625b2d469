#include "pool.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/model/kernels/moments.hpp>

#include "estimate.hpp"
#include "quantizers.hpp"
#include "reasons.hpp"

namespace moesweep::sensitivity {
namespace {

kernels::Moments moments_of_slice(const records::SliceRow& slice) {
  return {.count = slice.params,
          .mean = slice.mean,
          .m2 = slice.m2,
          .m3 = slice.m3,
          .m4 = slice.m4,
          .sum_squares = slice.sum_squares,
          .minimum = slice.minimum,
          .maximum = slice.maximum};
}

kernels::Moments pooled_moments(std::span<const records::SliceRow> slices) {
  auto pooled = moments_of_slice(slices.front());
  for (const auto& slice : slices.subspan(1)) {
    pooled = kernels::merge(pooled, moments_of_slice(slice));
  }
  return pooled;
}

void fill_moments(const kernels::Moments& moments, const Options& options,
                  records::TensorRow& row) {
  if (options.moments) {
    row.mean = moments.mean;
    row.variance = kernels::variance(moments);
    row.excess_kurtosis = kernels::excess_kurtosis(moments);
  }
  if (options.moments || options.noise) {
    row.minimum = moments.minimum;
    row.maximum = moments.maximum;
  }
  if (options.noise) row.noise_amplification = kernels::noise_amplification(moments);
}

void fill_mean_and_maximum(std::span<const records::SliceRow> slices,
                           double records::SliceRow::*metric, double& mean, double& maximum) {
  double sum = 0.0;
  maximum = slices.front().*metric;
  for (const auto& slice : slices) {
    sum += slice.*metric;
    // Not std::max: it would pass over a NaN, which is not measured.
    if (std::isnan(slice.*metric) || slice.*metric > maximum) maximum = slice.*metric;
  }
  mean = sum / static_cast<double>(slices.size());
}

void fill_spectrum(std::span<const records::SliceRow> slices, records::TensorRow& row) {
  using Slice = records::SliceRow;
  fill_mean_and_maximum(slices, &Slice::spectral_concentration, row.spectral_concentration,
                        row.spectral_concentration_max);
  fill_mean_and_maximum(slices, &Slice::concentration_full, row.concentration_full,
                        row.concentration_full_max);
  fill_mean_and_maximum(slices, &Slice::stable_rank, row.stable_rank, row.stable_rank_max);
  fill_mean_and_maximum(slices, &Slice::effective_rank, row.effective_rank, row.effective_rank_max);
}

double sse_from_nrmse(std::span<const records::SliceRow> slices) {
  double sse = 0.0;
  for (const auto& slice : slices) {
    sse += slice.nrmse_rtn_4bit_g128 * slice.nrmse_rtn_4bit_g128 * slice.sum_squares;
  }
  return sse;
}

/// A score of weight 0 may be missing: the composite does without it.
double weighted(double weight, double score) {
  return weight == 0.0 ? 0.0 : weight * score;
}

void fill_scores(const Weights& weights, records::TensorRow& row) {
  row.score_svd = score_svd(row.spectral_concentration);
  row.score_kurtosis = score_kurtosis(row.excess_kurtosis);
  row.score_noise = score_noise(row.noise_amplification);
  row.score_error = score_error(row.nrmse_rtn_4bit_g128);
  row.composite =
      weighted(weights.svd, row.score_svd) + weighted(weights.kurtosis, row.score_kurtosis) +
      weighted(weights.noise, row.score_noise) + weighted(weights.error, row.score_error);
}

/// "3 of 512 slices: all weights are 0", or the reason alone for a tensor of one slice.
std::string counted(std::span<const records::SliceRow> slices, std::string_view reason,
                    std::int64_t count) {
  if (slices.size() == 1) return std::string(reason);
  return fmt::format("{} of {} slices: {}", count, slices.size(), reason);
}

std::string unusual_values(std::span<const records::SliceRow> slices) {
  std::string text;
  for (const auto reason : {all_zero, no_variance}) {
    const auto count = std::count_if(slices.begin(), slices.end(), [&](const auto& slice) {
      return slice.reason.starts_with(reason);
    });
    if (count > 0) text += "; " + counted(slices, reason, count);
  }
  return text;
}

std::string skip_reason(std::span<const records::SliceRow> slices) {
  const auto first = std::find_if(slices.begin(), slices.end(), is_skipped);
  return counted(slices, first->reason, std::count_if(slices.begin(), slices.end(), is_skipped));
}

records::TensorRow described(const records::CheckpointTensorRow& tensor) {
  records::TensorRow row;
  row.name = tensor.name;
  row.shape = tensor.shape;
  row.dtype = tensor.dtype;
  row.role = tensor.role;
  row.params = tensor.params;
  row.slices = tensor.slices;
  return row;
}

MatrixView view_of(const records::CheckpointTensorRow& tensor) {
  MatrixView view{tensor.slices, tensor.rows, tensor.columns, tensor.skipped_because};
  const auto seen = tensor.slices * tensor.rows * tensor.columns;
  if (seen > 0 && seen < tensor.params) view.sampled_of = tensor.params * sampled_slices / seen;
  return view;
}

void decide(const records::CheckpointTensorRow& tensor, const Options& options,
            records::TensorRow& row) {
  const auto view = view_of(tensor);
  const auto decision = decide_bits(tensor.name, view, row.composite, options);
  row.bits = decision.bits;
  row.reason = decision.reason;
}

}  // namespace

double relative_error(double sse, double sum_squares) {
  return sum_squares == 0.0 ? 0.0 : std::sqrt(sse / sum_squares);
}

bool is_skipped(const records::SliceRow& slice) {
  return slice.reason.starts_with(skipped_prefix);
}

records::TensorRow unanalysed(const records::CheckpointTensorRow& tensor, const Options& options) {
  auto row = described(tensor);
  decide(tensor, options, row);
  return row;
}

records::TensorRow pool_slices(const records::CheckpointTensorRow& tensor,
                               std::span<const records::SliceRow> slices,
                               std::optional<double> reference_sse, const Options& options) {
  auto row = described(tensor);
  if (std::any_of(slices.begin(), slices.end(), is_skipped)) {
    row.bits = 16;
    row.reason = skip_reason(slices);
    return row;
  }
  const auto moments = pooled_moments(slices);
  fill_moments(moments, options, row);
  if (options.noise && options.estimator == Estimator::swan) {
    double most = 0.0;  // no column of its own
    fill_mean_and_maximum(slices, &records::SliceRow::noise_amplification, row.noise_amplification,
                          most);
  }
  fill_spectrum(slices, row);
  if (options.error) {
    const auto sse = reference_sse ? *reference_sse : sse_from_nrmse(slices);
    row.nrmse_rtn_4bit_g128 = relative_error(sse, moments.sum_squares);
  }
  fill_scores(options.weights, row);
  decide(tensor, options, row);
  row.reason += unusual_values(slices);
  for (const auto& remark :
       {refused_block_quantizers(tensor.columns, options), estimates(view_of(tensor), options)}) {
    if (!remark.empty()) row.reason += "; " + remark;
  }
  return row;
}

}  // namespace moesweep::sensitivity
