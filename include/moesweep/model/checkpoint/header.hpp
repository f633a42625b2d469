#pragma once
// The safetensors header, parsed from bytes alone (https://huggingface.co/docs/safetensors): no
// file is opened here, so hostile input can be fuzzed.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/base/dtype.hpp>

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
/// Beyond what any framework writes; results hold names in columns of fixed width.
inline constexpr std::size_t max_name_bytes = 1024;
inline constexpr std::size_t max_rank = 64;

/// Bytes of the length prefix plus the JSON header, from the first 8 bytes of the file. Throws
/// Error(bad_input) with `file` as place when the length is 0, above max_header_bytes or past
/// `file_bytes`.
std::uint64_t header_bytes(std::span<const std::byte> first8, std::uint64_t file_bytes,
                           const std::string& file);

/// Parses the prefix and header at the start of `bytes` (at least header_bytes() of them) of a file
/// of `file_bytes`. Every tensor's range must lie in the file and equal shape x dtype, and the
/// ranges must cover the data exactly. Error(bad_input) naming file and tensor: overlaps, holes,
/// ranges past the end (a truncated file), trailing bytes, duplicate keys, unknown keys and dtypes,
/// deep JSON, metadata that is not text, negative, fractional or overflowing sizes, names that are
/// empty, have control characters or exceed max_name_bytes. A name like `../x` is only a name.
/// Sorted by byte_begin, then byte_end (an empty tensor comes first), then name.
std::vector<TensorEntry> parse_header(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                                      const std::string& file);

}  // namespace moesweep::checkpoint
