// Whatever the bytes, parse_gguf either throws Error(bad_input) or gives tensors that lie in the
// file and apart.

#include <algorithm>
#include <cstring>

#include <moesweep/plans/found/gguf_header.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  using fuzz::require;
  const found::GgufBytes bytes{size, [=](std::uint64_t offset, std::span<std::byte> out) {
                                 require(offset <= size && out.size() <= size - offset);
                                 if (!out.empty()) {
                                   std::memcpy(out.data(), data + offset, out.size());
                                 }
                               }};
  fuzz::parses_or_refuses([&] {
    auto tensors = found::parse_gguf(bytes, "fuzz").tensors;
    std::erase_if(tensors, [](const auto& tensor) { return tensor.byte_begin == tensor.byte_end; });
    std::ranges::sort(tensors, {}, &found::GgufTensor::byte_begin);
    std::uint64_t covered = 0;
    for (const auto& tensor : tensors) {
      require(tensor.byte_begin >= covered && tensor.byte_end <= size && tensor.type != nullptr);
      covered = tensor.byte_end;
    }
  });
  return 0;
}
