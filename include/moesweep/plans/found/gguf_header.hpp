#pragma once
// The header of a GGUF file (versions 2 and 3, little-endian), parsed from bytes that are handed in
// piece by piece: no file is opened here, so hostile input can be fuzzed.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and ggml/include/gguf.h; types:
// formats/ggml_types.hpp.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/model/formats/ggml_types.hpp>

namespace moesweep::found {

struct GgufTensor {
  std::string name;
  std::vector<std::int64_t> shape;  ///< outermost first; the file has it the other way round
  const formats::GgmlType* type = nullptr;  ///< lives as long as the program
  std::uint64_t byte_begin = 0;             ///< from the start of the file
  std::uint64_t byte_end = 0;
};

struct GgufHeader {
  std::uint32_t version = 0;
  std::uint64_t alignment = 32;
  std::string architecture;         ///< general.architecture; empty when missing
  std::uint64_t split_count = 0;    ///< split.count; 0: not split
  std::uint64_t split_number = 0;   ///< split.no, from 0
  std::vector<GgufTensor> tensors;  ///< in the order of the file
};

/// A file of which only parts are read.
struct GgufBytes {
  std::uint64_t size = 0;
  std::function<void(std::uint64_t offset, std::span<std::byte> out)> read;
};

/// Every length is checked against the file's size before anything of that length is read or kept.
/// Error(bad_input) with `file` as place, naming key or tensor: wrong magic, other versions,
/// big-endian files, truncated headers, counts and lengths past the end, unknown value and tensor
/// types, nested arrays deeper than 4, alignments that are no power of two up to 1 MiB, duplicate
/// keys and names, rows of partial blocks, sizes beyond 2^63, tensors that overlap, are not aligned
/// or end behind the file.
GgufHeader parse_gguf(const GgufBytes& bytes, const std::string& file);

}  // namespace moesweep::found
