// model.safetensors.index.json.

#include "index.hpp"
#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  fuzz::parses_or_refuses([&] {
    const auto entries = checkpoint::parse_index(std::as_bytes(std::span(data, size)), "fuzz");
    fuzz::require(!entries.empty());
    for (std::size_t i = 1; i < entries.size(); ++i) {
      fuzz::require(entries[i - 1].tensor < entries[i].tensor);
    }
  });
  return 0;
}
