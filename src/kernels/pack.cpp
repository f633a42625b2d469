#include <cstddef>

#include <moesweep/base/error.hpp>
#include <moesweep/kernels/pack.hpp>

namespace moesweep::kernels {
namespace {

void expect_sizes(std::size_t codes, int bits, std::size_t words) {
  expect(bits >= 1 && bits <= 8, "packed codes have 1 to 8 bits");
  expect(codes % 32 == 0, "codes to be packed fill no whole words");
  expect(words == codes / 32 * static_cast<std::size_t>(bits), "packed words of another size");
}

}  // namespace

void pack_codes(std::span<const std::uint8_t> codes, int bits, std::span<std::uint32_t> words) {
  expect_sizes(codes.size(), bits, words.size());
  std::uint64_t stream = 0;
  int filled = 0;
  std::size_t next = 0;
  for (const auto code : codes) {
    stream |= static_cast<std::uint64_t>(code) << filled;
    filled += bits;
    if (filled < 32) continue;
    words[next++] = static_cast<std::uint32_t>(stream);
    stream >>= 32;
    filled -= 32;
  }
}

void unpack_codes(std::span<const std::uint32_t> words, int bits, std::span<std::uint8_t> codes) {
  expect_sizes(codes.size(), bits, words.size());
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  std::uint64_t stream = 0;
  int left = 0;
  std::size_t next = 0;
  for (auto& code : codes) {
    if (left < bits) {
      stream |= static_cast<std::uint64_t>(words[next++]) << left;
      left += 32;
    }
    code = static_cast<std::uint8_t>(stream & mask);
    stream >>= bits;
    left -= bits;
  }
}

}  // namespace moesweep::kernels
