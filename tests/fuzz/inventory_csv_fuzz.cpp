// An inventory that a twin is made of.

#include <moesweep/model/twin/inventory.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  fuzz::parses_or_refuses(
      [&] { twin::parse_inventory(fuzz::text_of(data, size), "inventory.csv"); });
  return 0;
}
