// An .npy file: its header, and data that fit it.

#include <moesweep/core/arrays/array_file.hpp>

#include "npy_header.hpp"
#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const auto bytes = std::as_bytes(std::span(data, size));
  fuzz::parses_or_refuses([&] {
    const auto prefix = bytes.first(std::min(bytes.size(), arrays::npy_prefix_bytes));
    const auto header_bytes = arrays::npy_header_bytes(prefix, size, "fuzz");
    const auto header = arrays::parse_npy_header(bytes.first(header_bytes), size, "fuzz");
    fuzz::require(header.data_begin + header.data_bytes == size);
  });
  return 0;
}
