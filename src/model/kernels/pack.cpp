#include <array>
#include <cstddef>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/pack.hpp>

namespace moesweep::kernels {
namespace {

void expect_sizes(std::size_t codes, int bits, std::size_t words) {
  expect(bits >= 1 && bits <= 8, "packed codes have 1 to 8 bits");
  expect(codes % 32 == 0, "codes to be packed fill no whole words");
  expect(words == codes / 32 * static_cast<std::size_t>(bits), "packed words of another size");
}

// For each width by itself, so that the compiler can unroll and know the shifts.
template <int bits>
void pack_words(std::span<const std::uint8_t> codes, std::uint32_t* words) {
  for (std::size_t first = 0; first < codes.size(); first += 32, words += bits) {
    std::uint64_t stream = 0;
    int filled = 0;
    int word = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      stream |= static_cast<std::uint64_t>(codes[first + i]) << filled;
      filled += bits;
      if (filled < 32) continue;
      words[word++] = static_cast<std::uint32_t>(stream);
      stream >>= 32;
      filled -= 32;
    }
  }
}

}  // namespace

void pack_codes(std::span<const std::uint8_t> codes, int bits, std::span<std::uint32_t> words) {
  expect_sizes(codes.size(), bits, words.size());
  constexpr std::array packers = {pack_words<1>, pack_words<2>, pack_words<3>, pack_words<4>,
                                  pack_words<5>, pack_words<6>, pack_words<7>, pack_words<8>};
  packers[static_cast<std::size_t>(bits - 1)](codes, words.data());
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
