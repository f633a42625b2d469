#pragma once
// Block formats of other runtimes: the bytes that they store of a block of weights, and what those
// are worth. Scalar reference code, one binary32 operation a step, so that results are the same
// bits everywhere. A round trip is decode(encode), so a measured error is that of stored bytes.
// The formats: formats/catalog.hpp; definitions and sources: docs/metrics.md, "Block formats".
//
// A format takes whole blocks only: the runtimes refuse rows that are no multiple of the block.
// Values must be finite. Where a stored scale leaves its type (a GGUF scale beyond binary16:
// weights beyond about 8e6 with q8_0) the dequantized values and the error are not finite.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels {

/// What a block does not tell about its matrix.
struct BlockContext {
  Dtype weight_dtype = Dtype::bf16;
  float matrix_amax = 0.0F;  ///< largest |w| of the matrix; read by formats of Scope::matrix
};

/// Bytes of a block, or of rows, by the tensor that stores them: formats::BlockBytes says how many
/// a block has of each. Scales in the weight's dtype are little-endian formats::scale_dtype().
template <typename Byte>
struct EncodedParts {
  std::span<Byte> codes;
  std::span<Byte> scales;
  std::span<Byte> biases;
};
using PartsOut = EncodedParts<std::byte>;
using PartsIn = EncodedParts<const std::byte>;

struct BlockFormat {
  const formats::Format* entry = nullptr;  ///< of the catalog
  /// in.size() is one block, `out` has its bytes.
  void (*encode)(std::span<const float> in, const BlockContext& context,
                 const PartsOut& out) = nullptr;
  /// The reverse. out.size() is one block.
  void (*decode)(const PartsIn& in, const BlockContext& context, std::span<float> out) = nullptr;

  std::string_view name() const { return entry->name; }
};

/// All of them, in the catalog's order.
std::span<const BlockFormat> block_formats();
/// Null when no block format has the name.
const BlockFormat* find_block_format(std::string_view name);

/// A format with its block length settled. Formats live as long as the program.
struct BlockQuantizer {
  const BlockFormat* format = nullptr;
  int block_length = 0;

  formats::Encoding encoding() const;
  bool operator==(const BlockQuantizer&) const = default;
};

/// Bytes of one block, for decode(encode) of a block at a time.
class BlockBuffer {
 public:
  BlockBuffer(const BlockQuantizer& quantizer, Dtype weight_dtype);
  PartsOut out() { return parts_of<std::byte>(bytes_); }
  PartsIn in() const { return parts_of<const std::byte>(bytes_); }

 private:
  template <typename Byte>
  EncodedParts<Byte> parts_of(std::span<Byte> bytes) const {
    return {bytes.first(codes_), bytes.subspan(codes_), {}};
  }
  std::size_t codes_ = 0;
  std::vector<std::byte> bytes_;
};

/// Adds to sse[i] the squared error of quantizers[i]: each w - w' is one binary32 step, squares and
/// sums are float64. block.columns is a multiple of every block length.
void add_block_errors(const RowBlock& block, std::span<const BlockQuantizer> quantizers,
                      const BlockContext& context, std::span<double> sse);

/// Largest |value|, at least `amax`.
float largest_magnitude(std::span<const float> values, float amax);

}  // namespace moesweep::kernels
