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
};

/// "BF16", "F8_E4M3", "BOOL", ... as written in safetensors headers.
std::string_view dtype_name(Dtype dtype);
std::optional<Dtype> parse_dtype(std::string_view name);
/// Bytes of one element: 1, 2, 4 or 8.
std::int64_t dtype_bytes(Dtype dtype);
/// Floating-point types carry weights; integers and booleans are tables and packed data.
bool is_floating_point(Dtype dtype);

}  // namespace moesweep
