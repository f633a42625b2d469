#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/plans/written/layout.hpp>

#include "small_checkpoint.hpp"

namespace moesweep::written {
namespace {

using test::inventory;
using test::keeping;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t one_shard = std::int64_t{1} << 40;

TEST(DequantizedLayout, KeepsNamesShapesAndDtypes) {
  const auto source = inventory({{"a", Dtype::bf16, {8, 100}}, {"b", Dtype::f32, {3}}});
  auto plan = keeping(source);
  test::quantize(plan, "a", 3, 64, "rtn");
  plan.rows[1].action = "drop";  // another runtime may have a place for it
  const auto layout = dequantized_layout(source, plan, one_shard);
  ASSERT_EQ(layout.shards.size(), 1U);
  const auto& tensors = layout.shards[0].tensors;
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors[0].part, Part::dequantized);
  EXPECT_EQ(tensors[0].dtype, Dtype::bf16);
  EXPECT_THAT(tensors[0].shape, ElementsAre(8, 100));
  EXPECT_EQ(tensors[0].encoding, (formats::Encoding{"rtn", 3, 64}));
  EXPECT_EQ(tensors[1].part, Part::copy);
  EXPECT_EQ(layout.shards[0].format, "pt");
}

TEST(DequantizedLayout, GroupsRunAlongTheRowsOfTheSweep) {
  const auto source = inventory({{"conv.weight", Dtype::bf16, {8, 3, 40}},
                                 {"mlp.experts.up_proj", Dtype::bf16, {8, 32, 40}}});
  auto plan = keeping(source);
  test::quantize(plan, "", 4, 32);
  const auto layout = dequantized_layout(source, plan, one_shard);
  EXPECT_EQ(layout.shards[0].tensors[0].columns, 120);
  EXPECT_EQ(layout.shards[0].tensors[1].columns, 40);
  const auto without_stacks = dequantized_layout(source, plan, one_shard, {});
  EXPECT_EQ(without_stacks.shards[0].tensors[1].columns, 1280);
}

TEST(DequantizedLayout, EightBitFloatsBecomeBf16) {
  const auto source = inventory({{"a", Dtype::f8_e4m3, {8, 64}}, {"b", Dtype::f8_e4m3, {8, 64}}});
  auto plan = keeping(source);
  test::quantize(plan, "a", 4, 32);
  const auto layout = dequantized_layout(source, plan, one_shard);
  EXPECT_EQ(layout.shards[0].tensors[0].dtype, Dtype::bf16);
  EXPECT_EQ(layout.shards[0].tensors[1].dtype, Dtype::f8_e4m3);
}

TEST(DequantizedLayout, UnknownQuantizersAndVectorsAreRefused) {
  const auto source = inventory({{"a", Dtype::bf16, {64}}, {"b", Dtype::bf16, {8, 64}}});
  const auto complaint = [&](const std::string& part, const std::string& quantizer) {
    auto plan = keeping(source);
    test::quantize(plan, part, 4, 32, quantizer);
    try {
      dequantized_layout(source, plan, one_shard);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(complaint("a", "rtn"), HasSubstr("a: are to be quantized but are not matrices"));
  EXPECT_THAT(complaint("b", "q4_0"),
              HasSubstr("b: cannot be q4_0 4 bits in groups of 32: no such"));
  EXPECT_THAT(complaint("b", "q4_k"),
              HasSubstr("b: cannot be q4_k 4 bits in groups of 32: no such"));
}

TEST(DequantizedLayout, TakesEveryFormatOfTheCatalog) {
  const auto source = inventory({{"a", Dtype::bf16, {8, 512}}});
  for (const auto& format : formats::catalog()) {
    auto plan = keeping(source);
    test::quantize(plan, "a", format.bits.front(), format.groups.front(), std::string(format.name));
    const auto layout = dequantized_layout(source, plan, one_shard);
    EXPECT_EQ(layout.shards[0].tensors[0].encoding.quantizer, format.name);
    EXPECT_EQ(layout.bytes(), dequantized_layout(source, keeping(source), one_shard).bytes());
  }
}

TEST(DequantizedLayout, AnExpertIsAMatrixOfItsOwn) {
  const auto source = inventory({{"conv.weight", Dtype::bf16, {8, 4, 64}},
                                 {"mlp.experts.up_proj", Dtype::bf16, {8, 32, 64}}});
  auto plan = keeping(source);
  test::quantize(plan, "", 4, 16, "nvfp4");
  const auto layout = dequantized_layout(source, plan, one_shard);
  EXPECT_EQ(layout.shards[0].tensors[0].matrix_elements, 8 * 4 * 64);
  EXPECT_EQ(layout.shards[0].tensors[1].matrix_elements, 32 * 64);
}

TEST(DequantizedLayout, RefusalsAreCountedByReason) {
  std::vector<checkpoint::TensorShape> shapes;
  for (int i = 0; i < 157; ++i) {
    shapes.push_back({"odd." + std::to_string(i), Dtype::bf16, {8, 100}});
  }
  shapes.push_back({"vector", Dtype::bf16, {256}});
  const auto source = inventory(shapes);
  auto plan = keeping(source);
  test::quantize(plan, "", 8, 32, "q8_0");
  EXPECT_THAT([&] { dequantized_layout(source, plan, one_shard); },
              testing::ThrowsMessage<Error>(
                  testing::AllOf(HasSubstr("vector: are to be quantized but are not matrices"),
                                 HasSubstr("; 157 tensors (odd.0, "),
                                 HasSubstr("rows of 100 weights are not whole blocks"))));
}

}  // namespace
}  // namespace moesweep::written
