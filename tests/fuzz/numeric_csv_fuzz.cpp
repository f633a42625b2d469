// Columns of numbers.

#include <moesweep/core/stats/numeric_csv.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  fuzz::parses_or_refuses(
      [&] { stats::parse_numeric_csv(fuzz::text_of(data, size), "numbers.csv"); });
  return 0;
}
