#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>

#include "sample.hpp"

namespace moesweep::sensitivity {
namespace {

using records::DistortionRow;
using records::SliceRow;
using records::TensorRow;
using test::SampleCheckpoint;
using ::testing::EndsWith;

Options with_formats(std::initializer_list<const char*> names) {
  auto options = test::with_quantizers({test::rtn4});
  for (const auto* name : names) {
    const auto* format = kernels::find_block_format(name);
    options.block_quantizers.push_back({format, format->entry->groups.front()});
  }
  return options;
}

double direct_sse(std::span<const float> values, std::int64_t columns,
                  const kernels::BlockQuantizer& quantizer) {
  const float amax = kernels::largest_magnitude(values, 0.0F);
  double sse = 0.0;
  kernels::add_block_errors({values, columns}, std::span(&quantizer, 1), {Dtype::f32, amax},
                            std::span(&sse, 1));
  return sse;
}

TEST(BlockFormats, HaveRowsAfterTheQuantizersForEverySlice) {
  const auto stack = test::gaussian("m.experts.w", {2, 40, 512}, 31);
  const auto options = with_formats({"q4_k", "nvfp4"});
  const auto rows = records::rows_of<DistortionRow>(SampleCheckpoint({stack}).measured(options));
  ASSERT_EQ(rows.size(), 6U);
  for (std::size_t slice = 0; slice < 2; ++slice) {
    const auto values = std::span(stack.values).subspan(slice * 40 * 512, 40 * 512);
    EXPECT_EQ(rows[3 * slice].quantizer, "rtn");
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& row = rows[3 * slice + 1 + i];
      const auto& quantizer = options.block_quantizers[i];
      EXPECT_EQ(row.quantizer, quantizer.format->name());
      EXPECT_EQ(row.bits, 4);
      EXPECT_EQ(row.group_size, quantizer.block_length);
      EXPECT_EQ(row.bits_per_weight, 4.5);
      EXPECT_NEAR(row.sse, direct_sse(values, 512, quantizer), 1e-12 * row.sse);
      EXPECT_GT(row.nrmse, 0.01);
      EXPECT_LT(row.nrmse, 0.15);
    }
  }
}

TEST(BlockFormats, GlobalScaleIsThatOfTheWholeMatrixNotOfABlockOfIt) {
  // Several blocks of the stream, by rows and by column panels; the largest weight is the last one.
  for (const auto& shape : {std::vector<std::int64_t>{3000, 512}, {96, 32768}}) {
    auto sample = test::gaussian("w", shape, 32);
    sample.values.back() = 40.0F;
    const auto options = with_formats({"nvfp4"});
    const auto rows = records::rows_of<DistortionRow>(SampleCheckpoint({sample}).measured(options));
    const double expected = direct_sse(sample.values, shape[1], options.block_quantizers[0]);
    EXPECT_NEAR(rows.at(1).sse, expected, 1e-9 * expected);
  }
}

TEST(BlockFormats, MatrixThatDoesNotFitHasNoRowAndSaysSo) {
  const SampleCheckpoint checkpoint(
      {test::gaussian("m.experts.w", {2, 40, 96}, 33), test::constant("zero", {40, 96}, 0.0F)});
  const auto options = with_formats({"q4_k", "q8_0", "q6_k"});
  const auto reduced = reduce(checkpoint.measured(options), options);
  const std::string reason = "rows of 96 weights are no whole blocks of q4_k (256), q6_k (256)";
  const auto slices = records::rows_of<SliceRow>(reduced);
  EXPECT_EQ(slices.at(0).reason, reason);
  EXPECT_EQ(slices.at(2).reason, "all weights are 0; " + reason);
  const auto tensors = records::rows_of<TensorRow>(reduced);
  EXPECT_THAT(tensors.at(0).reason, EndsWith("; " + reason));
  EXPECT_THAT(tensors.at(1).reason, EndsWith("; all weights are 0; " + reason));

  std::vector<std::string> names;
  for (const auto& row : records::rows_of<DistortionRow>(reduced)) {
    if (row.tensor == "m.experts.w") names.push_back(row.quantizer);
  }
  // Pooled, slice 0, slice 1.
  EXPECT_THAT(names, ::testing::ElementsAre("rtn", "q8_0", "rtn", "q8_0", "rtn", "q8_0"));
}

TEST(BlockFormats, AreNotMissedWhereErrorIsNotMeasured) {
  auto options = with_formats({"q4_k"});
  options.error = false;
  const SampleCheckpoint checkpoint({test::gaussian("w", {40, 96}, 34)});
  EXPECT_EQ(checkpoint.slices(options).at(0).reason, "");
}

TEST(BlockFormats, CountInTheCostOfAUnit) {
  const SampleCheckpoint checkpoint({test::gaussian("w", {40, 256}, 35)});
  const auto none = cut(checkpoint.opened(), with_formats({})).at(0);
  const auto two = cut(checkpoint.opened(), with_formats({"q4_k", "q8_0"})).at(0);
  const auto costs = kernels::find_block_format("q4_k")->entry->relative_cost +
                     kernels::find_block_format("q8_0")->entry->relative_cost;
  EXPECT_EQ(two.round_trips - none.round_trips, 40 * 256 * costs);
}

}  // namespace
}  // namespace moesweep::sensitivity
