#pragma once
// Control characters have no place in names of tensors and shards: NUL ends a path early, ESC and
// the C1 controls drive the terminal they are printed on.

#include <string_view>

namespace moesweep::checkpoint {

/// Any of U+0000 to U+001F, U+007F, U+0080 to U+009F in UTF-8 text.
constexpr bool has_control_characters(std::string_view text) {
  unsigned char before = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (before == 0xc2 && byte >= 0x80 && byte < 0xa0) return true;
    before = byte;
  }
  return false;
}

}  // namespace moesweep::checkpoint
