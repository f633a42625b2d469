#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/error.hpp>

#include "sample.hpp"

namespace moesweep::sensitivity {
namespace {

using test::Sample;
using test::SampleCheckpoint;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float infinity = std::numeric_limits<float>::infinity();

Sample spoiled(Sample sample, std::initializer_list<std::size_t> at, float value) {
  for (const auto i : at) sample.values[i] = value;
  return sample;
}

Options skipping() {
  auto options = test::with_quantizers({test::rtn4, test::rtn2});
  options.nonfinite = NonfinitePolicy::skip;
  return options;
}

TEST(Nonfinite, FailNamesTensorSliceIndexAndValue) {
  const SampleCheckpoint checkpoint(
      {spoiled(test::gaussian("m.experts.w", {3, 40, 64}), {2560 + 77}, -infinity)});
  EXPECT_THAT([&] { checkpoint.measured(Options{}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("m.experts.w slice 1"), HasSubstr("index 2637"),
                                         HasSubstr("-inf"))));
}

TEST(Nonfinite, TheFirstInFileOrderIsNamedEvenWhenPanelsMeetAnotherFirst) {
  // Row 0 of the second panel comes before row 9 of the first in the file.
  const std::size_t columns = 50'003;
  const SampleCheckpoint checkpoint(
      {spoiled(test::gaussian("w", {48, 50'003}), {49'000, 9 * columns + 3}, std::nanf(""))});
  const auto row = checkpoint.slices(skipping()).at(0);
  EXPECT_EQ(row.reason, "skipped: non-finite weight at index 49000");
}

TEST(Nonfinite, BeyondTheFirstBlockIsFoundAtItsFlatIndex) {
  const SampleCheckpoint tall(
      {spoiled(test::gaussian("w", {50'000, 48}), {49'999 * 48 + 5}, infinity)});
  EXPECT_EQ(tall.slices(skipping()).at(0).reason, "skipped: non-finite weight at index 2399957");
  auto options = skipping();
  options.spectrum = false;
  const SampleCheckpoint long_rows(
      {spoiled(test::gaussian("w", {2, 1'500'001}), {1'500'001 + 1'200'000}, infinity)});
  EXPECT_EQ(long_rows.slices(options).at(0).reason, "skipped: non-finite weight at index 2700001");
}

TEST(Nonfinite, SkippedSliceHasNoNumbersAndNoDistortion) {
  const SampleCheckpoint checkpoint(
      {spoiled(test::gaussian("m.experts.w", {3, 40, 64}), {2560}, std::nanf(""))});
  const auto tables = checkpoint.measured(skipping());
  const auto slices = records::rows_of<records::SliceRow>(tables);
  ASSERT_EQ(slices.size(), 3U);
  EXPECT_EQ(slices[1].reason, "skipped: non-finite weight at index 2560");
  for (const double value :
       {slices[1].mean, slices[1].sum_squares, slices[1].minimum, slices[1].stable_rank,
        slices[1].noise_amplification, slices[1].nrmse_rtn_4bit_g128}) {
    EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_FALSE(std::isnan(slices[0].mean));
  EXPECT_FALSE(std::isnan(slices[2].stable_rank));
  const auto distortion = records::rows_of<records::DistortionRow>(tables);
  ASSERT_EQ(distortion.size(), 4U);
  for (const auto& row : distortion) EXPECT_NE(row.slice, 1);
}

TEST(Nonfinite, TensorWithASkippedSliceKeeps16BitsAndSaysWhy) {
  const SampleCheckpoint checkpoint(
      {spoiled(test::gaussian("m.experts.w", {3, 40, 64}), {2560, 5200}, std::nanf("")),
       test::gaussian("w", {40, 64})});
  const auto options = skipping();
  const auto reduced = reduce(checkpoint.measured(options), options);
  const auto tensors = records::rows_of<records::TensorRow>(reduced);
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors[0].bits, 16);
  EXPECT_EQ(tensors[0].reason, "2 of 3 slices: skipped: non-finite weight at index 2560");
  EXPECT_TRUE(std::isnan(tensors[0].mean));
  EXPECT_TRUE(std::isnan(tensors[0].composite));
  EXPECT_FALSE(std::isnan(tensors[1].composite));
  for (const auto& row : records::rows_of<records::DistortionRow>(reduced)) {
    EXPECT_FALSE(row.tensor == "m.experts.w" && row.slice == -1);
  }
}

}  // namespace
}  // namespace moesweep::sensitivity
