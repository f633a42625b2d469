#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/found/found.hpp>

#include "checkpoints.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::found {
namespace {

using moesweep::test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto globals = R"({"quantization":{"bits":4,"group_size":64}})";

class FoundMlx : public testing::Test {
 protected:
  Found find(const std::vector<checkpoint::TensorSource>& tensors, const std::string& config) {
    test::write_checkpoint(folder_.path() / "model", tensors, config);
    return find_modules(folder_.path() / "model");
  }

  TemporaryDirectory folder_;
};

TEST_F(FoundMlx, BitsAndGroupFollowFromShapesAndGlobals) {
  const auto found = find(test::mlx_module("a.b", {3, 8, 128}, 4, 64), globals);
  EXPECT_EQ(found.format, Format::mlx);
  ASSERT_EQ(found.modules.size(), 1U);
  const auto& module = found.modules[0];
  EXPECT_EQ(module.name, "a.b");
  EXPECT_EQ(module.encoding.quantizer, "affine");
  EXPECT_EQ(module.encoding.bits, 4);
  EXPECT_EQ(module.encoding.group_size, 64);
  EXPECT_THAT(module.shape, ElementsAre(3, 8, 128));
  EXPECT_EQ(module.bytes, 3 * 8 * (128 / 2 + 2 * 2 * 2));
  EXPECT_EQ(module.problem, "");
  EXPECT_EQ(found.bytes, static_cast<std::int64_t>(std::filesystem::file_size(
                             folder_.path() / "model/model.safetensors")));
}

TEST_F(FoundMlx, EveryWidthAndGroupIsFound) {
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const int group : {32, 64, 128}) {
      const auto config = fmt::format(
          R"({{"quantization":{{"bits":4,"group_size":64,"m":{{"bits":{},"group_size":{}}}}}}})",
          bits, group);
      const auto found = find(test::mlx_module("m", {4, 256}, bits, group), config);
      ASSERT_EQ(found.modules.size(), 1U);
      EXPECT_EQ(found.modules[0].encoding.bits, bits);
      EXPECT_EQ(found.modules[0].encoding.group_size, group);
      EXPECT_THAT(found.modules[0].shape, ElementsAre(4, 256));
      EXPECT_EQ(found.modules[0].problem, "");
    }
  }
}

TEST_F(FoundMlx, AModuleThatConfigSpeaksOfUnderAnotherNameIsAProblem) {
  const auto found = find(test::mlx_module("language_model.model.a", {4, 128}, 8, 64),
                          R"({"quantization":{"bits":4,"group_size":64,
               "model.language_model.a":{"bits":8,"group_size":64}}})");
  EXPECT_THAT(found.modules[0].problem, HasSubstr("4 bits in groups of 64"));
  EXPECT_THAT(found.unused, ElementsAre("model.language_model.a"));
}

TEST_F(FoundMlx, WhatAnEntryLeavesOutIsNotTakenFromTheGlobals) {
  const auto found = find(test::mlx_module("m", {4, 128}, 8, 64),
                          R"({"quantization":{"bits":2,"group_size":32,"m":{"bits":8}}})");
  EXPECT_EQ(found.modules[0].encoding.bits, 8);
  EXPECT_EQ(found.modules[0].encoding.group_size, 64);
  EXPECT_EQ(found.modules[0].problem, "");
}

TEST_F(FoundMlx, CodesWithoutASettingAreAProblem) {
  for (const auto* config :
       {"", "{}", R"({"quantization":{}})", R"({"quantization":{"m":false}})"}) {
    const auto found = find(test::mlx_module("m", {4, 128}, 4, 64), config);
    EXPECT_EQ(found.format, Format::mlx);
    EXPECT_NE(found.modules[0].problem, "") << config;
    std::filesystem::remove_all(folder_.path() / "model");
  }
}

TEST_F(FoundMlx, OtherTensorsAreUnquantizedUnderTheirNames) {
  auto tensors = test::mlx_module("m", {4, 128}, 4, 64);
  tensors.push_back(test::stored("m.bias", Dtype::bf16, {4}));
  tensors.push_back(test::stored("norm.weight", Dtype::f32, {4}));
  const auto found = find(tensors, globals);
  ASSERT_EQ(found.modules.size(), 3U);
  EXPECT_EQ(found.modules[1].name, "m.bias");
  EXPECT_EQ(found.modules[1].encoding.bits, 16);
  EXPECT_EQ(found.modules[2].name, "norm");
  EXPECT_EQ(found.modules[2].element, "f32");
  EXPECT_FALSE(found.modules[2].is_quantized());
}

TEST_F(FoundMlx, ScalesOfAnotherShapeAreRefusedByName) {
  auto tensors = test::mlx_module("m", {4, 128}, 4, 64);
  tensors[1].shape = {3, 2};
  EXPECT_THAT([&] { find(tensors, globals); },
              testing::ThrowsMessage<Error>(HasSubstr("m.scales")));
}

TEST_F(FoundMlx, ConfigsThatAreNoneAreRefused) {
  const auto tensors = test::mlx_module("m", {4, 128}, 4, 64);
  for (const std::string config :
       {"[]", "{", R"({"quantization":3})", R"({"quantization":{"bits":-1}})",
        R"({"quantization":{"m":{"bits":"4"}}})", R"({"quantization":{"bits":1e99}})"}) {
    EXPECT_THROW(find(tensors, config), Error) << config;
  }
  EXPECT_THROW(find(tensors, std::string(10'000, '[')), Error);
}

}  // namespace
}  // namespace moesweep::found
