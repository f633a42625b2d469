#pragma once
// The tensors of an architecture's checkpoint, by what they are called within a layer.

#include <cstdint>
#include <span>
#include <string_view>

namespace moesweep::names {

enum class Kind : std::uint8_t {
  embedding,
  head,
  linear,
  router,
  norm,
  vector,         ///< a parameter of its own name: A_log, dt_bias, sinks
  convolution,    ///< [C, 1, K]
  expert,         ///< a matrix of one expert
  fused_gate_up,  ///< [E, 2I, H]: gate in the first half of axis -2, up in the second
  fused_down,     ///< [E, H, I]
  latent,         ///< kv_b_proj: keys and values of all heads in turn
  interleaved,    ///< gate and up in alternate rows: gpt-oss, MXFP4 blocks, scales or biases
  packed_down,    ///< gpt-oss's down projection likewise
  transposed,     ///< gpt-oss in BF16: [E, in, out]
};

struct Part {
  std::string_view name;  ///< "self_attn.q_proj"; the index of an expert is `*`
  /// llama.cpp's name below `blk.N.`; of a vector with what follows: "ssm_dt.bias".
  std::string_view gguf;
  Kind kind = Kind::linear;
};

/// What distinguishes the checkpoints of one architecture.
struct Family {
  std::string_view model_type;
  std::span<const std::span<const Part>> parts;  ///< of a layer
  /// Below `model.language_model.` beside a vision tower, and a predictor `mtp.*`.
  bool multimodal = false;
  bool trailing_predictor = false;  ///< layers from `num_hidden_layers` on predict more tokens
  bool block_scales = false;        ///< FP8 weights with `weight_scale_inv`
  bool plain_router = false;        ///< MLX has a bare matrix, no Linear, to choose experts
};

/// Null when the model type is none of them.
const Family* find_family(std::string_view model_type);
std::span<const Family> families();

/// Null when the family has no such part.
const Part* find_part(std::span<const std::span<const Part>> parts, std::string_view name);

/// Outside of layers: embed_tokens, norm, lm_head.
std::span<const Part> top_parts();
/// Of a predictor, outside of its layers; llama.cpp's names below the first layer after the last.
std::span<const Part> predictor_parts(const Family& family);

}  // namespace moesweep::names
