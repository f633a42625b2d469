#include <fmt/format.h>

#include <moesweep/core/arrays/npy_text.hpp>

namespace moesweep::arrays {

std::string npy_header(std::string_view dtype, const std::vector<std::int64_t>& shape) {
  constexpr std::size_t before_dictionary = 10;
  constexpr std::size_t alignment = 64;
  std::string sides;
  for (const auto side : shape) sides += fmt::format("{}{}", sides.empty() ? "" : " ", side) + ",";
  if (shape.size() > 1) sides.pop_back();  // only a tuple of one needs its comma
  auto dictionary =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", dtype, sides);
  const auto used = before_dictionary + dictionary.size() + 1;
  dictionary.append((alignment - used % alignment) % alignment, ' ');
  dictionary += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01';
  header += '\0';
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

}  // namespace moesweep::arrays
