#include <algorithm>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shell_word.hpp>
#include <moesweep/engine/launch/directive_value.hpp>

namespace moesweep::launch {

std::string directive_value(std::string_view value) {
  expect(value.find_first_of(std::string_view("\n\r\0", 3)) == std::string_view::npos,
         "an option of sbatch holds a line break");
  const bool plain = std::all_of(value.begin(), value.end(), [](char symbol) {
    return is_plain_in_shell(symbol) || static_cast<unsigned char>(symbol) >= 0x80;
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
