#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/found/compare.hpp>

#include "checkpoints.hpp"

namespace moesweep::found {
namespace {

using test::affine;
using test::generic;
using test::kept;
using test::plan_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

FoundModule found_affine(std::string name, const test::Sizes& shape, int bits, int group_size) {
  FoundModule module;
  module.name = std::move(name);
  module.element = "u32";
  module.encoding.quantizer = "affine";
  module.encoding.bits = bits;
  module.encoding.group_size = group_size;
  module.shape = shape;
  module.code_columns = shape.back() * bits / 32;
  module.scale_columns = shape.back() / group_size;
  const auto params = test::product_of(shape);
  module.bytes = params * bits / 8 + params / group_size * 4;
  return module;
}

FoundModule found_bf16(std::string name, const test::Sizes& shape) {
  FoundModule module;
  module.name = std::move(name);
  module.element = "bf16";
  module.encoding.bits = 16;
  module.shape = shape;
  module.bytes = 2 * test::product_of(shape);
  return module;
}

std::vector<ModuleCheck> offenders(const records::Plan& plan, std::vector<FoundModule> modules,
                                   Format format = Format::mlx) {
  std::ranges::sort(modules, {}, &FoundModule::name);
  const Found found{.format = format, .modules = std::move(modules)};
  return compare(plan, found, generic()).offenders();
}

auto offender(const std::string& module, const std::string& why) {
  return AllOf(Field(&ModuleCheck::module, module), Field(&ModuleCheck::why, HasSubstr(why)));
}

TEST(Compare, WhatIsStoredAsPlannedHasNoOffenders) {
  const auto plan = plan_of({affine("a.weight", {8, 256}, 4, 64),
                             affine("b.weight", {8, 256}, 8, 32), kept("norm.weight", {256})});
  const std::vector modules = {found_affine("a", {8, 256}, 4, 64),
                               found_affine("b", {8, 256}, 8, 32), found_bf16("norm", {256})};
  EXPECT_THAT(offenders(plan, modules), IsEmpty());
  const Found found{.format = Format::mlx, .modules = modules, .bytes = 7};
  const auto compared = compare(plan, found, generic());
  EXPECT_EQ(compared.modules.size(), 3U);
  EXPECT_EQ(compared.bytes_found, 7);
  EXPECT_EQ(compared.bytes_planned, plan.bytes);
}

TEST(Compare, OtherBitsGroupsAndQuantizersAreNamed) {
  const auto plan = plan_of({affine("a.weight", {8, 256}, 4, 64)});
  EXPECT_THAT(offenders(plan, {found_affine("a", {8, 256}, 3, 64)}),
              ElementsAre(offender("a", "has 3 bits instead of 4")));
  EXPECT_THAT(offenders(plan, {found_affine("a", {8, 256}, 4, 128)}),
              ElementsAre(offender("a", "has groups of 128 instead of 64")));
  auto other = found_affine("a", {8, 256}, 4, 64);
  other.encoding.quantizer = "nvfp4";
  EXPECT_THAT(offenders(plan, {other}), ElementsAre(offender("a", "is nvfp4 instead of affine")));
  EXPECT_THAT(offenders(plan, {found_bf16("a", {8, 256})}),
              ElementsAre(offender("a", "not quantized but stored as bf16")));
}

TEST(Compare, WiderScalesAreFoundByTheirBytes) {
  auto module = found_affine("a", {8, 256}, 4, 64);
  module.bytes += 8 * 4 * 4;
  EXPECT_THAT(offenders(plan_of({affine("a.weight", {8, 256}, 4, 64)}), {module}),
              ElementsAre(offender("a", "takes 1,280 B instead of 1,152")));
}

TEST(Compare, KeptTensorsMustBeAsWideAsBefore) {
  const auto plan = plan_of({kept("a.weight", {8, 256})});
  EXPECT_THAT(offenders(plan, {found_affine("a", {8, 256}, 4, 64)}),
              ElementsAre(offender("a", "the plan keeps it")));
  auto wide = found_bf16("a", {8, 256});
  wide.element = "f32";
  wide.encoding.bits = 32;
  EXPECT_THAT(offenders(plan, {wide}), ElementsAre(offender("a", "is stored as f32")));
  EXPECT_THAT(offenders(plan, {wide}, Format::gguf), IsEmpty());
}

TEST(Compare, MissingAndUnplannedModulesAreOffenders) {
  const auto plan = plan_of({affine("a.weight", {8, 256}, 4, 64)});
  EXPECT_THAT(
      offenders(plan, {found_bf16("z", {3})}),
      ElementsAre(offender("a", "doesn't have it"), offender("z", "plan doesn't speak of it")));
}

TEST(Compare, HalfOfTheExpertsIsNotAllOfThem) {
  const auto plan = plan_of({affine("m.experts.weight", {4, 8, 256}, 4, 64)});
  EXPECT_THAT(offenders(plan, {found_affine("m.experts", {2, 8, 256}, 4, 64)}),
              ElementsAre(offender("m.experts", "holds 4,096 weights instead of 8,192")));
}

TEST(Compare, FrequenciesThatLlamaCppComputesNeedNoPlan) {
  EXPECT_THAT(offenders(plan_of({}), {found_bf16("rope_freqs", {64})}, Format::gguf), IsEmpty());
  EXPECT_THAT(offenders(plan_of({}), {found_bf16("rope_freqs", {64})}, Format::mlx),
              ElementsAre(offender("rope_freqs", "doesn't speak of it")));
}

TEST(Compare, DroppedTensorsMustBeGone) {
  auto row = kept("mtp.fc.weight", {8, 8});
  row.action = "drop";
  EXPECT_THAT(offenders(plan_of({row}), {}), IsEmpty());
  EXPECT_THAT(offenders(plan_of({row}), {found_bf16("mtp.fc", {8, 8})}),
              ElementsAre(offender("mtp.fc", "drops it")));
}

// 4 bits in 64s are the same shapes as 8 bits in 32s of half the columns.
TEST(Compare, ConfigAndShapesThatDisagreeAreToldByTheColumns) {
  const auto plan = plan_of({affine("a.weight", {8, 256}, 8, 32)});
  auto module = found_affine("a", {8, 256}, 8, 32);
  module.encoding.bits = 4;
  module.encoding.group_size = 64;
  module.shape.back() = module.scale_columns * 64;
  EXPECT_THAT(offenders(plan, {module}),
              ElementsAre(offender("a",
                                   "config.json says 4 bits in groups of 64, codes and "
                                   "scales are 8 bits in groups of 32")));
}

TEST(Compare, ProblemsOfTheCheckpointAreOffenders) {
  auto module = found_affine("a", {8, 256}, 4, 64);
  module.problem = "is strange";
  EXPECT_THAT(offenders(plan_of({affine("a.weight", {8, 256}, 4, 64)}), {module}),
              ElementsAre(offender("a", "is strange")));
}

TEST(Compare, ModulesThatOnlyConfigSpeaksOfAreOffenders) {
  const Found found{.format = Format::mlx, .unused = {"model.a"}};
  EXPECT_THAT(compare(plan_of({}), found, generic()).offenders(),
              ElementsAre(offender("model.a", "no such quantized module")));
}

// The published reference keyed its plan with another prefix than its converter looked up, and got
// the default everywhere.
TEST(Compare, APlanWithTheWrongPrefixIsCaughtWithTheNamesThatItMeant) {
  std::vector<records::PlanRow> rows;
  std::vector<FoundModule> modules;
  for (int layer = 0; layer < 3; ++layer) {
    for (const auto* projection : {"down_proj", "gate_proj", "up_proj"}) {
      const auto tail = fmt::format("layers.{}.mlp.switch_mlp.{}", layer, projection);
      rows.push_back(affine("model.language_model." + tail + ".weight", {4, 8, 256}, 8, 64));
      modules.push_back(found_affine("language_model.model." + tail, {4, 8, 256}, 4, 64));
    }
  }
  const auto found = offenders(plan_of(rows), modules);
  ASSERT_EQ(found.size(), 18U);
  EXPECT_THAT(found[0], offender("language_model.model.layers.0.mlp.switch_mlp.down_proj",
                                 "doesn't speak of it, but of "
                                 "model.language_model.layers.0.mlp.switch_mlp.down_proj"));
  EXPECT_THAT(found[9], offender("model.language_model.layers.0.mlp.switch_mlp.down_proj",
                                 "it has language_model.model.layers.0.mlp.switch_mlp.down_proj"));
}

TEST(Compare, AConverterThatIgnoredThePlanIsCaughtModuleByModule) {
  std::vector<records::PlanRow> rows;
  std::vector<FoundModule> modules;
  const std::vector<int> planned_bits = {8, 2, 4, 3};
  for (std::size_t layer = 0; layer < planned_bits.size(); ++layer) {
    const auto name = fmt::format("model.layers.{}.mlp.up_proj", layer);
    rows.push_back(affine(name + ".weight", {8, 256}, planned_bits[layer], 64));
    modules.push_back(found_affine(name, {8, 256}, 4, 64));
  }
  EXPECT_THAT(offenders(plan_of(rows), modules),
              ElementsAre(offender("model.layers.0.mlp.up_proj", "has 4 bits instead of 8"),
                          offender("model.layers.1.mlp.up_proj", "has 4 bits instead of 2"),
                          offender("model.layers.3.mlp.up_proj", "has 4 bits instead of 3")));
}

TEST(Compare, ExpertsOfOneStackAreOneModule) {
  const names::Architecture architecture{.model_type = "qwen3_moe", .layers = 1, .experts = 3};
  std::vector<records::PlanRow> rows;
  for (int expert = 0; expert < 3; ++expert) {
    rows.push_back(affine(fmt::format("model.layers.0.mlp.experts.{}.up_proj.weight", expert),
                          {8, 256}, 4, 64));
  }
  const auto planned = planned_modules(plan_of(rows), names::Runtime::mlx, architecture);
  ASSERT_EQ(planned.size(), 1U);
  EXPECT_EQ(planned[0].name, "model.layers.0.mlp.switch_mlp.up_proj");
  EXPECT_EQ(planned[0].params, 3 * 8 * 256);
  EXPECT_EQ(planned[0].problem, "");
  const auto gguf = planned_modules(plan_of(rows), names::Runtime::gguf, architecture);
  ASSERT_EQ(gguf.size(), 1U);
  EXPECT_EQ(gguf[0].name, "blk.0.ffn_up_exps");
  rows[1].bits = 8;
  const auto torn = planned_modules(plan_of(rows), names::Runtime::mlx, architecture);
  EXPECT_THAT(torn[0].problem, HasSubstr("experts.1.up_proj"));
}

TEST(Compare, FusedExpertsAreSplitByTheirRows) {
  const names::Architecture architecture{.model_type = "qwen3_5_moe", .layers = 1, .experts = 4};
  const auto plan = plan_of(
      {affine("model.language_model.layers.0.mlp.experts.gate_up_proj", {4, 16, 256}, 4, 64)});
  const auto mlx = planned_modules(plan, names::Runtime::mlx, architecture);
  ASSERT_EQ(mlx.size(), 2U);
  EXPECT_EQ(mlx[0].name, "language_model.model.layers.0.mlp.switch_mlp.gate_proj");
  EXPECT_EQ(mlx[0].params, 4 * 8 * 256);
  EXPECT_EQ(mlx[0].bytes, plan.rows[0].bytes / 2);
  const auto vllm = planned_modules(plan, names::Runtime::vllm, architecture);
  ASSERT_EQ(vllm.size(), 8U);
  EXPECT_THAT(vllm[0].name, HasSubstr(".experts.0.gate_proj"));
  EXPECT_EQ(vllm[0].params, 8 * 256);
}

TEST(Compare, TensorsWithoutANameAreOffenders) {
  const names::Architecture architecture{.model_type = "qwen3_moe", .layers = 1, .experts = 3};
  const Found found{.format = Format::mlx};
  EXPECT_THAT(compare(plan_of({affine("strange.weight", {8, 256}, 4, 64)}), found, architecture)
                  .offenders(),
              ElementsAre(offender("strange.weight", "no name is known")));
}

TEST(Compare, DequantizedModelsAreAsWideAsTheOriginal) {
  auto dropped = kept("mtp.fc.weight", {8, 8});
  dropped.action = "drop";
  const auto plan = plan_of({affine("a.weight", {8, 256}, 4, 64), dropped});
  const Found plain{.format = Format::plain,
                    .modules = {found_bf16("a", {8, 256}), found_bf16("mtp.fc", {8, 8})}};
  EXPECT_THAT(compare(plan, plain, generic(), Plain::dequantized).offenders(), IsEmpty());
  EXPECT_THAT(compare(plan, plain, generic()).offenders(), ElementsAre(offender("a", "bf16")));
  const Found mlx{.format = Format::mlx, .modules = {found_affine("a", {8, 256}, 4, 64)}};
  EXPECT_THAT(compare(plan, mlx, generic(), Plain::dequantized).offenders(), IsEmpty());
}

TEST(Compare, ShapesThatAreNoneAreRefusedByTensor) {
  for (const auto* shape : {"8x", "x", "8x-1", "axb", "99999999999999999999"}) {
    auto row = affine("a.weight", {8, 256}, 4, 64);
    row.shape = shape;
    EXPECT_THAT([&] { planned_modules(plan_of({row}), names::Runtime::mlx, generic()); },
                testing::ThrowsMessage<Error>(HasSubstr("a.weight")))
        << shape;
  }
}

TEST(Compare, AnUnknownPrefixIsToldWithTheModuleThatItMeant) {
  const names::Architecture architecture{.model_type = "qwen3_moe", .layers = 1, .experts = 3};
  const auto plan = plan_of({affine("foo.layers.0.self_attn.o_proj.weight", {8, 256}, 4, 64)});
  const Found found{.format = Format::mlx,
                    .modules = {found_affine("model.layers.0.self_attn.o_proj", {8, 256}, 4, 64)}};
  EXPECT_THAT(compare(plan, found, architecture).offenders(),
              ElementsAre(offender("foo.layers.0.self_attn.o_proj.weight",
                                   "the checkpoint has model.layers.0.self_attn.o_proj"),
                          offender("model.layers.0.self_attn.o_proj",
                                   "but of foo.layers.0.self_attn.o_proj")));
}

TEST(Compare, StacksWithoutRowsOrWithAbsurdlyManyExpertsEndWell) {
  const names::Architecture architecture{.model_type = "qwen3_5_moe", .layers = 1, .experts = 4};
  const std::string name = "model.language_model.layers.0.mlp.experts.gate_up_proj";
  const auto none = planned_modules(plan_of({affine(name, {4, 0, 256}, 4, 64)}),
                                    names::Runtime::mlx, architecture);
  ASSERT_EQ(none.size(), 2U);
  EXPECT_EQ(none[0].params, 0);
  auto row = affine(name, {4, 2, 256}, 4, 64);
  row.shape = "4611686018427387904x2x2";
  EXPECT_THAT([&] { planned_modules(plan_of({row}), names::Runtime::vllm, architecture); },
              testing::ThrowsMessage<Error>(HasSubstr("experts")));
}

}  // namespace
}  // namespace moesweep::found
