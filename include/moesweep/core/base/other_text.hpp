#pragma once
// What servers and tools leave in the place of any file: a pointer, a page, a refusal.

#include <string>
#include <string_view>

namespace moesweep {

struct OtherText {
  std::string_view first_bytes;  ///< in lower case
  const char* what;              ///< "is an HTML page"
  const char* remedy;
};

/// `text` without what editors and servers put in front of it: a byte order mark and blanks.
std::string_view without_blanks_in_front(std::string_view text);

/// A-Z alone.
std::string lower_case(std::string_view text);

/// A Git LFS pointer, an HTML or XML page or a server's error message; null for anything else. Of
/// `begin` the first 8 bytes are enough.
const OtherText* other_text(std::string_view begin);

}  // namespace moesweep
