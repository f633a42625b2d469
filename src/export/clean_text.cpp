#include "clean_text.hpp"

#include <cstddef>

namespace moesweep::exports {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

bool in_range(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

// Length of the well-formed sequence at the front, 0 when there is none (The Unicode Standard 15.0,
// table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  const auto continues = [&](std::size_t i) { return in_range(byte(i), 0x80, 0xbf); };
  const unsigned char lead = byte(0);
  if (in_range(lead, 0x01, 0x7f)) return 1;
  if (in_range(lead, 0xc2, 0xdf)) return continues(1) ? 2 : 0;
  if (in_range(lead, 0xe0, 0xef)) {
    const unsigned char low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned char high = lead == 0xed ? 0x9f : 0xbf;
    return in_range(byte(1), low, high) && continues(2) ? 3 : 0;
  }
  if (in_range(lead, 0xf0, 0xf4)) {
    const unsigned char low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xf4 ? 0x8f : 0xbf;
    return in_range(byte(1), low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

// Bytes at the front that need no change.
std::size_t clean_prefix(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto length = sequence_length(text.substr(i));
    if (length == 0) break;
    i += length;
  }
  return i;
}

}  // namespace

std::string_view clean_text(std::string_view text, std::string& scratch) {
  auto clean = clean_prefix(text);
  if (clean == text.size()) return text;
  scratch.clear();
  while (clean < text.size()) {
    scratch += text.substr(0, clean);
    scratch += replacement;
    text.remove_prefix(clean + 1);
    clean = clean_prefix(text);
  }
  scratch += text;
  return scratch;
}

}  // namespace moesweep::exports
