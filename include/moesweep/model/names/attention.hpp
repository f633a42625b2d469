#pragma once
// What the matrices of softmax attention are called.

#include <cstdint>
#include <string_view>

namespace moesweep::names {

enum class AttentionMatrix : std::uint8_t {
  query,  ///< also latent ones (q_a_proj, q_b_proj)
  key,
  value,
  query_key_value,  ///< the three in one matrix
  key_value,        ///< keys and values in one matrix (kv_proj, kv_b_proj)
  output,
  other,
};

/// From the last component of a name before `.weight`; only for tensors whose role is attention:
/// linear attention's matrices are of another kind.
AttentionMatrix attention_matrix_of(std::string_view name);

/// Is this the table of token embeddings, not one of positions or token types? Only for tensors
/// whose role is embedding.
bool is_token_embedding(std::string_view name);

/// Does the name say that the embedding belongs to a model that predicts tokens (embed_tokens, wte,
/// ...)? Encoders call theirs word_embeddings.
bool is_embedding_of_decoder(std::string_view name);

}  // namespace moesweep::names
