#include <algorithm>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shell_word.hpp>

namespace moesweep {

// Bytes above ASCII belong to UTF-8 and mean nothing to a shell; they are quoted all the same.
bool is_plain_in_shell(char symbol) {
  const bool letter = (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z');
  const bool digit = symbol >= '0' && symbol <= '9';
  return letter || digit || std::string_view("_./:,@%+=-").find(symbol) != std::string_view::npos;
}

std::string shell_word(std::string_view value) {
  expect(value.find('\0') == std::string_view::npos, "a word of a shell holds a NUL byte");
  if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain_in_shell))
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

}  // namespace moesweep
