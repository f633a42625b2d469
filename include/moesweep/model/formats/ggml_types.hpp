#pragma once
// The types that tensors of a GGUF file have: those of the catalog, and others that are only read.
// Ids from enum ggml_type of ggml/include/ggml.h, block sizes from GGML_QUANT_SIZES of
// gguf-py/gguf/constants.py (github.com/ggml-org/llama.cpp).

#include <cstdint>
#include <string_view>

namespace moesweep::formats {

/// How ggml stores a type: `bytes` for a block of `length` weights along the innermost axis.
struct GgmlType {
  std::uint32_t id = 0;
  std::string_view name;  ///< Format::stored_as where the catalog has it: q8_0, q4_k, bf16
  std::int32_t bits = 0;  ///< of one code, or of one element when not quantized
  std::int64_t length = 1;
  std::int64_t bytes = 0;
  std::int32_t group = 1;  ///< weights that share a scale, as the formats say it

  bool is_quantized() const { return length > 1; }
};
/// Null for an id that no current file has: types that were removed, and intermediate ones. Lives
/// as long as the program.
const GgmlType* ggml_type(std::uint32_t id);

}  // namespace moesweep::formats
