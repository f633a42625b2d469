#pragma once
// Names that come from files of others (tensors, variants, companions of a checkpoint) and become
// names of files or lines on a terminal. A path, an escape sequence or a line break must not get
// through: whoever makes a file name of data does it here.

#include <cstddef>
#include <string>
#include <string_view>

namespace moesweep {

/// Any of U+0000 to U+001F, U+007F, U+0080 to U+009F in UTF-8 text: NUL ends a path early, ESC and
/// the C1 controls drive the terminal they are printed on.
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

/// Of a file name on the file systems in use.
inline constexpr std::size_t longest_file_name = 255;

/// Is it a file name as we write them: 1 to longest_file_name letters, digits, '.', '_' and '-', of
/// which the first is no '.'?
bool is_plain_file_name(std::string_view name);

/// Such a name out of any text: '_' in the place of every other character (of every byte of one
/// beyond ASCII) and of a '.' at the front, cut to `longest` bytes; "_" of an empty text.
std::string plain_file_name(std::string_view text, std::size_t longest = longest_file_name);

/// printable() line by line: for text of several lines.
std::string printable_lines(std::string_view text);

}  // namespace moesweep
