// An .npz archive, with every array in it read.

#include <moesweep/core/arrays/array_file.hpp>
#include <moesweep/core/arrays/npz_file.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const fuzz::MemoryFile file(data, size);
  fuzz::parses_or_refuses([&] {
    for (const auto& [name, array] : arrays::open_npz(file.path())) {
      // Deflate makes a kilobyte of a byte: the sizes are the point, not the waiting.
      if (array.elements() > 1 << 20) continue;
      std::uint64_t bytes = 0;
      array.for_each_piece([&](std::span<const std::byte> piece) { bytes += piece.size(); });
      fuzz::require(bytes == static_cast<std::uint64_t>(array.elements() * array.type.bytes));
    }
  });
  return 0;
}
