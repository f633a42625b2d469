// Whatever the bytes, parse_header either throws Error(bad_input) or gives something consistent.
// The first byte chooses what the rest is: a whole file, or the JSON of a header followed by as
// many bytes of data as the second byte says.

#include <string>
#include <string_view>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/header.hpp>

#include "promise.hpp"

namespace {

using namespace moesweep;
using fuzz::require;

void check_entries(const std::vector<checkpoint::TensorEntry>& entries, std::uint64_t data_begin,
                   std::uint64_t file_bytes) {
  auto covered = data_begin;
  for (const auto& entry : entries) {
    require(entry.byte_begin == covered && entry.byte_end >= covered);
    covered = entry.byte_end;
    auto bytes = static_cast<std::uint64_t>(dtype_bytes(entry.dtype));
    for (const auto side : entry.shape) {
      require(side >= 0);
      const auto product = checked_product(bytes, static_cast<std::uint64_t>(side));
      require(product.has_value());
      bytes = *product;
    }
    require(bytes == entry.byte_end - entry.byte_begin);
    require(!entry.name.empty() && entry.name.size() <= checkpoint::max_name_bytes);
    require(entry.name.find('\0') == std::string::npos);
    require(entry.name.find('\x1b') == std::string::npos);
  }
  require(covered == file_bytes);
}

void parse_file(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  const auto data_begin = checkpoint::header_bytes(bytes, file_bytes, "fuzz");
  check_entries(checkpoint::parse_header(bytes, file_bytes, "fuzz"), data_begin, file_bytes);
}

void parse_json_header(std::string_view json, std::uint64_t data_bytes) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(json.size() >> (8 * i) & 0xff);
  file += json;
  parse_file(std::as_bytes(std::span(file)), file.size() + data_bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  fuzz::parses_or_refuses([&] {
    if (data[0] % 2 == 0) {
      parse_file(std::as_bytes(std::span(data, size)).subspan(1), size - 1);
    } else {
      parse_json_header(fuzz::text_of(data, size).substr(2), data[1]);
    }
  });
  return 0;
}
