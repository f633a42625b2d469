#pragma once
// Block formats of other runtimes, by name: what they make of a block of weights when they quantize
// and dequantize it. Scalar reference code, one binary32 operation a step, so that results are the
// same bits everywhere. Definitions and sources: docs/metrics.md, "Block formats".
//
//   q8_0 q6_k q5_k q4_k q3_k q2_k     GGUF, without importance matrix
//   nvfp4                             E2M1 with an E4M3 scale a block and one binary32 scale a
//   matrix mxfp4_ocp _even _rceil _ggml      E2M1 with a power of two a block; the names are the
//   rules that
//                                     choose its exponent
//   ct_int4 ct_int8                   compressed-tensors, symmetric integers; any block length
//
// A format takes whole blocks only: the runtimes refuse rows that are no multiple of the block.
// Values must be finite. Where a stored scale leaves its type (a GGUF scale beyond binary16:
// weights beyond about 8e6 with q8_0) the dequantized values and the error are not finite.

#include <cstdint>
#include <span>
#include <string_view>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels {

/// What a block does not tell about its matrix.
struct BlockContext {
  Dtype weight_dtype = Dtype::bf16;
  float matrix_amax = 0.0F;  ///< largest |w| of the matrix; read by formats with needs_matrix_amax
};

struct BlockFormat {
  std::string_view name;
  int bits = 0;                        ///< of one code
  int block_length = 0;                ///< weights of a block along the last axis; 0: any
  int metadata_bits = 0;               ///< scales and minima of one block
  bool scale_in_weight_dtype = false;  ///< one more scale a block, in the weight's dtype
  bool needs_matrix_amax = false;
  /// Time of a round trip, in round trips of `rtn`: for estimates only.
  int relative_cost = 1;
  /// in.size() == out.size() == one block.
  void (*round_trip)(std::span<const float> in, const BlockContext& context,
                     std::span<float> out) = nullptr;
};

/// All of them, in the order above.
std::span<const BlockFormat> block_formats();
/// Null when no format has the name.
const BlockFormat* find_block_format(std::string_view name);

/// A format with its block length settled. Formats live as long as the program.
struct BlockQuantizer {
  const BlockFormat* format = nullptr;
  int block_length = 0;
  bool operator==(const BlockQuantizer&) const = default;
};

/// Storage including scales, without the one scale a matrix of nvfp4.
double bits_per_weight(const BlockQuantizer& quantizer, Dtype weight_dtype);

/// Adds to sse[i] the squared error of quantizers[i]: each w - w' is one binary32 step, squares and
/// sums are float64. block.columns is a multiple of every block length.
void add_block_errors(const RowBlock& block, std::span<const BlockQuantizer> quantizers,
                      const BlockContext& context, std::span<double> sse);

/// Largest |value|, at least `amax`.
float largest_magnitude(std::span<const float> values, float amax);

}  // namespace moesweep::kernels
