// An inventory that allocate plans from.

#include "allocation_source.hpp"
#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const fuzz::MemoryFile file(data, size);
  fuzz::parses_or_refuses([&] { planning::read_allocation_csv(file.path()); });
  return 0;
}
