#pragma once
// Names and messages come from files of others and may hold any bytes; readers of the exports
// expect UTF-8.

#include <string>
#include <string_view>

namespace moesweep::exports {

/// `text` itself when it is well-formed UTF-8 without NUL; otherwise a copy, held by `scratch`,
/// with U+FFFD for each byte that is not.
std::string_view clean_text(std::string_view text, std::string& scratch);

}  // namespace moesweep::exports
