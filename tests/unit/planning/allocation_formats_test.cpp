#include "allocation_formats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::planning {
namespace {

using formats::Encoding;

allocation::Tensor matrix(std::vector<std::int64_t> shape, Dtype dtype = Dtype::bf16) {
  allocation::Tensor tensor;
  tensor.name = "w";
  tensor.shape = std::move(shape);
  tensor.dtype = dtype;
  return tensor;
}

TEST(StoredBytes, CountCodesAndWhatScalesThem) {
  const auto w = matrix({4, 512});
  EXPECT_EQ(stored_bytes(w, {"affine", 4, 64}), 4 * 512 / 2 + 4 * 8 * 4);
  EXPECT_EQ(stored_bytes(matrix({4, 512}, Dtype::f32), {"affine", 4, 64}), 4 * 512 / 2 + 4 * 8 * 8);
  EXPECT_EQ(stored_bytes(w, {"rtn", 3, 128}), 4 * 512 * 3 / 8 + 4 * 4 * 8);
  EXPECT_EQ(stored_bytes(w, {"q8_0", 8, 32}), 4 * 16 * 34);
  EXPECT_EQ(stored_bytes(w, {"q4_k", 4, 256}), 4 * 2 * 144);
  EXPECT_EQ(stored_bytes(w, {"q6_k", 6, 256}), 4 * 2 * 210);
  EXPECT_EQ(stored_bytes(w, {"ct_int4", 4, 128}), 4 * 512 / 2 + 4 * 4 * 2);
  EXPECT_EQ(stored_bytes(matrix({3, 4, 512}), {"nvfp4", 4, 16}), 3 * (4 * 512 / 2 + 4 * 32 + 4));
}

TEST(StoredBytes, RtnPadsAShortGroupAndTheOthersRefuseIt) {
  const auto w = matrix({2, 100});
  EXPECT_EQ(stored_bytes(w, {"rtn", 4, 64}), 100 + 2 * 2 * 8);
  EXPECT_EQ(stored_bytes(w, {"affine", 4, 64}), -1);
  EXPECT_EQ(stored_bytes(w, {"q8_0", 8, 32}), -1);
  EXPECT_EQ(stored_bytes(w, {"ct_int8", 8, 64}), -1);
}

TEST(StoredBytes, VectorsAndIntegersAreNotQuantized) {
  EXPECT_EQ(stored_bytes(matrix({512}), {"affine", 4, 64}), -1);
  EXPECT_EQ(stored_bytes(matrix({4, 512}, Dtype::u8), {"q8_0", 8, 32}), -1);
}

TEST(WidenedInGguf, VectorsNormsRoutersAndConvolutionsAreF32) {
  const auto widened = [](const char* module, const char* suffix, std::vector<std::int64_t> shape) {
    return is_widened_in_gguf({.module = module, .suffix = suffix}, shape);
  };
  EXPECT_TRUE(widened("blk.0.attn_norm", "weight", {64}));
  EXPECT_TRUE(widened("blk.0.attn_q_norm", "weight", {2, 64}));
  EXPECT_TRUE(widened("blk.0.ffn_gate_inp", "weight", {4, 64}));
  EXPECT_TRUE(widened("blk.0.ffn_gate_inp_shexp", "weight", {1, 64}));
  EXPECT_TRUE(widened("blk.0.ssm_conv1d", "weight", {96, 1, 4}));
  EXPECT_TRUE(widened("blk.0.ssm_a", "", {8}));
  EXPECT_TRUE(widened("blk.0.ffn_down_exps", "bias", {4, 64}));
  EXPECT_FALSE(widened("blk.0.attn_q", "weight", {64, 64}));
  EXPECT_FALSE(widened("token_embd", "weight", {64, 64}));
}

TEST(FormatsOf, AreTheRuntimesUnlessNamed) {
  EXPECT_EQ(formats_of(names::Runtime::mlx, {}).size(), 18U);
  EXPECT_EQ(formats_of(names::Runtime::gguf, {}).size(), 6U);
  EXPECT_EQ(formats_of(names::Runtime::vllm, {}).size(), 6U);
  EXPECT_THAT(formats_of(names::Runtime::vllm, {"nvfp4"}),
              ::testing::ElementsAre(Encoding{"nvfp4", 4, 16}));
  EXPECT_THROW(formats_of(names::Runtime::mlx, {"q9"}), Error);
}

}  // namespace
}  // namespace moesweep::planning
