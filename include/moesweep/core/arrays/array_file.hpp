#pragma once
// Named arrays of files. Opening reads headers only; sizes are checked against the file before
// anything is allocated.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace moesweep::arrays {

enum class ElementKind : std::uint8_t {
  floating,
  bfloat,
  signed_integer,
  unsigned_integer,  ///< booleans too
  bytes,             ///< text, a byte a character, null-padded
  unicode,           ///< text, four bytes a character, null-padded
};

struct ElementType {
  ElementKind kind = ElementKind::floating;
  std::int64_t bytes = 4;
};

using TakeBytes = std::function<void(std::span<const std::byte>)>;

/// Little-endian, last index fastest.
struct Array {
  std::string place;  ///< file and array, for messages
  ElementType type;
  std::vector<std::int64_t> shape;
  /// Hands over the data in order, in pieces of whole elements, of 1 MiB at most. A piece is as
  /// long as `take` runs.
  std::function<void(const TakeBytes& take)> for_each_piece;

  std::int64_t elements() const;
};
using Arrays = std::map<std::string, Array>;

/// A single .npy. Error(bad_input) for everything else and for what is hostile, truncated,
/// big-endian or in Fortran order.
Array open_npy(const std::filesystem::path& path);
/// The .npy of a folder, those of its subfolders too: `L1/mean.npy` is L1/mean.
Arrays open_npy_folder(const std::filesystem::path& folder);

/// Of any floating-point type, in pieces; float64 is rounded.
void for_each_float(const Array& array, const std::function<void(std::span<const float>)>& take);

/// The values of an array that is not states, all at once: more than these are refused before any
/// is read. A sample has a few of them.
inline constexpr std::int64_t most_values = std::int64_t{1} << 25;
inline constexpr std::int64_t most_text_bytes = std::int64_t{1} << 30;
std::vector<std::int64_t> integers_of(const Array& array);
std::vector<std::string> texts_of(const Array& array);

/// Calls `piece(offset, bytes)` for `bytes` bytes in pieces of at most 1 MiB of whole elements.
void for_each_part(std::uint64_t bytes, std::int64_t element_bytes,
                   const std::function<void(std::uint64_t offset, std::size_t bytes)>& piece);

}  // namespace moesweep::arrays
