// Names: modeling_{llama,bert,gpt2,gpt_neox,falcon,phi3,distilbert,t5,deepseek_v3,internlm2}.py in
// huggingface/transformers, and torch.nn.MultiheadAttention.

#include <algorithm>
#include <array>

#include <moesweep/model/names/attention.hpp>

#include "components.hpp"

namespace moesweep::names {
namespace {

struct Known {
  std::string_view component;
  AttentionMatrix matrix;
};

constexpr std::array known = {
    Known{"q_proj", AttentionMatrix::query},
    Known{"q_a_proj", AttentionMatrix::query},
    Known{"q_b_proj", AttentionMatrix::query},
    Known{"query", AttentionMatrix::query},
    Known{"q_lin", AttentionMatrix::query},
    Known{"wq", AttentionMatrix::query},
    Known{"q", AttentionMatrix::query},
    Known{"k_proj", AttentionMatrix::key},
    Known{"key", AttentionMatrix::key},
    Known{"k_lin", AttentionMatrix::key},
    Known{"wk", AttentionMatrix::key},
    Known{"k", AttentionMatrix::key},
    Known{"v_proj", AttentionMatrix::value},
    Known{"value", AttentionMatrix::value},
    Known{"v_lin", AttentionMatrix::value},
    Known{"wv", AttentionMatrix::value},
    Known{"v", AttentionMatrix::value},
    Known{"qkv_proj", AttentionMatrix::query_key_value},
    Known{"qkv", AttentionMatrix::query_key_value},
    Known{"query_key_value", AttentionMatrix::query_key_value},
    Known{"c_attn", AttentionMatrix::query_key_value},
    Known{"Wqkv", AttentionMatrix::query_key_value},
    Known{"wqkv", AttentionMatrix::query_key_value},
    Known{"W_pack", AttentionMatrix::query_key_value},
    Known{"in_proj_weight", AttentionMatrix::query_key_value},
    Known{"kv_proj", AttentionMatrix::key_value},
    Known{"kv_b_proj", AttentionMatrix::key_value},
    Known{"o_proj", AttentionMatrix::output},
    Known{"out_proj", AttentionMatrix::output},
    Known{"out_lin", AttentionMatrix::output},
    Known{"dense", AttentionMatrix::output},
    Known{"c_proj", AttentionMatrix::output},
    Known{"wo", AttentionMatrix::output},
    Known{"o", AttentionMatrix::output},
};

}  // namespace

AttentionMatrix attention_matrix_of(std::string_view name) {
  const auto owner = owner_of(components_of(name));
  const auto found = std::ranges::find(known, owner, &Known::component);
  return found == known.end() ? AttentionMatrix::other : found->matrix;
}

bool is_token_embedding(std::string_view name) {
  constexpr std::array<std::string_view, 7> others = {
      "position_embeddings", "position_embedding",      "token_type_embeddings", "wpe",
      "embed_positions",     "relative_attention_bias", "embed_tokens_per_layer"};
  constexpr std::array<std::string_view, 4> other_senses = {"embed_audio", "embed_vision",
                                                            "audio_tower", "vision_tower"};
  const auto components = components_of(name);
  return !is_one_of(owner_of(components), others) &&
         std::ranges::none_of(components, [&](std::string_view component) {
           return is_one_of(component, other_senses);
         });
}

bool is_embedding_of_decoder(std::string_view name) {
  constexpr std::array<std::string_view, 5> decoders = {"embed_tokens", "tok_embeddings", "wte",
                                                        "embed_in", "shared"};
  // ModernBERT's embeddings.tok_embeddings is an encoder's.
  const auto components = components_of(name);
  return is_one_of(owner_of(components), decoders) && !is_one_of("embeddings", components);
}

}  // namespace moesweep::names
