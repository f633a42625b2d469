#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

#include "sample.hpp"

namespace moesweep::sensitivity {
namespace {

MatrixView viewed(std::string name, std::vector<std::int64_t> shape, Dtype dtype = Dtype::bf16) {
  checkpoint::Tensor tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.dtype = dtype;
  return view_of(tensor, Options{});
}

void expect_view(const MatrixView& view, std::int64_t slices, std::int64_t rows,
                 std::int64_t columns) {
  EXPECT_EQ(view.slices, slices);
  EXPECT_EQ(view.rows, rows);
  EXPECT_EQ(view.columns, columns);
  EXPECT_EQ(view.skipped_because, "");
}

TEST(ViewOf, VectorsAreNotAnalysed) {
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{}, {64}, {1, 64}, {64, 1}}) {
    const auto view = viewed("norm.weight", shape);
    EXPECT_EQ(view.slices, 0);
    EXPECT_EQ(view.skipped_because, "1-D");
  }
}

TEST(ViewOf, IntegersAndBooleansAreNotAnalysed) {
  for (const auto dtype : {Dtype::i64, Dtype::u8, Dtype::boolean}) {
    EXPECT_EQ(viewed("table", {64, 64}, dtype).skipped_because, "integer dtype");
  }
}

TEST(ViewOf, TypesThatAreNotDecodedAreNamed) {
  EXPECT_EQ(viewed("x", {64, 64}, Dtype::c64).skipped_because, "complex dtype");
  for (const auto dtype : {Dtype::f8_e8m0, Dtype::f8_e4m3fnuz, Dtype::f8_e5m2fnuz, Dtype::f4,
                           Dtype::f6_e2m3, Dtype::f6_e3m2}) {
    EXPECT_EQ(viewed("x", {64, 64}, dtype).skipped_because,
              "dtype " + std::string(dtype_name(dtype)) + ", which is not decoded");
  }
}

TEST(ViewOf, EmptyTensorsAreNotAnalysed) {
  EXPECT_EQ(viewed("x", {0, 64}).skipped_because, "empty");
  EXPECT_EQ(viewed("m.experts.w", {0, 64, 64}).skipped_because, "empty");
}

TEST(ViewOf, ExpertStacksAreOneMatrixAnExpert) {
  expect_view(viewed("layers.0.mlp.experts.gate_up_proj", {512, 2048, 4096}), 512, 2048, 4096);
}

TEST(ViewOf, EverythingElseIsOneMatrixOfItsFirstAxis) {
  expect_view(viewed("lm_head.weight", {100, 64}), 1, 100, 64);
  expect_view(viewed("linear_attn.conv1d.weight", {12288, 1, 4}), 1, 12288, 4);
  expect_view(viewed("patch_embed.weight", {256, 3, 4, 4}), 1, 256, 48);
  expect_view(viewed("layers.0.other.stack", {8, 64, 64}), 1, 8, 4096);
  expect_view(viewed("layers.0.mlp.experts.tiny", {8, 16, 64}), 1, 8, 1024);
}

TEST(IsSelected, TakesIncludeWithoutExclude) {
  Options options;
  options.include = {"model.*", "lm_head*"};
  options.exclude = {"*.bias"};
  EXPECT_TRUE(is_selected("model.layers.0.weight", options));
  EXPECT_TRUE(is_selected("lm_head.weight", options));
  EXPECT_FALSE(is_selected("model.layers.0.bias", options));
  EXPECT_FALSE(is_selected("mtp.layers.0.weight", options));
}

TEST(Describe, NamesEverySelectedTensorAndWhyItIsSkipped) {
  const test::SampleCheckpoint sample({test::gaussian("a.experts.w", {3, 32, 40}),
                                       test::gaussian("b.norm.weight", {40}),
                                       test::gaussian("c.weight", {32, 32})});
  Options options;
  options.exclude = {"c.*"};
  const auto rows =
      records::rows_of<records::CheckpointTensorRow>(describe(sample.opened(), options));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].shape, "3x32x40");
  EXPECT_EQ(rows[0].dtype, "F32");
  EXPECT_EQ(rows[0].role, "expert");
  EXPECT_EQ(rows[0].params, 3840);
  EXPECT_EQ(rows[0].bytes, 15360);
  EXPECT_EQ(rows[0].slices, 3);
  EXPECT_EQ(rows[0].rows, 32);
  EXPECT_EQ(rows[0].columns, 40);
  EXPECT_EQ(rows[1].slices, 0);
  EXPECT_EQ(rows[1].skipped_because, "1-D");
}

}  // namespace
}  // namespace moesweep::sensitivity
