#include <fmt/format.h>

#include <moesweep/model/formats/encoding.hpp>

namespace moesweep::formats {

std::string text_of(const Encoding& encoding) {
  if (encoding.keeps()) return fmt::format("{} bits", encoding.bits);
  return fmt::format("{} {} bits in groups of {}", encoding.quantizer, encoding.bits,
                     encoding.group_size);
}

}  // namespace moesweep::formats
