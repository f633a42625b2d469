#pragma once
// Named arrays of numpy and safetensors files. Opening reads headers only; sizes are checked
// against the file before anything is allocated.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace moesweep::pipeline {

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

/// Little-endian, last index fastest.
struct Array {
  std::string place;  ///< file and array, for messages
  ElementType type;
  std::vector<std::int64_t> shape;
  std::function<std::vector<std::byte>()> read;

  std::int64_t elements() const;
};
using Arrays = std::map<std::string, Array>;

/// Arrays of an .npz, of a folder of .npy (`L1/mean.npy` in a subfolder is L1/mean), of a single
/// .npy (named by its file) or of a .safetensors file. Error(bad_input) for everything else and for
/// what is hostile, truncated, big-endian or in Fortran order.
Arrays open_arrays(const std::filesystem::path& path);

/// Of any floating-point type; float64 is rounded.
std::vector<float> floats_of(const Array& array);
std::vector<std::int64_t> integers_of(const Array& array);
std::vector<std::string> texts_of(const Array& array);

}  // namespace moesweep::pipeline
