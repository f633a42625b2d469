#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/formats/sizes.hpp>

namespace moesweep::formats {
namespace {

using Shape = std::vector<std::int64_t>;

TEST(StoredBytes, OfAffineAreCodesScalesAndBiases) {
  // 1024 weights of 4 bits, 16 groups of 64 with a scale and a bias of 2 bytes
  EXPECT_EQ(stored_bytes({"affine", 4, 64}, Shape{8, 128}, Dtype::bf16), 512 + 2 * 16 * 2);
  EXPECT_EQ(stored_bytes({"affine", 4, 64}, Shape{8, 128}, Dtype::f32), 512 + 2 * 16 * 4);
  EXPECT_EQ(stored_bytes({"affine", 3, 32}, Shape{3, 8, 128}, Dtype::f16), 3 * (384 + 2 * 32 * 2));
}

TEST(StoredBytes, OfEightBitFloatsHaveScalesOfBf16) {
  EXPECT_EQ(stored_bytes({"affine", 2, 128}, Shape{8, 128}, Dtype::f8_e4m3), 256 + 2 * 8 * 2);
}

TEST(StoredBytes, AreNoneWhereTheFormatCannot) {
  EXPECT_EQ(stored_bytes({"affine", 4, 64}, Shape{8, 96}, Dtype::bf16), -1);   // columns
  EXPECT_EQ(stored_bytes({"affine", 7, 64}, Shape{8, 128}, Dtype::bf16), -1);  // bits
  EXPECT_EQ(stored_bytes({"affine", 4, 16}, Shape{8, 128}, Dtype::bf16), -1);  // group
  EXPECT_EQ(stored_bytes({"affine", 4, 64}, Shape{128}, Dtype::bf16), -1);     // not a matrix
  EXPECT_EQ(stored_bytes({"affine", 4, 64}, Shape{8, 128}, Dtype::i32), -1);   // not weights
  EXPECT_EQ(stored_bytes({"affine", 4, 64}, Shape{8, 0}, Dtype::bf16), -1);
  EXPECT_EQ(stored_bytes({"q4_k", 4, 256}, Shape{8, 128}, Dtype::bf16), -1);
}

TEST(StoredBytes, CountTheScaleOfEachMatrix) {
  EXPECT_EQ(stored_bytes({"nvfp4", 4, 16}, Shape{4, 512}, Dtype::bf16), 4 * 512 / 2 + 4 * 32 + 4);
  EXPECT_EQ(stored_bytes({"nvfp4", 4, 16}, Shape{3, 4, 512}, Dtype::bf16),
            3 * (4 * 512 / 2 + 4 * 32 + 4));
}

TEST(StoredBytes, DoNotOverflowWhereTheShapeDoesNot) {
  constexpr std::int64_t rows = std::int64_t{1} << 50;
  EXPECT_EQ(stored_bytes({"q8_0", 8, 32}, Shape{rows, 1024}, Dtype::bf16), rows * 32 * 34);
}

TEST(BlockBytes, AreSplitByTheTensorsThatHaveThem) {
  const auto affine = block_bytes({"affine", 3, 64}, Dtype::bf16);
  EXPECT_EQ(affine.codes, 24);
  EXPECT_EQ(affine.scales, 2);
  EXPECT_EQ(affine.biases, 2);
  const auto nvfp4 = block_bytes({"nvfp4", 4, 16}, Dtype::bf16);
  EXPECT_EQ(nvfp4.codes, 8);
  EXPECT_EQ(nvfp4.scales, 1);
  const auto q4_k = block_bytes({"q4_k", 4, 256}, Dtype::bf16);
  EXPECT_EQ(q4_k.codes, 144);
  EXPECT_EQ(q4_k.scales, 0);
  EXPECT_EQ(block_bytes({"ct_int4", 4, 32}, Dtype::f32).scales, 4);
  EXPECT_EQ(block_bytes({"rtn", 4, 32}, Dtype::bf16).biases, 4);
}

TEST(BitsPerWeight, CountScalesAndMinima) {
  EXPECT_EQ(bits_per_weight({"q6_k", 6, 256}, Dtype::bf16), 210 * 8 / 256.0);
  EXPECT_EQ(bits_per_weight({"ct_int4", 4, 128}, Dtype::bf16), 4.125);
  EXPECT_EQ(bits_per_weight({"rtn", 4, 128}, Dtype::bf16), 4.5);
}

}  // namespace
}  // namespace moesweep::formats
