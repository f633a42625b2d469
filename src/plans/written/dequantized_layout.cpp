#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/written/plan_rows.hpp>

#include "affine_shapes.hpp"
#include "shards.hpp"

namespace moesweep::written {
namespace {

bool is_matrix(const checkpoint::Tensor& tensor) {
  return tensor.shape.size() >= 2 && tensor.params() > 0 && is_floating_point(tensor.dtype);
}

Dtype stored_dtype(Dtype dtype) {
  return dtype_bytes(dtype) == 1 ? scale_dtype_of(dtype) : dtype;
}

/// What the sweep's groups run along: rows of experts, else all but the first axis.
std::int64_t columns_of(const checkpoint::Tensor& tensor,
                        std::span<const std::string> expert_patterns) {
  if (names::is_expert_stack(tensor.name, tensor.shape, expert_patterns)) {
    return tensor.shape.back();
  }
  return tensor.params() / tensor.shape.front();
}

}  // namespace

Layout dequantized_layout(const checkpoint::Checkpoint& source, const records::Plan& plan,
                          std::int64_t shard_bytes, std::span<const std::string> expert_patterns) {
  const std::vector<std::string> default_patterns = {"experts"};
  if (expert_patterns.empty()) expert_patterns = default_patterns;
  const auto rows = rows_of_tensors(source, plan);
  std::vector<std::string> not_matrices, unknown, transposed;
  std::vector<Bundle> bundles;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& tensor = source.tensors[i];
    if (tensor.is_transposed) {
      transposed.push_back(tensor.name);
      continue;
    }
    StoredTensor stored{.name = tensor.name,
                        .dtype = tensor.dtype,
                        .shape = tensor.shape,
                        .part = Part::copy,
                        .origins = {Origin{.tensor = i}}};
    if (rows[i]->action == "quantize") {
      if (!is_matrix(tensor)) {
        not_matrices.push_back(tensor.name);
        continue;
      }
      const auto quantizer = quantizer_of(*rows[i]);
      if (!quantizer) {
        unknown.push_back(fmt::format("{} ({}, {} bits, groups of {})", tensor.name,
                                      rows[i]->quantizer, rows[i]->bits, rows[i]->group_size));
        continue;
      }
      stored.part = Part::dequantized;
      stored.dtype = stored_dtype(tensor.dtype);
      stored.columns = columns_of(tensor, expert_patterns);
      stored.quantizer = *quantizer;
    }
    bundles.push_back({std::move(stored)});
  }
  refuse_if_any(transposed, "are stored [experts, in, out], which is not written here",
                "write the plan for mlx, or plan without them");
  refuse_if_any(not_matrices, "are to be quantized but are no matrices of floating-point weights",
                "keep them in the plan");
  refuse_if_any(unknown, "cannot be dequantized",
                "plans with affine or rtn, 2 to 8 bits, can be written dequantized");
  return into_shards(std::move(bundles), shard_bytes, "pt");
}

}  // namespace moesweep::written
