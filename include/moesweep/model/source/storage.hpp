#pragma once
// How the weights of a checkpoint are stored: as numbers of their dtype, or as codes that are
// weights only together with scales in other tensors. The one place that tells them apart.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/source/model_config.hpp>

namespace moesweep::source {

/// A way in which programs store quantized weights.
struct StorageFormat {
  std::string_view name;    ///< "FP8 with scales"
  std::string_view values;  ///< where a weight comes from: "code x scale (weight_scale_inv, ...)"
};

/// A matrix that is stored as codes, and what belongs to it.
struct CodedWeight {
  const StorageFormat* format = nullptr;
  std::string name;       ///< of the weight, "model.layers.0.mlp.up_proj.weight"
  std::size_t codes = 0;  ///< index into Checkpoint::tensors
  std::vector<std::size_t> companions =
      {};                    ///< scales, zero points, permutations, activation scales
  std::int64_t weights = 0;  ///< that the codes stand for; 0 when it is not known
  std::int64_t bytes = 0;    ///< of codes and companions
};

struct Storage {
  std::vector<CodedWeight> coded;  ///< in the order of Checkpoint::tensors
  /// What is neither weights nor codes that can be decoded, each with its reason: codes without
  /// scales, scales without codes.
  std::vector<std::string> contradictions = {};
  /// For each tensor, may it be read as numbers of its dtype? False for codes and companions.
  std::vector<bool> plain;

  bool has_codes() const { return !coded.empty() || !contradictions.empty(); }
};

/// By dtypes, shapes and names; `config` says how many bits packed integers have, and that FP8
/// without a scale is a contradiction. A companion counts only beside an owner that is stored as
/// F8, F4, I8, U8, I32 or U32.
Storage storage_of(const checkpoint::Checkpoint& checkpoint, const ModelConfig& config);

/// Sizes of the logical weights. Plain tensors count as they are; integers that are no codes
/// (position_ids, masks) are no weights.
struct StoredSize {
  std::int64_t weights = 0;
  std::int64_t bytes = 0;          ///< of tensors whose weights are counted
  std::int64_t uncounted = 0;      ///< coded matrices with an unknown number of weights
  double bits_per_weight() const;  ///< NaN without weights
};
StoredSize stored_size(const checkpoint::Checkpoint& checkpoint, const Storage& storage);

/// Weights that each tensor stands for: its elements where it is plain, what its codes stand for
/// (nothing where that is not known), 0 for companions and for integers that are no codes.
std::vector<std::optional<std::int64_t>> logical_weights(const checkpoint::Checkpoint& checkpoint,
                                                         const Storage& storage);

/// One line per storage format: "FP8 with scales: 24 matrices (model...weight, ...), 8.25 bits per
/// weight; a weight is code x scale (...)".
std::vector<std::string> describe(const Storage& storage);

/// Error(bad_input) naming format, matrices and where their values would come from, when a tensor
/// for which `reads` is true is not plain. `where` is the checkpoint.
void refuse_codes(const checkpoint::Checkpoint& checkpoint, const Storage& storage,
                  const ModelConfig& config, const std::vector<bool>& reads);

}  // namespace moesweep::source
