#pragma once

#include <cstdint>
#include <iterator>
#include <string>

#include <fmt/format.h>

namespace moesweep::arrays {

/// Appends 18 characters: 0x and 16 hex digits.
inline void append_id(std::string& out, std::uint64_t id) {
  fmt::format_to(std::back_inserter(out), "0x{:016x}", id);
}

}  // namespace moesweep::arrays
