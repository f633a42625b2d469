#pragma once
// The storage formats: what each is, and under which word a runtime's files have it. All that
// lists, offers, sizes, writes or recognizes formats reads this table. A new format is one row of
// it, one file of src/model/kernels/quantizers and its line in formats.hpp there (rtn and affine
// have SIMD kernels of their own).
//
//   rtn                               ours: asymmetric min/max, binary32 scale and offset
//   affine                            MLX: scale and bias in the weight's dtype
//   q8_0 q6_k q5_k q4_k q3_k q2_k     GGUF, without importance matrix
//   nvfp4                             E2M1, an E4M3 scale a block, one binary32 scale a matrix
//   mxfp4_ocp _even _rceil _ggml      E2M1, a power of two a block; the names are the rules that
//                                     choose it
//   ct_int4 ct_int8                   compressed-tensors, symmetric integers
//
// Definitions and sources of the arithmetic: docs/metrics.md, "Block formats".

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/model/formats/encoding.hpp>

namespace moesweep::formats {

enum class Family : std::uint8_t {
  rtn,
  affine,
  ggml,  ///< block types that only GGUF files have
  nvfp4,
  mxfp4,
  compressed_tensors,
};

/// The widest thing that one of a format's parameters is of.
enum class Scope : std::uint8_t { block, row, matrix, tie };

/// What the files of runtimes call a format; empty where they don't have it.
struct Words {
  /// enum ggml_type of ggml/include/ggml.h; llama-quantize calls the type Format::stored_as.
  std::optional<std::uint32_t> ggml_type{};
  std::string_view mlx_mode{};            ///< mlx.core.quantize
  std::string_view compressed_tensors{};  ///< `format` of a config group, its type being "int"
  bool gptqmodel = false;                 ///< by bits, group_size and sym
  bool modelopt = false;                  ///< by num_bits and block_sizes
};

struct Format {
  std::string_view name;
  /// What files call it. Formats that differ in how codes are chosen share it; where the bytes lie
  /// depends on the file: GGUF has a block's scale in the block, others in a tensor of its own.
  std::string_view stored_as;
  Family family = Family::rtn;
  std::span<const std::int32_t> bits{};  ///< of one code, ascending
  /// Weights that share a scale, along the last axis; ascending. One: blocks have this length.
  std::span<const std::int32_t> groups{};
  int metadata_bits = 0;         ///< scales and minima of one block, whatever the weight's dtype
  int weight_dtype_numbers = 0;  ///< more of them, in scale_dtype()
  Scope scope = Scope::block;
  /// Time of a round trip, in round trips of `rtn`: for estimates only.
  int relative_cost = 1;
  bool is_default = false;  ///< `allocate` offers it to its runtime without being told
  Words words{};

  /// Blocks have one length: bits and group need not be said.
  bool has_fixed_block() const { return groups.size() == 1; }
  /// Bits are a choice, not part of the name.
  bool has_bits() const { return bits.size() > 1; }
  /// It is of this format and has bits that this has.
  bool has_bits_of(const Encoding& encoding) const;
  /// And one of its groups.
  bool offers(const Encoding& encoding) const;
  bool has_offset() const { return family == Family::rtn || family == Family::affine; }
  /// A number for the whole matrix, stored once beside its blocks.
  bool has_matrix_parameter() const { return scope == Scope::matrix; }
};

/// All of them, in the order above.
std::span<const Format> catalog();
/// Null when no format has the name.
const Format* find_format(std::string_view name);
/// bug() when no format has the name.
const Format& format_named(std::string_view name);
/// Names of all formats: the choices of job files and options.
std::vector<std::string> names();

/// Of scales and biases that have the weight's dtype: BF16 for 8-bit floats, F32 for F64 and
/// integers.
constexpr Dtype scale_dtype(Dtype weight_dtype) {
  switch (weight_dtype) {
    case Dtype::bf16:
    case Dtype::f8_e4m3:
    case Dtype::f8_e5m2:
      return Dtype::bf16;
    case Dtype::f16:
      return Dtype::f16;
    default:
      return Dtype::f32;
  }
}

}  // namespace moesweep::formats
