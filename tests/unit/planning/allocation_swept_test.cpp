#include "allocation_swept.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>

#include "allocation_formats.hpp"
#include "allocation_options.hpp"

namespace moesweep::planning {
namespace {

using formats::Encoding;
using ::testing::HasSubstr;

const std::set<Encoding> swept = {
    {"affine", 3, 32}, {"affine", 4, 32}, {"affine", 3, 64}, {"affine", 4, 64}};

TEST(SweptFormats, AreThoseWithAFiniteError) {
  allocation::Tensor tensor;
  tensor.sse[{"affine", 4, 32}] = 1.0;
  tensor.sse[{"affine", 3, 32}] = std::numeric_limits<double>::quiet_NaN();
  tensor.sse[{"affine", 2, 32}] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(swept_formats(std::vector{tensor}), testing::ElementsAre(Encoding{"affine", 4, 32}));
}

TEST(HowToMeasure, NamesTheKeysThatLackAValueWithAllThatTheyNeed) {
  EXPECT_EQ(how_to_measure({{"affine", 2, 64}}, swept), "sweep with sensitivity.bits = [2, 3, 4]");
  EXPECT_EQ(how_to_measure({{"affine", 2, 128}}, swept),
            "sweep with sensitivity.bits = [2, 3, 4], sensitivity.group_sizes = [32, 64, 128]");
  EXPECT_EQ(how_to_measure({{"q6_k", 6, 256}}, swept),
            "sweep with sensitivity.quantizers = [\"affine\", \"q6_k\"]");
  EXPECT_EQ(how_to_measure({{"affine", 4, 32}}, swept), "`moesweep run` completes the sweep");
}

TEST(HowToMeasure, DoesNotTakeABlockForAGroupSize) {
  EXPECT_EQ(how_to_measure({{"affine", 4, 32}}, {{"q6_k", 6, 256}}),
            "sweep with sensitivity.quantizers = [\"affine\", \"q6_k\"], sensitivity.bits = [4], "
            "sensitivity.group_sizes = [32]");
}

Error refusal(auto function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "not refused";
  return Error(ExitCode::bug, "", "");
}

AllocateOptions role(const std::string& text) {
  AllocateOptions options;
  options.roles = {text};
  return options;
}

TEST(RoleFormats, TakeTheSweptGroupNearestToTheUsualOne) {
  const auto formats = formats_of(names::Runtime::mlx, {});
  EXPECT_EQ(role_formats(role("expert=4"), formats, {{"affine", 4, 32}}, 64).at("expert"),
            (Encoding{"affine", 4, 32}));
  EXPECT_EQ(role_formats(role("expert=4"), formats, swept, 64).at("expert"),
            (Encoding{"affine", 4, 64}));
  EXPECT_EQ(role_formats(role("expert=2:128"), formats, {}, 64).at("expert"),
            (Encoding{"affine", 2, 128}))
      << "where no errors are known, any format may be asked for";
  EXPECT_TRUE(role_formats(role("expert=keep"), formats, swept, 64).at("expert").keeps());
}

TEST(RoleFormats, ThatThereAreNotOrThatWereNotSweptAreRefused) {
  const auto formats = formats_of(names::Runtime::mlx, {});
  EXPECT_THAT(refusal([&] { role_formats(role("router=8:256"), formats, swept, 64); }).what(),
              HasSubstr("no format of mlx is like that"));
  EXPECT_THAT(refusal([&] { role_formats(role("router=2:32"), formats, swept, 64); }).what(),
              HasSubstr("sensitivity.bits = [2, 3, 4]"));
}

TEST(ParseTarget, AsksAboutSmallNumbersWithoutAUnit) {
  for (const auto* bare : {"4", "4.5", "0.5", "1023"}) {
    EXPECT_THAT(refusal([&] { parse_target(bare); }).problem(), "has no unit") << bare;
  }
  EXPECT_THAT(refusal([&] { parse_target("4"); }).remedy(), HasSubstr("4B (bytes)"));
  EXPECT_EQ(parse_target("4B").bytes, 4);
  EXPECT_EQ(parse_target("300000").bytes, 300000);
  EXPECT_EQ(parse_target("4bpw").bits_per_weight, 4.0);
  EXPECT_THAT(refusal([&] { parse_target("30dB"); }).remedy(), HasSubstr("--method floor"));
  EXPECT_THAT(refusal([&] { parse_decibels("30"); }).remedy(), HasSubstr("30dB"));
}

}  // namespace
}  // namespace moesweep::planning
