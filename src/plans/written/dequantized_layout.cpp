#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/kernels/row_codec.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/written/plan_rows.hpp>

#include "shards.hpp"

namespace moesweep::written {
namespace {

bool is_matrix(const checkpoint::Tensor& tensor) {
  return tensor.shape.size() >= 2 && tensor.params() > 0 && is_floating_point(tensor.dtype);
}

/// 8-bit floats can't hold dequantized values.
Dtype stored_dtype(Dtype dtype) {
  return dtype_bytes(dtype) == 1 ? formats::scale_dtype(dtype) : dtype;
}

/// What the sweep's groups run along, and what shares the parameters of a matrix: an expert of a
/// stack, else all of the tensor with the first axis as rows.
struct Matrix {
  std::int64_t columns = 0;
  std::int64_t elements = 0;
};
Matrix matrix_of(const checkpoint::Tensor& tensor, std::span<const std::string> expert_patterns) {
  if (names::is_expert_stack(tensor.name, tensor.shape, expert_patterns)) {
    return {tensor.shape.back(), tensor.params() / tensor.shape.front()};
  }
  return {tensor.params() / tensor.shape.front(), tensor.params()};
}

/// Why values cannot be written, empty when they can.
std::string refusal(const Matrix& matrix, const formats::Encoding& encoding) {
  if (!kernels::settle(encoding)) {
    return fmt::format("cannot be {}: no such format is known", formats::text_of(encoding));
  }
  const bool pads = formats::format_named(encoding.quantizer).has_offset();
  if (!pads && matrix.columns % encoding.group_size != 0) {
    return fmt::format("cannot be {}: rows of {} weights are not whole blocks",
                       formats::text_of(encoding), matrix.columns);
  }
  return {};
}

}  // namespace

Layout dequantized_layout(const checkpoint::Checkpoint& source, const records::Plan& plan,
                          std::int64_t shard_bytes,
                          const std::vector<std::string>& expert_patterns) {
  const auto rows = rows_of_tensors(source, plan);
  Refusals refusals;
  std::vector<Bundle> bundles;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& tensor = source.tensors[i];
    if (tensor.is_transposed) {
      refusals.add("are stored [experts, in, out], which is not written here", tensor.name);
      continue;
    }
    StoredTensor stored{.name = tensor.name,
                        .dtype = tensor.dtype,
                        .shape = tensor.shape,
                        .part = Part::copy,
                        .origins = {Origin{.tensor = i}}};
    if (rows[i]->action == "quantize") {
      if (!is_matrix(tensor)) {
        refusals.add("are to be quantized but are not matrices of floating-point weights",
                     tensor.name);
        continue;
      }
      const auto matrix = matrix_of(tensor, expert_patterns);
      stored.part = Part::dequantized;
      stored.dtype = stored_dtype(tensor.dtype);
      stored.encoding = formats::encoding_of(*rows[i]);
      stored.columns = matrix.columns;
      stored.matrix_elements = matrix.elements;
      if (const auto why = refusal(matrix, stored.encoding); !why.empty()) {
        refusals.add(why, tensor.name);
        continue;
      }
    }
    bundles.push_back({std::move(stored)});
  }
  const bool has_transposed =
      std::ranges::any_of(source.tensors, &checkpoint::Tensor::is_transposed);
  refusals.throw_if_any(has_transposed ? "write stacks that are stored [experts, in, out] for mlx, "
                                         "and keep other tensors in the plan"
                                       : "keep them in the plan");
  return into_shards(std::move(bundles), shard_bytes, "pt");
}

}  // namespace moesweep::written
