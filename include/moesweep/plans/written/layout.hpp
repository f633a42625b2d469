#pragma once
// The tensors and files of a quantized checkpoint, before any of it is written: sizes to the byte.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/write.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/runtime.hpp>

namespace moesweep::written {

enum class Part : std::uint8_t { copy, codes, scales, biases, dequantized };

/// Where the values of a stored tensor come from: rows of a source tensor. Stacks have one a slice.
struct Origin {
  std::size_t tensor = 0;      ///< index into the source checkpoint's tensors
  std::int64_t first_row = 0;  ///< along axis -2 of every slice
  std::int64_t rows = -1;      ///< -1: all
};

/// A tensor of the written checkpoint.
struct StoredTensor {
  std::string name;
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape;
  Part part = Part::copy;
  formats::Encoding encoding{};  ///< of codes, scales, biases and dequantized; a copy has none
  std::int64_t columns = 0;      ///< of a source row, along which groups run; 0 for a copy
  /// Of dequantized: elements of a matrix as the sweep sees it, one behind the other.
  std::int64_t matrix_elements = 0;
  names::Transform transform = names::Transform::none;
  std::vector<Origin> origins;
  std::int64_t bytes() const;
};

struct StoredShard {
  std::string file;    ///< "model-00001-of-00004.safetensors", "model.safetensors" when it is alone
  std::string format;  ///< the header's metadata: mlx, pt
  /// The codes of a module are followed by its scales and biases.
  std::vector<StoredTensor> tensors;
  std::int64_t bytes = 0;  ///< of the file, header included
};
/// The tensors as the header of the file has them.
std::vector<checkpoint::TensorShape> header_shapes(const StoredShard& shard);

struct Layout {
  std::vector<StoredShard> shards;
  std::int64_t bytes() const;
};

/// MLX-format checkpoint. `source` may be an inventory (no bytes are read). Shards hold at most
/// `shard_bytes` of tensors, unless one tensor alone is larger; codes, scales and biases of a
/// module stay in one shard. Error(bad_input) for a plan of another checkpoint, naming the tensors,
/// and for unmapped ones unless `allow_unmapped` (then they are left out).
Layout mlx_layout(const checkpoint::Checkpoint& source, const records::Plan& plan,
                  const names::Architecture& architecture, std::int64_t shard_bytes,
                  bool allow_unmapped = false);

/// The original names, shapes and dtypes (BF16 for quantized 8-bit floats), with dequantized
/// values of any format of the catalog. Nothing is left out. Groups run along the rows that the
/// sweep has seen: `expert_patterns` are its. Errors as above, and for rows that are not whole
/// blocks of their format.
Layout dequantized_layout(const checkpoint::Checkpoint& source, const records::Plan& plan,
                          std::int64_t shard_bytes,
                          const std::vector<std::string>& expert_patterns = {"experts"});

}  // namespace moesweep::written
