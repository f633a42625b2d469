#include <algorithm>
#include <cstdint>

#include <moesweep/core/base/utf8.hpp>

namespace moesweep {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

/// Bytes of the sequence that begins `text`, 0 when it is ill-formed.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xed && byte(1) > 0x9f;
  const bool beyond_unicode = lead == 0xf4 && byte(1) > 0x8f;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

/// Bytes at the front that need no change: NUL ends what C reads.
std::size_t clean_prefix(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && text[i] != '\0') {
    const auto length = sequence_length(text.substr(i));
    if (length == 0) break;
    i += length;
  }
  return i;
}

}  // namespace

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    const auto length = sequence_length(text.substr(offset));
    if (length == 0) return offset;
    offset += length;
  }
  return std::nullopt;
}

bool is_plain_text(std::string_view text) {
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  return !has_control && !first_invalid_utf8(text);
}

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

}  // namespace moesweep
