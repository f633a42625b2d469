#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/plans/plan/runtime_plan.hpp>
#include <moesweep/plans/written/plan_rows.hpp>

#include "shards.hpp"

namespace moesweep::written {
namespace {

/// A tensor or part of one on its way to a module.
struct Piece {
  std::size_t tensor = 0;
  names::RuntimeTensor target;
  std::vector<std::int64_t> shape;  ///< of the piece
  const records::PlanRow* row = nullptr;
};

using Pieces = std::map<std::string, std::vector<Piece>>;  // by stored name

std::string stored_name(const names::RuntimeTensor& target, bool is_quantized) {
  if (is_quantized) return target.module + ".weight";
  return target.suffix.empty() ? target.module : target.module + "." + target.suffix;
}

std::vector<std::int64_t> shape_of_piece(const checkpoint::Tensor& tensor,
                                         const names::RuntimeTensor& target) {
  auto shape = tensor.shape;
  if (target.rows < 0) return shape;
  if (is_sub_byte(tensor.dtype)) {
    throw Error(
        ExitCode::bad_input, tensor.name,
        fmt::format("mlx-lm cuts it in two, which is not done with {}", dtype_name(tensor.dtype)),
        "drop the tensor in the plan, or convert the checkpoint to BF16");
  }
  expect(!shape.empty(), "part of a scalar");
  auto& side = shape[shape.size() == 1 ? 0 : shape.size() - 2];
  expect(target.first_row >= 0 && target.rows <= side - target.first_row,
         "part beyond its tensor's rows");
  side = target.rows;
  return shape;
}

/// Pieces of all tensors that have a place, by the name they are stored under.
Pieces pieces_of(const checkpoint::Checkpoint& source, const records::Plan& plan,
                 const names::Architecture& architecture, bool allow_unmapped) {
  const auto rows = rows_of_tensors(source, plan);
  const auto mapped = plan::runtime_plan(plan, names::Runtime::mlx, architecture);
  std::vector<std::string> unmapped, homeless, unquantizable;
  Pieces pieces;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& tensor = source.tensors[i];
    const auto& row = mapped.rows[checked_cast<std::size_t>(rows[i] - plan.rows.data())];
    if (rows[i]->action == "drop") continue;
    if (row.is_unmapped()) unmapped.push_back(tensor.name);
    if (row.is_homeless()) homeless.push_back(tensor.name);
    if (row.is_unquantizable()) unquantizable.push_back(tensor.name);
    for (const auto& target : row.mapping.targets) {
      pieces[stored_name(target, row.is_quantized())].push_back(
          {i, target, shape_of_piece(tensor, target), rows[i]});
    }
  }
  if (!allow_unmapped) {
    refuse_if_any(
        unmapped,
        fmt::format("have no name in mlx-lm's {} that is known here", architecture.model_type),
        "leave them out with --allow-unmapped, or name another --architecture");
  }
  refuse_if_any(homeless, "are to be stored, but mlx-lm has no place for them",
                "make the plan with `allocate --for mlx`, which drops them");
  refuse_if_any(unquantizable, "are to be quantized, but mlx-lm cannot hold them quantized",
                "keep them in the plan");
  return pieces;
}

/// Pieces of one stored tensor in their order: one alone, or a stack without gaps.
void order(const std::string& name, std::vector<Piece>& pieces,
           const checkpoint::Checkpoint& source) {
  std::ranges::sort(pieces, {}, [](const Piece& piece) { return piece.target.stacked_at; });
  const bool is_stack = pieces.front().target.stacked_at >= 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto at = is_stack ? checked_cast<std::int64_t>(i) : -1;
    const auto& piece = pieces[i];
    if (piece.target.stacked_at == at && (is_stack || pieces.size() == 1)) continue;
    throw Error(ExitCode::bad_input, source.tensors[piece.tensor].name,
                fmt::format("its place in {} is taken, or the one before is empty", name),
                "the checkpoint lacks experts, or is not of this architecture");
  }
  const auto& first = pieces.front();
  std::vector<std::string> different;
  for (const auto& piece : pieces) {
    const bool same = piece.shape == first.shape && piece.row->action == first.row->action &&
                      formats::encoding_of(*piece.row) == formats::encoding_of(*first.row) &&
                      source.tensors[piece.tensor].dtype == source.tensors[first.tensor].dtype;
    if (!same) different.push_back(source.tensors[piece.tensor].name);
  }
  refuse_if_any(different,
                fmt::format("are planned otherwise, or of another shape or dtype, than {}, with "
                            "which they are stored as {}",
                            source.tensors[first.tensor].name, name),
                "plan them alike");
}

