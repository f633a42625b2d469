#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/kernels/pack.hpp>

namespace moesweep::kernels {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

// The first codes are given, the others are 0.
std::vector<std::uint32_t> packed(std::vector<std::uint8_t> codes, int bits) {
  codes.resize(32, 0);
  std::vector<std::uint32_t> words(static_cast<std::size_t>(bits));
  pack_codes(codes, bits, words);
  return words;
}

// Words worked out by hand: code i begins at bit i * bits of the stream.
TEST(PackCodes, OfTwoBitsFillAWordFromTheBottom) {
  // ...  3<<6 | 2<<4 | 1<<2 | 0, and the seventeenth code begins the second word
  std::vector<std::uint8_t> codes = {0, 1, 2, 3};
  codes.resize(16, 0);
  codes[15] = 3;
  codes.push_back(2);
  EXPECT_THAT(packed(codes, 2), ElementsAre(0xC00000E4U, 0x2U));
}

TEST(PackCodes, OfThreeBitsCrossTheWords) {
  // code 10 has bits 30..32: 0b101 puts 01 on top of word 0 and 1 at the bottom of word 1;
  // code 21 has bits 63..65: 0b110 puts 0 on top of word 1 and 11 at the bottom of word 2
  std::vector<std::uint8_t> codes(32, 0);
  codes[0] = 7;
  codes[1] = 2;
  codes[10] = 5;
  codes[21] = 6;
  EXPECT_THAT(packed(codes, 3), ElementsAre(0x40000017U, 0x1U, 0x3U));
}

TEST(PackCodes, OfFourBitsAreHexDigitsBackwards) {
  EXPECT_THAT(packed({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0}, 4),
              ElementsAre(0x87654321U, 0x0FEDCBA9U, 0U, 0U));
}

TEST(PackCodes, OfFiveBitsCrossTheWords) {
  // code 6 has bits 30..34: 0b10110 puts 10 on top of word 0 and 101 at the bottom of word 1
  std::vector<std::uint8_t> codes(32, 0);
  codes[0] = 31;
  codes[1] = 1;
  codes[6] = 22;
  codes[31] = 17;
  EXPECT_THAT(packed(codes, 5), ElementsAre(0x8000003FU, 0x5U, 0U, 0U, 0x88000000U));
}

TEST(PackCodes, OfSixBitsCrossTheWords) {
  // code 5 has bits 30..35: 0b110110 puts 10 on top of word 0 and 1101 at the bottom of word 1
  std::vector<std::uint8_t> codes(32, 0);
  codes[0] = 63;
  codes[1] = 1;
  codes[5] = 54;
  codes[31] = 33;
  EXPECT_THAT(packed(codes, 6), ElementsAre(0x8000007FU, 0xDU, 0U, 0U, 0U, 0x84000000U));
}

TEST(PackCodes, OfEightBitsAreBytes) {
  EXPECT_THAT(packed({0x11, 0x22, 0x33, 0xFF, 0x80}, 8),
              ElementsAre(0xFF332211U, 0x80U, 0U, 0U, 0U, 0U, 0U, 0U));
}

TEST(UnpackCodes, GivesBackWhatWasPacked) {
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    std::vector<std::uint8_t> codes(96);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] = static_cast<std::uint8_t>((i * 37 + 11) % (std::size_t{1} << bits));
    }
    std::vector<std::uint32_t> words(codes.size() / 32 * static_cast<std::size_t>(bits));
    pack_codes(codes, bits, words);
    std::vector<std::uint8_t> unpacked(codes.size());
    unpack_codes(words, bits, unpacked);
    EXPECT_THAT(unpacked, ElementsAreArray(codes)) << bits << " bits";
  }
}

TEST(UnpackCodes, ReadsTheStreamFromTheBottom) {
  const std::vector<std::uint32_t> words = {0x40000017U, 0x1U, 0x3U};
  std::vector<std::uint8_t> codes(32);
  unpack_codes(words, 3, codes);
  EXPECT_EQ(codes[0], 7);
  EXPECT_EQ(codes[1], 2);
  EXPECT_EQ(codes[10], 5);
  EXPECT_EQ(codes[21], 6);
  EXPECT_EQ(codes[31], 0);
}

}  // namespace
}  // namespace moesweep::kernels
