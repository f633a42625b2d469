#pragma once
// Quantize and dequantize without storing: the squared error of a quantizer on a matrix.
// Definitions: DESIGN section 8 -> docs/metrics.md. Every step is one IEEE binary32 operation,
// nearest even, true division, no contraction, so all instruction sets and the scalar oracle agree
// in every code, scale and bias.
//
//   rtn     s = max((hi-lo)/n, 1e-12), n = 2^bits - 1;  q = clamp(rint((w-lo)/s), 0, n)
//           w' = (q*s) + lo
//   affine  s = max((hi-lo)/n, 1e-7), negated unless |lo| > |hi|;  e = lo if |lo| > |hi| else hi
//           q0 = rint(e/s);  if q0 != 0: s = e/q0, bias = e; else bias = 0
//           q = clamp(rint((w-bias)/s), 0, n);  w' = (q*T(s)) + T(bias)
//
// T rounds to the weight's dtype. A zero end of a range counts as +0. Values must be finite. Where
// a range leaves binary32 (hi-lo beyond 3.4e38) scale, dequantized values and error are not finite
// and the codes mean nothing; nothing else overflows.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/encoding.hpp>

namespace moesweep::kernels {

enum class QuantizerFamily : std::uint8_t {
  rtn,     ///< asymmetric min/max round to nearest, binary32 scale and offset
  affine,  ///< what MLX stores: scale and bias in the weight's dtype, zero representable
};

std::string family_name(QuantizerFamily family);

struct Quantizer {
  QuantizerFamily family = QuantizerFamily::rtn;
  int bits = 4;          ///< 2..8
  int group_size = 128;  ///< weights that share one scale and bias, along the last axis

  formats::Encoding encoding() const;
  bool operator==(const Quantizer&) const = default;
};

/// A row-major block of `rows` x `columns`; groups start at the first column of a row. A last short
/// group is padded with zeros, and the padding takes part in the group's range but not in the
/// error.
struct RowBlock {
  std::span<const float> values;  ///< rows * columns
  std::int64_t columns = 0;
};

/// What round trips of fixed quantizers need for each block again: their order and scratch. Not for
/// several threads at once.
class RoundTripErrors {
 public:
  /// `weight_dtype` decides the rounding of affine's scale and bias (BF16 for 8-bit floats,
  /// binary32 for F64 and integers).
  RoundTripErrors(std::span<const Quantizer> quantizers, Dtype weight_dtype);
  ~RoundTripErrors();
  RoundTripErrors(RoundTripErrors&&) noexcept;
  RoundTripErrors& operator=(RoundTripErrors&&) noexcept;

  /// Adds to sse[i] the squared error of the i-th quantizer over the block: each w - w' is one
  /// binary32 step; at most 16 squares are summed in binary32, which keeps a sum to 9.6e-7 of it,
  /// the rest in float64, and all of it where errors are so small or so large (1e-30) that their
  /// squares leave binary32. Deterministic for a given instruction set, block shape, set of
  /// quantizers and values.
  void add(const RowBlock& block, std::span<double> sse);

 private:
  struct Pass;
  std::vector<Quantizer> quantizers_;
  Dtype weight_dtype_;
  std::vector<Pass> passes_;
};

/// One group, in full: what a writer stores. Scalar reference semantics.
struct GroupCode {
  float scale = 0.0F;
  float bias = 0.0F;
};
/// Quantizes one group (values.size() <= group_size; missing values are zeros) to codes and returns
/// scale and bias as stored (rounded to the weight's dtype for affine). codes and dequantized have
/// values.size() elements.
GroupCode quantize_group(std::span<const float> values, const Quantizer& quantizer,
                         Dtype weight_dtype, std::span<std::uint8_t> codes,
                         std::span<float> dequantized);

}  // namespace moesweep::kernels
