#pragma once
// Well-formedness of UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace moesweep {

/// Offset of the first byte that does not continue well-formed UTF-8; nothing when all do.
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// True for UTF-8 without control characters (C0 and DEL): what a name, a pattern or a path may be.
bool is_plain_text(std::string_view text);

/// `text` itself when it is well-formed UTF-8 without NUL; otherwise a copy, held by `scratch`,
/// with U+FFFD for each byte that is not.
std::string_view clean_text(std::string_view text, std::string& scratch);

}  // namespace moesweep
