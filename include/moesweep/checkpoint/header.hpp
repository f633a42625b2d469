#pragma once
// The safetensors header, parsed from bytes alone (https://huggingface.co/docs/safetensors): no
// file is opened here, so hostile input can be fuzzed.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/base/dtype.hpp>

namespace moesweep::checkpoint {

/// One tensor of a header. Offsets are bytes from the start of the file, [byte_begin, byte_end).
struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape;  ///< outermost first; empty for a scalar
  std::uint64_t byte_begin = 0;
  std::uint64_t byte_end = 0;
};

/// Largest header accepted, as in the reference implementation.
inline constexpr std::uint64_t max_header_bytes = 100'000'000;

/// Bytes of the length prefix plus the JSON header, from the first 8 bytes of the file. Throws
/// Error(bad_input) with `file` as place when the length is 0, above max_header_bytes or past
/// `file_bytes`.
std::uint64_t header_bytes(std::span<const std::byte> first8, std::uint64_t file_bytes,
                           const std::string& file);

/// Parses the prefix and header in `bytes` of a file of `file_bytes`. Every tensor's range must lie
/// in the file, equal shape x dtype, and the ranges must cover the data exactly: overlaps, holes,
/// trailing bytes, duplicate keys, unknown dtypes, deep JSON, negative or overflowing sizes,
/// control characters in names are Error(bad_input) naming file and tensor. Sorted by offset, then
/// name.
std::vector<TensorEntry> parse_header(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                                      const std::string& file);

}  // namespace moesweep::checkpoint
