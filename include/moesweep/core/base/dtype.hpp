#pragma once
// Element types of checkpoints, named as in the safetensors format.

#include <cstdint>
#include <optional>
#include <string_view>

namespace moesweep {

enum class Dtype : std::uint8_t {
  bf16,
  f16,
  f32,
  f64,
  f8_e4m3,
  f8_e5m2,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  boolean,
  c64,
  f8_e8m0,  ///< powers of 2: scales of blocks
  f6_e2m3,
  f6_e3m2,
  f4,           ///< E2M1, two in a byte
  f8_e4m3fnuz,  ///< without infinities and negative zero, other exponent bias (AMD, Graphcore)
  f8_e5m2fnuz,
};

/// "BF16", "F8_E4M3", "BOOL", ... as written in safetensors headers.
std::string_view dtype_name(Dtype dtype);
std::optional<Dtype> parse_dtype(std::string_view name);
/// Bits of one element; 4 and 6 for types that are packed.
std::int64_t dtype_bits(Dtype dtype);
/// Bytes of one element: 1, 2, 4 or 8. bug() for types that are packed.
std::int64_t dtype_bytes(Dtype dtype);
/// Bytes of so many elements, packed where the type is: the last one may be filled in part.
std::int64_t bytes_of_elements(Dtype dtype, std::int64_t elements);
/// Floating-point types that are decoded: they carry weights. Integers and booleans are tables and
/// packed data; E8M0, FNUZ and types below 8 bits are what scales make weights of.
bool is_floating_point(Dtype dtype);
/// A type of less than 8 bits: several elements are in a byte.
bool is_sub_byte(Dtype dtype);
/// Integers and booleans.
bool is_integer(Dtype dtype);

}  // namespace moesweep
