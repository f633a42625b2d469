// Which tensors are weights and which are codes, in the layouts of the programs that write them.
// Names and shapes as in the published checkpoints named in each test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/source/storage.hpp>

#include "tensors.hpp"

namespace moesweep::source {
namespace {

using test::checkpoint_of;
using test::Entry;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

struct Case {
  const char* what;
  std::vector<Entry> entries;
  ModelConfig config;
  std::string_view format;
  std::int64_t weights;
  double bits_per_weight;  ///< of the matrix with its companions
};

ModelConfig declared(std::int64_t bits, std::int64_t group_size, std::string method = "any") {
  return {.storage = DeclaredStorage{.place = "quantization_config of config.json",
                                     .method = std::move(method),
                                     .bits = bits,
                                     .group_size = group_size}};
}

const Entry norm{"model.norm.weight", Dtype::bf16, {256}};

std::vector<Case> cases() {
  return {
      {"DeepSeek V3: blocks of 128x128",
       {{"x.weight", Dtype::f8_e4m3, {256, 512}}, {"x.weight_scale_inv", Dtype::f32, {2, 4}}},
       {},
       "FP8 with scales",
       256 * 512,
       8.0 + 32.0 / (128 * 128)},
      {"compressed-tensors float-quantized: a scale per row",
       {{"x.weight", Dtype::f8_e4m3, {64, 32}},
        {"x.weight_scale", Dtype::bf16, {64, 1}},
        {"x.input_scale", Dtype::f32, {1}}},
       {},
       "FP8 with scales",
       64 * 32,
       8.0 + 16.0 / 32 + 32.0 / 2048},
      {"Mistral: one scale",
       {{"x.weight", Dtype::f8_e4m3, {64, 32}},
        {"x.qscale_weight", Dtype::f32, {}},
        {"x.qscale_act", Dtype::f32, {}}},
       {},
       "FP8 with scales",
       64 * 32,
       8.0 + 64.0 / 2048},
      {"Qwen3-VL-MoE FP8: a stack with scales of its own name",
       {{"mlp.experts.gate_up_proj", Dtype::f8_e4m3, {4, 128, 256}},
        {"mlp.experts.gate_up_proj_scale_inv", Dtype::bf16, {4, 1, 2}}},
       {},
       "FP8 with scales",
       4 * 128 * 256,
       8.0 + 16.0 / (128 * 128)},
      {"gpt-oss",
       {{"mlp.experts.down_proj_blocks", Dtype::u8, {4, 64, 2, 16}},
        {"mlp.experts.down_proj_scales", Dtype::u8, {4, 64, 2}},
        {"mlp.experts.down_proj_bias", Dtype::bf16, {4, 64}}},
       {},
       "MXFP4",
       4 * 64 * 64,
       4.25},
      {"compressed-tensors mxfp4-pack-quantized",
       {{"x.weight_packed", Dtype::u8, {64, 32}}, {"x.weight_scale", Dtype::u8, {64, 2}}},
       {},
       "MXFP4",
       64 * 64,
       4.25},
      {"compressed-tensors nvfp4-pack-quantized",
       {{"x.weight_packed", Dtype::u8, {64, 32}},
        {"x.weight_scale", Dtype::f8_e4m3, {64, 4}},
        {"x.weight_global_scale", Dtype::f32, {1}}},
       {},
       "NVFP4",
       64 * 64,
       4.5 + 32.0 / 4096},
      {"ModelOpt NVFP4",
       {{"x.weight", Dtype::u8, {64, 32}},
        {"x.weight_scale", Dtype::f8_e4m3, {64, 4}},
        {"x.weight_scale_2", Dtype::f32, {}}},
       {},
       "NVFP4",
       64 * 64,
       4.5 + 32.0 / 4096},
      {"DeepSeek V4: packed FP4 with E8M0 scales",
       {{"x.weight", Dtype::i8, {64, 32}}, {"x.scale", Dtype::f8_e8m0, {64, 2}}},
       {},
       "FP4 with scales",
       64 * 64,
       4.25},
      {"F4 as a dtype",
       {{"x.weight", Dtype::f4, {64, 64}}, {"x.weight_scale", Dtype::f8_e4m3, {64, 4}}},
       {},
       "NVFP4",
       64 * 64,
       4.5},
      {"Kimi K2 Thinking: compressed-tensors pack-quantized INT4 in groups of 32",
       {{"x.weight_packed", Dtype::i32, {64, 8}},
        {"x.weight_scale", Dtype::bf16, {64, 2}},
        {"x.weight_shape", Dtype::i32, {2}}},
       declared(4, 32),
       "packed integers of compressed-tensors",
       64 * 64,
       4.5 + 64.0 / 4096},
      {"int-quantized",
       {{"x.weight", Dtype::i8, {64, 32}}, {"x.weight_scale", Dtype::bf16, {64, 1}}},
       {},
       "8-bit integers with scales",
       64 * 32,
       8.5},
      {"MLX affine",
       {{"x.weight", Dtype::u32, {64, 8}},
        {"x.scales", Dtype::bf16, {64, 1}},
        {"x.biases", Dtype::bf16, {64, 1}}},
       declared(4, 64),
       "MLX",
       64 * 64,
       4.5},
      {"GPTQ",
       {{"x.qweight", Dtype::i32, {8, 96}},
        {"x.qzeros", Dtype::i32, {1, 12}},
        {"x.scales", Dtype::f16, {1, 96}},
        {"x.g_idx", Dtype::i32, {64}}},
       {},
       "GPTQ",
       64 * 96,
       4.0 + (12 * 32 + 96 * 16 + 64 * 32) / 6144.0},
      {"AWQ",
       {{"x.qweight", Dtype::i32, {64, 12}},
        {"x.qzeros", Dtype::i32, {1, 12}},
        {"x.scales", Dtype::f16, {1, 96}}},
       {},
       "AWQ",
       64 * 96,
       4.0 + (12 * 32 + 96 * 16) / 6144.0},
      {"bitsandbytes 4 bits",
       {{"x.weight", Dtype::u8, {2048, 1}},
        {"x.weight.absmax", Dtype::u8, {64}},
        {"x.weight.quant_map", Dtype::f32, {16}},
        {"x.weight.quant_state.bitsandbytes__nf4", Dtype::u8, {8}}},
       {},
       "bitsandbytes",
       4096,
       4.0 + (64 * 8 + 16 * 32 + 8 * 8) / 4096.0},
  };
}

TEST(Storage, FormatsAreRecognizedWithTheirBitsPerWeight) {
  for (const auto& [what, entries, config, format, weights, bits] : cases()) {
    SCOPED_TRACE(what);
    auto all = entries;
    all.push_back(norm);
    const auto checkpoint = checkpoint_of(all);
    const auto storage = storage_of(checkpoint, config);
    ASSERT_EQ(storage.coded.size(), 1);
    EXPECT_THAT(storage.contradictions, ElementsAre());
    const auto& coded = storage.coded.front();
    EXPECT_EQ(coded.format->name, format);
    EXPECT_EQ(coded.weights, weights);
    EXPECT_DOUBLE_EQ(8.0 * static_cast<double>(coded.bytes) / static_cast<double>(weights), bits);
    const auto size = stored_size(checkpoint, storage);
    // The bias of gpt-oss's experts is a plain tensor.
    const std::int64_t biases = format == "MXFP4" && entries.size() == 3 ? 4 * 64 : 0;
    EXPECT_EQ(size.weights, weights + 256 + biases);
    EXPECT_THAT(describe(storage).front(),
                AllOf(HasSubstr(std::string(format)), HasSubstr("a weight is ")));
  }
}

TEST(Storage, SweepsOfCodesAreRefusedNamingFormatTensorsAndWhereValuesComeFrom) {
  for (const auto& test : cases()) {
    SCOPED_TRACE(test.what);
    const auto checkpoint = checkpoint_of(test.entries);
    const auto storage = storage_of(checkpoint, test.config);
    try {
      refuse_codes(checkpoint, storage, test.config,
                   std::vector<bool>(checkpoint.tensors.size(), true));
      ADD_FAILURE() << "was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_THAT(error.problem(),
                  AllOf(HasSubstr(std::string(test.format)), HasSubstr(storage.coded[0].name)));
      EXPECT_THAT(error.what(), Not(HasSubstr("allow-unmapped")));
    }
  }
}

TEST(Storage, TensorsThatAreNotReadMayBeCodes) {
  auto entries = cases().front().entries;
  entries.push_back(norm);
  const auto checkpoint = checkpoint_of(entries);
  const auto storage = storage_of(checkpoint, {});
  std::vector<bool> reads;
  for (const auto& tensor : checkpoint.tensors) reads.push_back(tensor.name == norm.name);
  EXPECT_NO_THROW(refuse_codes(checkpoint, storage, {}, reads));
}

TEST(Storage, ScalesBesideWeightsThatAreNumbersAreWeightsThemselves) {
  // Gemma 4's router has a scale; a Linear's BF16 weight may have one too.
  const auto checkpoint = checkpoint_of({{"router.weight", Dtype::bf16, {8, 64}},
                                         {"router.scale", Dtype::bf16, {64}},
                                         {"x.weight", Dtype::f32, {64, 64}},
                                         {"x.scales", Dtype::f32, {64, 64}},
                                         {"x.biases", Dtype::f32, {64, 64}}});
  const auto storage = storage_of(checkpoint, {});
  EXPECT_FALSE(storage.has_codes());
  EXPECT_THAT(storage.plain, testing::Each(true));
}

TEST(Storage, BytesHoldAsManyCodesAsTheirScalesHaveGroups) {
  const auto weights_of = [](std::vector<Entry> scales, const ModelConfig& config) {
    std::vector<Entry> entries = {{"x.weight", Dtype::i8, {64, 64}}};
    entries.insert(entries.end(), scales.begin(), scales.end());
    const auto storage = storage_of(checkpoint_of(entries), config);
    return storage.coded.at(0).weights;
  };
  const Entry groups_of_64 = {"x.weight_scale", Dtype::bf16, {64, 2}};
  EXPECT_EQ(weights_of({groups_of_64}, declared(4, 64)), 64 * 128) << "two codes in a byte";
  EXPECT_EQ(weights_of({groups_of_64}, declared(4, 32)), 64 * 64) << "one";
  EXPECT_EQ(weights_of({groups_of_64}, declared(4, 128)), 0) << "contradicts itself";
  EXPECT_EQ(weights_of({groups_of_64}, {}), 0) << "how many bits nothing says";
  EXPECT_EQ(weights_of({groups_of_64}, declared(8, 32)), 64 * 64);
  const Entry of_a_row = {"x.weight_scale", Dtype::bf16, {64, 1}};
  EXPECT_EQ(weights_of({of_a_row}, declared(8, 0)), 64 * 64);
  EXPECT_EQ(weights_of({of_a_row}, declared(4, 0)), 0);
}

TEST(Storage, IntegersThatAreNoCodesAreNoWeights) {
  const auto checkpoint =
      checkpoint_of({{"position_ids", Dtype::i64, {1, 512}}, {"x.weight", Dtype::bf16, {64, 64}}});
  const auto storage = storage_of(checkpoint, {});
  EXPECT_EQ(stored_size(checkpoint, storage).weights, 64 * 64);
  EXPECT_EQ(stored_size(checkpoint, storage).bytes, 2 * 64 * 64);
  EXPECT_EQ(logical_weights(checkpoint, storage).at(0), 0);
}

TEST(Storage, IntegerTablesAreNotCodes) {
  const auto checkpoint = checkpoint_of({{"position_ids", Dtype::i64, {1, 512}},
                                         {"mask", Dtype::u8, {64, 64}},
                                         {"relative_index", Dtype::i32, {64, 64}}});
  EXPECT_FALSE(storage_of(checkpoint, {}).has_codes());
}

TEST(Storage, Fp8ByItselfIsWeightsUntilSomethingSaysThatItHasScales) {
  const auto lone = checkpoint_of({{"x.weight", Dtype::f8_e4m3, {64, 64}}});
  EXPECT_FALSE(storage_of(lone, {}).has_codes());
  EXPECT_THAT(storage_of(lone, declared(0, 0, "fp8")).contradictions,
              ElementsAre("x.weight: F8_E4M3 codes without scales that are known"));
  const auto mixed = checkpoint_of({{"x.weight", Dtype::f8_e4m3, {64, 64}},
                                    {"y.weight", Dtype::f8_e4m3, {64, 64}},
                                    {"y.weight_scale_inv", Dtype::f32, {1, 1}}});
  EXPECT_THAT(storage_of(mixed, {}).contradictions,
              ElementsAre("x.weight: F8_E4M3 codes without scales that are known"));
}

TEST(Storage, SmallFloatsByThemselvesAreNumbersUntilSomethingSaysThatTheyHaveScales) {
  for (const auto dtype : {Dtype::f4, Dtype::f6_e2m3, Dtype::f6_e3m2, Dtype::f8_e4m3fnuz,
                           Dtype::f8_e5m2fnuz, Dtype::f8_e8m0, Dtype::c64}) {
    const auto lone = checkpoint_of({{"x.weight", dtype, {64, 64}}});
    EXPECT_FALSE(storage_of(lone, {}).has_codes()) << dtype_name(dtype);
    EXPECT_EQ(stored_size(lone, storage_of(lone, {})).weights, 64 * 64) << dtype_name(dtype);
  }
  for (const auto dtype : {Dtype::f4, Dtype::f6_e2m3, Dtype::f8_e4m3fnuz}) {
    const auto lone = checkpoint_of({{"x.weight", dtype, {64, 64}}});
    EXPECT_TRUE(storage_of(lone, declared(0, 0, "some")).has_codes()) << dtype_name(dtype);
    const auto scaled =
        checkpoint_of({{"x.weight", dtype, {64, 64}}, {"x.weight_scale", Dtype::f32, {64, 1}}});
    EXPECT_EQ(storage_of(scaled, {}).coded.size(), 1U) << dtype_name(dtype);
  }
}

TEST(Storage, FnuzWithScalesIsFp8) {
  const auto checkpoint = checkpoint_of(
      {{"x.weight", Dtype::f8_e4m3fnuz, {64, 64}}, {"x.weight_scale_inv", Dtype::f32, {1, 1}}});
  const auto storage = storage_of(checkpoint, {});
  ASSERT_EQ(storage.coded.size(), 1U);
  EXPECT_EQ(storage.coded[0].format->name, "FP8 with scales");
  EXPECT_EQ(storage.coded[0].weights, 64 * 64);
}

TEST(Storage, CodesWithoutScalesAndScalesWithoutCodesAreContradictions) {
  const auto checkpoint = checkpoint_of({{"a.weight_packed", Dtype::i32, {64, 8}},
                                         {"b.weight", Dtype::f4, {64, 64}},
                                         {"b.my_scale", Dtype::f8_e8m0, {64, 2}},
                                         {"c.weight_scale_inv", Dtype::f32, {2, 2}},
                                         {"d.weight", Dtype::bf16, {64, 64}},
                                         {"d.weight_scale_inv", Dtype::f32, {1, 1}}});
  EXPECT_THAT(storage_of(checkpoint, {}).contradictions,
              ElementsAre("a.weight_packed: I32 codes without scales that are known",
                          "b.weight: F4 codes without scales that are known",
                          "c.weight_scale_inv: scales without codes",
                          "d.weight_scale_inv: scales without codes"));
}

TEST(Storage, SizesThatAreNotKnownAreCountedAsSuch) {
  const auto checkpoint = checkpoint_of({{"x.weight", Dtype::u32, {64, 8}},
                                         {"x.scales", Dtype::bf16, {64, 1}},
                                         {"x.biases", Dtype::bf16, {64, 1}},
                                         norm});
  const auto storage = storage_of(checkpoint, {});
  const auto size = stored_size(checkpoint, storage);
  EXPECT_EQ(size.uncounted, 1);
  EXPECT_EQ(size.weights, 256);
  EXPECT_EQ(size.bytes, 512);
  EXPECT_THAT(logical_weights(checkpoint, storage),
              ElementsAre(std::optional<std::int64_t>(256), std::optional<std::int64_t>(0),
                          std::optional<std::int64_t>(0), std::nullopt));
}

TEST(Storage, RotatedAndSparseWeightsAreRefused) {
  const auto checkpoint = checkpoint_of({{"x.weight", Dtype::bf16, {64, 64}}});
  for (const auto member : {&DeclaredStorage::rotates_weights, &DeclaredStorage::is_sparse}) {
    auto config = declared(0, 0);
    (*config.storage).*member = true;
    EXPECT_THROW(refuse_codes(checkpoint, storage_of(checkpoint, config), config, {true}), Error);
  }
}

TEST(Storage, LayoutsThatAreNotKnownAreNotTakenForWeights) {
  // torchao and quanto; VPTQ's indices; QuIP#.
  const auto torchao = checkpoint_of(
      {{"x._weight_qdata", Dtype::f8_e4m3, {64, 64}}, {"x._weight_scale", Dtype::f32, {64, 1}}});
  EXPECT_EQ(storage_of(torchao, {}).contradictions.size(), 1);
  const auto quanto = checkpoint_of(
      {{"x.weight._data", Dtype::f8_e4m3, {64, 64}}, {"x.weight._scale", Dtype::bf16, {64, 1}}});
  EXPECT_EQ(storage_of(quanto, {}).contradictions.size(), 1);
  const auto vptq = checkpoint_of({{"x.indices", Dtype::i32, {1, 64, 8}}});
  EXPECT_EQ(storage_of(vptq, declared(0, 0, "vptq")).contradictions.size(), 1);
  EXPECT_FALSE(storage_of(vptq, {}).has_codes());
  const auto quip = checkpoint_of({{"x.Qidxs", Dtype::i64, {64, 16}}});
  EXPECT_TRUE(storage_of(quip, {}).has_codes());
}

TEST(Storage, WeightsOfBytesAndOfContradictingShapesAreNotCounted) {
  const auto bitnet =
      checkpoint_of({{"x.weight", Dtype::u8, {16, 64}}, {"x.weight_scale", Dtype::bf16, {1}}});
  EXPECT_EQ(storage_of(bitnet, {}).coded.front().weights, 0);
  EXPECT_EQ(storage_of(bitnet, declared(4, 0)).coded.front().weights, 2 * 16 * 64);
  const auto mlx = checkpoint_of({{"x.weight", Dtype::u32, {64, 8}},
                                  {"x.scales", Dtype::bf16, {64, 2}},
                                  {"x.biases", Dtype::bf16, {64, 2}}});
  EXPECT_EQ(storage_of(mlx, declared(4, 64)).coded.front().weights, 0);
}

}  // namespace
}  // namespace moesweep::source
