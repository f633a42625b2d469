#include <vector>

#include <gtest/gtest.h>

#include <moesweep/plans/written/layout.hpp>

namespace moesweep::written {
namespace {

using Shape = std::vector<std::int64_t>;

TEST(AffineBytes, AreCodesScalesAndBiases) {
  // 1024 weights of 4 bits, 16 groups of 64 with a scale and a bias of 2 bytes
  EXPECT_EQ(affine_bytes(Shape{8, 128}, Dtype::bf16, 4, 64), 512 + 2 * 16 * 2);
  EXPECT_EQ(affine_bytes(Shape{8, 128}, Dtype::f32, 4, 64), 512 + 2 * 16 * 4);
  EXPECT_EQ(affine_bytes(Shape{3, 8, 128}, Dtype::f16, 3, 32), 3 * (384 + 2 * 32 * 2));
}

TEST(AffineBytes, EightBitFloatsHaveScalesOfBf16) {
  EXPECT_EQ(affine_bytes(Shape{8, 128}, Dtype::f8_e4m3, 2, 128), 256 + 2 * 8 * 2);
}

TEST(AffineBytes, AreNoneWhereMlxCannot) {
  EXPECT_EQ(affine_bytes(Shape{8, 96}, Dtype::bf16, 4, 64), -1);   // columns
  EXPECT_EQ(affine_bytes(Shape{8, 128}, Dtype::bf16, 7, 64), -1);  // bits
  EXPECT_EQ(affine_bytes(Shape{8, 128}, Dtype::bf16, 4, 16), -1);  // group
  EXPECT_EQ(affine_bytes(Shape{128}, Dtype::bf16, 4, 64), -1);     // no matrix
  EXPECT_EQ(affine_bytes(Shape{8, 128}, Dtype::i32, 4, 64), -1);   // no weights
  EXPECT_EQ(affine_bytes(Shape{8, 0}, Dtype::bf16, 4, 64), -1);
}

}  // namespace
}  // namespace moesweep::written
