#pragma once
// The header of numpy's .npy format (NEP 1, versions 1 to 3), parsed from bytes alone.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/arrays/array_file.hpp>

namespace moesweep::arrays {

/// Enough to tell how long the header is.
inline constexpr std::size_t npy_prefix_bytes = 12;

struct NpyHeader {
  ElementType type;
  std::vector<std::int64_t> shape;
  std::uint64_t data_begin = 0;
  std::uint64_t data_bytes = 0;
};

/// Bytes before the data, of a file of `file_bytes` that begins with `prefix`.
std::uint64_t npy_header_bytes(std::span<const std::byte> prefix, std::uint64_t file_bytes,
                               const std::string& place);

/// `bytes` holds exactly that much. Error(bad_input) naming `place` unless shape and type say that
/// the data ends where the file does.
NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                           const std::string& place);

}  // namespace moesweep::arrays
