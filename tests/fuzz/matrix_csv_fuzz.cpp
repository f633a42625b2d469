// A quality matrix in CSV.

#include <moesweep/analysis/quality/measurement.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  quality::Options options;
  options.quality = {"acc"};
  options.safety = {"safe"};
  options.baseline = "bf16";
  fuzz::parses_or_refuses(
      [&] { quality::parse_matrix(fuzz::text_of(data, size), "matrix.csv", options); });
  return 0;
}
