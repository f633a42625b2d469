#pragma once
// The text before the values of a NumPy array.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moesweep::arrays {

/// Format 1.0 of numpy's .npy, C order: the values start at a multiple of 64 bytes. `dtype` as in
/// numpy, e.g. "<f4".
std::string npy_header(std::string_view dtype, const std::vector<std::int64_t>& shape);

}  // namespace moesweep::arrays
