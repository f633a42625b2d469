#include <algorithm>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/launch/shell_text.hpp>

namespace moesweep::launch {
namespace {

// ASCII only and independent of the locale. Bytes above belong to UTF-8 and mean nothing to a
// shell.
bool is_plain(char symbol) {
  const bool letter = (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z');
  const bool digit = symbol >= '0' && symbol <= '9';
  return letter || digit || std::string_view("_./:,@%+=-").find(symbol) != std::string_view::npos;
}

}  // namespace

std::string shell_word(std::string_view value) {
  expect(value.find('\0') == std::string_view::npos, "a word of a shell holds a NUL byte");
  if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain))
    return std::string(value);
  std::string word = "'";
  for (const char symbol : value) {
    if (symbol == '\'')
      word += "'\\''";
    else
      word += symbol;
  }
  return word + "'";
}

std::string directive_value(std::string_view value) {
  expect(value.find_first_of(std::string_view("\n\r\0", 3)) == std::string_view::npos,
         "an option of sbatch holds a line break");
  const bool plain = std::all_of(value.begin(), value.end(), [](char symbol) {
    return is_plain(symbol) || static_cast<unsigned char>(symbol) >= 0x80;
  });
  if (plain) return std::string(value);
  // A backslash takes the meaning of a quote, but not that of a blank (Slurm 22.05): quotes do.
  std::string out = "\"";
  for (const char symbol : value) {
    if (symbol == '"' || symbol == '\\') out += '\\';
    out += symbol;
  }
  return out + '"';
}

}  // namespace moesweep::launch