StoredTensor stored_from(const std::string& name, const std::vector<Piece>& pieces,
                         const checkpoint::Checkpoint& source) {
  const auto& first = pieces.front();
  StoredTensor stored{.name = name,
                      .dtype = source.tensors[first.tensor].dtype,
                      .shape = first.shape,
                      .transform = first.target.transform,
                      .origins = {}};
  for (const auto& piece : pieces) {
    stored.origins.push_back({piece.tensor, piece.target.first_row, piece.target.rows});
  }
  if (first.target.stacked_at >= 0) {
    stored.shape.insert(stored.shape.begin(), checked_cast<std::int64_t>(pieces.size()));
  }
  return stored;
}

void apply_transform(StoredTensor& stored, const checkpoint::Tensor& tensor) {
  switch (stored.transform) {
    case names::Transform::none:
      return;
    case names::Transform::last_axis_to_middle:
      // With a middle axis of 1 the bytes stay in their order.
      if (stored.shape.size() == 3 && stored.shape[1] == 1) {
        std::swap(stored.shape[1], stored.shape[2]);
        return;
      }
      break;
    case names::Transform::add_one:
      if (dtype_bits(stored.dtype) >= 16 && is_floating_point(stored.dtype)) return;
      break;
    case names::Transform::other:
      throw Error(
          ExitCode::bad_input, tensor.name,
          fmt::format("is made into {} by mlx-lm in a way that is not written here", stored.name),
          "convert the checkpoint with mlx-lm, or drop the tensor in the plan");
  }
  throw Error(ExitCode::bad_input, stored.name,
              fmt::format("has a shape or dtype that mlx-lm does not give this module ({})",
                          dtype_name(stored.dtype)),
              "the checkpoint is not of this architecture");
}

bool is_stored_by_mlx(const formats::Encoding& encoding, const StoredTensor& stored) {
  const auto* const format = formats::find_format(encoding.quantizer);
  return format != nullptr && !format->words.mlx_mode.empty() &&
         stored.transform == names::Transform::none &&
         formats::stored_bytes(encoding, stored.shape, stored.dtype) >= 0;
}

Bundle quantized_bundle(const StoredTensor& stored, const Piece& first,
                        const checkpoint::Tensor& tensor) {
  const auto encoding = formats::encoding_of(*first.row);
  if (!is_stored_by_mlx(encoding, stored)) {
    throw Error(ExitCode::bad_input, tensor.name,
                fmt::format("MLX cannot store it as {}", formats::text_of(encoding)),
                "MLX stores affine with 2, 3, 4, 5, 6 or 8 bits, in groups of 32, 64 or 128 that "
                "divide the columns");
  }
  const auto groups = stored.shape.back() / encoding.group_size;
  const auto block = formats::block_bytes(encoding, stored.dtype);
  const auto& module = first.target.module;
  Bundle bundle(3, stored);
  const auto set = [&](std::size_t at, const char* suffix, Part part, Dtype dtype,
                       std::int64_t last_side) {
    bundle[at].name = module + suffix;
    bundle[at].part = part;
    bundle[at].dtype = dtype;
    bundle[at].columns = stored.shape.back();
    bundle[at].shape.back() = last_side;
    bundle[at].encoding = encoding;
  };
  const auto scales = formats::scale_dtype(stored.dtype);
  set(0, ".weight", Part::codes, Dtype::u32, groups * block.codes / dtype_bytes(Dtype::u32));
  set(1, ".scales", Part::scales, scales, groups);
  set(2, ".biases", Part::biases, scales, groups);
  return bundle;
}

// A checkpoint may bring tensors of its own called scales and biases.
void refuse_same_names(const std::vector<Bundle>& bundles) {
  std::vector<std::string> all, twice;
  for (const auto& bundle : bundles) {
    for (const auto& tensor : bundle) all.push_back(tensor.name);
  }
  std::ranges::sort(all);
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i] == all[i - 1]) twice.push_back(all[i]);
  }
  refuse_if_any(twice, "would be stored twice",
                "the checkpoint is quantized already, or not of this architecture");
}

}  // namespace

Layout mlx_layout(const checkpoint::Checkpoint& source, const records::Plan& plan,
                  const names::Architecture& architecture, std::int64_t shard_bytes,
                  bool allow_unmapped) {
  auto pieces = pieces_of(source, plan, architecture, allow_unmapped);
  std::vector<Bundle> bundles;
  for (auto& [name, parts] : pieces) {
    order(name, parts, source);
    auto stored = stored_from(name, parts, source);
    const auto& first = parts.front();
    if (first.row->action == "quantize") {
      bundles.push_back(quantized_bundle(stored, first, source.tensors[first.tensor]));
      continue;
    }
    apply_transform(stored, source.tensors[first.tensor]);
    bundles.push_back({std::move(stored)});
  }
  refuse_same_names(bundles);
  return into_shards(std::move(bundles), shard_bytes, "mlx");
}

}  // namespace moesweep::written
