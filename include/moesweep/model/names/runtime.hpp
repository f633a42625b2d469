#pragma once
// What the tensors of a Hugging Face checkpoint are called in the runtimes that quantize them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moesweep::names {

enum class Runtime : std::uint8_t {
  mlx,   ///< mlx-lm
  gguf,  ///< llama.cpp
  vllm,  ///< vLLM; modules have Hugging Face names, as configs of compressed-tensors, GPTQModel
         ///< and ModelOpt say them
};
std::string_view runtime_name(Runtime runtime);
/// Error(bad_usage) naming the known ones.
Runtime runtime_named(std::string_view name);

/// What decides names: of a checkpoint, source::family_of says it. Of a model_type that is not
/// known all tensors are unmapped.
struct Architecture {
  std::string model_type;        ///< "qwen3_5_moe"; "generic": names stay as they are
  std::int64_t layers = 0;       ///< 0: unknown
  std::int64_t experts = 0;      ///< routed experts a layer, 0: none or unknown
  bool tied_embeddings = false;  ///< lm_head is the embedding table
  /// generic: globs of tensors that may be quantized beside those whose names end in ".weight".
  std::vector<std::string> quantizable = {};
};

/// The model types that can be mapped, and "generic".
std::span<const std::string_view> known_architectures();
bool is_known_architecture(std::string_view model_type);

enum class Fate : std::uint8_t {
  mapped,
  dropped,   ///< by rule: the runtime has no place for it (`mtp.*` in mlx-lm)
  unmapped,  ///< nothing is known about the name
};

/// What mlx-lm's loader makes of the values of a tensor that stays unquantized. The converters of
/// the other runtimes, whose files we don't write, do theirs themselves: always `none`.
enum class Transform : std::uint8_t {
  none,
  last_axis_to_middle,  ///< [C, 1, K] -> [C, K, 1], convolutions
  add_one,              ///< norms that are stored as differences from 1
  other,  ///< none of these (`reason` says what): only mlx-lm itself can write the tensor
};

/// A tensor or part of one, as a module of the runtime.
struct RuntimeTensor {
  std::string module;  ///< "language_model.model.layers.0.mlp.switch_mlp.gate_proj"
  std::string suffix;  ///< "weight", "bias", or empty when the tensor has the module's name
  /// Rows [first_row, first_row + rows) of axis -2 (axis 0 of a vector): halves of gate_up_proj.
  /// rows -1: all.
  std::int64_t first_row = 0;
  std::int64_t rows = -1;
  /// Position in a stack [E, m, n] that the runtime makes of per-expert tensors; -1: not stacked.
  std::int64_t stacked_at = -1;
  Transform transform = Transform::none;
};

struct Mapping {
  Fate fate = Fate::unmapped;
  std::vector<RuntimeTensor> targets;  ///< empty unless mapped; several when the tensor is split
  bool quantizable = false;            ///< the runtime can hold it quantized
  std::string reason;                  ///< why it is dropped, unmapped or not quantizable
};

/// Mapping::reason of a matrix that generic keeps for its name alone: Architecture::quantizable
/// changes that.
inline constexpr std::string_view not_called_weight =
    "its name does not end in .weight, and no --quantizable names it";

/// Where a tensor of this name and shape goes.
Mapping map_tensor(Runtime runtime, const Architecture& architecture, std::string_view name,
                   std::span<const std::int64_t> shape);

/// The decision that a tensor is part of: tensors with the same text must be stored alike in that
/// runtime (experts of a layer and projection, with gate and up as one; q, k and v in vLLM, ...).
/// The same for fused and unfused checkpoints.
std::string tied_module(Runtime runtime, const Architecture& architecture, std::string_view name);

}  // namespace moesweep::names
