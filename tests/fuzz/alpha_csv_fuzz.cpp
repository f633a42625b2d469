// Factors of --alpha.

#include <moesweep/plans/allocation/plan.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  fuzz::parses_or_refuses([&] { allocation::parse_alpha(fuzz::text_of(data, size), "alpha.csv"); });
  return 0;
}
