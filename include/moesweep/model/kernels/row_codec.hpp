#pragma once
// Rows of weights to the bytes that a runtime stores of them, in any format of the catalog, and
// back.

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

namespace moesweep::kernels {

/// An encoding as the kernels take it: rtn and affine have SIMD of their own.
using Settled = std::variant<Quantizer, BlockQuantizer>;
/// Nothing for a format that is not in the catalog, bits that it doesn't have (rtn and affine: 2 to
/// 8), a group below 1 or another than its fixed one.
std::optional<Settled> settle(const formats::Encoding& encoding);
formats::Encoding encoding_of(const Settled& settled);

/// One encoding of weights of one dtype, with buffers that are kept from call to call. Not for
/// several threads at once.
class RowCodec {
 public:
  RowCodec(const Settled& settled, Dtype weight_dtype);

  /// Of a block of `weights` weights, whole rows.
  formats::BlockBytes bytes_of(std::int64_t weights) const;

  /// Rows are whole groups, of rtn and affine whole words (32 codes) in groups of whole bytes.
  /// `out` is as large as bytes_of() says. `matrix_amax` as in BlockContext. `decoded`, unless it
  /// is empty, gets what decode() makes of the bytes.
  void encode(const RowBlock& block, float matrix_amax, const PartsOut& out,
              std::span<float> decoded = {});
  /// The reverse, out.size() whole rows.
  void decode(const PartsIn& in, float matrix_amax, std::span<float> out);

  /// decode(encode(block)), without packing codes that are unpacked again: rtn and affine take rows
  /// of any length then. out.size() == block.values.size().
  void round_trip(const RowBlock& block, float matrix_amax, std::span<float> out);

  /// Memory of the buffers for blocks of `weights` weights in `groups` groups.
  static std::int64_t buffer_bytes(std::int64_t weights, std::int64_t groups);

 private:
  void quantize(const Quantizer& quantizer, const RowBlock& block);
  void dequantize(const Quantizer& quantizer, std::int64_t columns, std::span<float> out) const;

  Settled settled_;
  Dtype weight_dtype_;
  std::vector<std::uint8_t> codes_;
  std::vector<float> scales_;
  std::vector<float> biases_;
  std::vector<std::uint32_t> words_;
};

}  // namespace moesweep::kernels
