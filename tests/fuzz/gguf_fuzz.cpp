// Whatever the bytes, parse_gguf either throws Error(bad_input) or gives tensors that lie in the
// file and apart.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <moesweep/base/error.hpp>
#include <moesweep/quantized/gguf_header.hpp>

namespace {

void require(bool consistent) {
  if (!consistent) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const quantized::GgufBytes bytes{size, [=](std::uint64_t offset, std::span<std::byte> out) {
                                     require(offset <= size && out.size() <= size - offset);
                                     if (!out.empty()) {
                                       std::memcpy(out.data(), data + offset, out.size());
                                     }
                                   }};
  try {
    auto tensors = quantized::parse_gguf(bytes, "fuzz").tensors;
    std::erase_if(tensors, [](const auto& tensor) { return tensor.byte_begin == tensor.byte_end; });
    std::ranges::sort(tensors, {}, &quantized::GgufTensor::byte_begin);
    std::uint64_t covered = 0;
    for (const auto& tensor : tensors) {
      require(tensor.byte_begin >= covered && tensor.byte_end <= size && tensor.type != nullptr);
      covered = tensor.byte_end;
    }
  } catch (const Error& error) {
    require(error.exit_code() == ExitCode::bad_input);
    const std::string_view line = error.what();
    require(line.find('\n') == std::string_view::npos && line.size() < 16384);
  }
  return 0;
}
