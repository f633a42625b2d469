// results.h5 with a checksum that fits, as who made the file would write it.

#include <moesweep/engine/store/results.hpp>

#include "checksum_block.hpp"
#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const auto path = fuzz::memory_folder() / "results.h5";
  auto file = store::checksum_block(std::as_bytes(std::span(data, size)));
  file += fuzz::text_of(data, size);
  fuzz::write_file(path, file);
  fuzz::parses_or_refuses([&] { store::read_results(path); });
  return 0;
}
