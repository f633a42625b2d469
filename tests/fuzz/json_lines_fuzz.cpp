// JSON Lines of samples, added up and compared.

#include <moesweep/analysis/quality/samples.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const fuzz::MemoryFile file(data, size);
  quality::Options options;
  options.quality = {"acc"};
  options.safety = {"safe"};
  options.capability = {"acc"};
  options.baseline = "bf16";
  fuzz::parses_or_refuses([&] {
    for (const auto& block : quality::cut_blocks(size)) {
      quality::describe(quality::join(quality::add_up(file.path(), block, 0.5)));
    }
  });
  fuzz::parses_or_refuses([&] {
    quality::join_overlap(quality::overlap(file.path(), {0, 1}, options));
  });
  return 0;
}
