#include <algorithm>

#include <fmt/format.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/model/names/role.hpp>

#include "estimate.hpp"

namespace moesweep::sensitivity {
namespace {

bool is_vector(std::span<const std::int64_t> shape) {
  if (shape.size() <= 1) return true;
  return shape.size() == 2 && (shape[0] == 1 || shape[1] == 1);
}

bool matches_any(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const auto& glob) { return matches_glob(glob, name); });
}

}  // namespace

MatrixView view_of(const checkpoint::Tensor& tensor, const Options& options) {
  const auto& shape = tensor.shape;
  if (is_vector(shape)) return {.skipped_because = "1-D"};
  if (tensor.dtype == Dtype::c64) return {.skipped_because = "complex dtype"};
  if (is_integer(tensor.dtype)) return {.skipped_because = "integer dtype"};
  if (!is_floating_point(tensor.dtype)) {
    return {.skipped_because =
                fmt::format("dtype {}, which is not decoded", dtype_name(tensor.dtype))};
  }
  if (tensor.params() == 0) return {.skipped_because = "empty"};
  if (options.experts == ExpertChoice::swan && shape.size() == 3) {
    const bool samples = shape[0] > sampled_slices;
    return {.slices = 1,
            .rows = (samples ? sampled_slices : shape[0]) * shape[1],
            .columns = shape[2],
            .skipped_because = {},
            .sampled_of = samples ? shape[0] : 0,
            .is_transposed = tensor.is_transposed};
  }
  if (names::is_expert_stack(tensor.name, shape, options.expert_patterns)) {
    return {.slices = shape[0],
            .rows = shape[1],
            .columns = shape[2],
            .skipped_because = {},
            .is_transposed = tensor.is_transposed};
  }
  return {
      .slices = 1, .rows = shape[0], .columns = tensor.params() / shape[0], .skipped_because = {}};
}

bool is_selected(const std::string& name, const Options& options) {
  return matches_any(options.include, name) && !matches_any(options.exclude, name);
}

records::Tables describe(const checkpoint::Checkpoint& checkpoint, const Options& options) {
  records::Tables tables;
  for (const auto& tensor : checkpoint.tensors) {
    if (!is_selected(tensor.name, options)) continue;
    const auto view = view_of(tensor, options);
    const auto role =
        names::role_of(tensor.name, tensor.shape, tensor.dtype, options.expert_patterns);
    records::append_row(tables, records::CheckpointTensorRow{
                                    .name = tensor.name,
                                    .shape = shape_text(tensor.shape),
                                    .dtype = std::string(dtype_name(tensor.dtype)),
                                    .role = std::string(names::role_name(role)),
                                    .params = tensor.params(),
                                    .bytes = tensor.bytes(),
                                    .slices = view.slices,
                                    .rows = view.rows,
                                    .columns = view.columns,
                                    .skipped_because = view.skipped_because,
                                });
  }
  return tables;
}

}  // namespace moesweep::sensitivity
