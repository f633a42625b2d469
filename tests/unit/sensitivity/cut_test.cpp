#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

namespace moesweep::sensitivity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

checkpoint::Checkpoint of_tensors(
    const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& tensors) {
  checkpoint::Checkpoint made;
  made.directory = "model";
  std::uint64_t offset = 0;
  for (const auto& [name, shape] : tensors) {
    checkpoint::Tensor tensor;
    tensor.name = name;
    tensor.shape = shape;
    tensor.byte_begin = offset;
    for (std::uint64_t bytes = 2; const auto side : shape) {
      bytes *= static_cast<std::uint64_t>(side);
      tensor.byte_end = offset + bytes;
    }
    offset = tensor.byte_end;
    made.tensors.push_back(tensor);
  }
  return made;
}

TEST(Cut, BlocksOfSlicesStayUnderUnitBytes) {
  const auto checkpoint = of_tensors({{"a.experts.w", {10, 64, 64}}});
  Options options;
  options.unit_bytes = 3 * 64 * 64 * 2 + 1;
  const auto items = cut(checkpoint, options);
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const auto& item : items) {
    ranges.emplace_back(item.slice_first, item.slice_last);
    EXPECT_LE(item.bytes_read, options.unit_bytes);
    EXPECT_EQ(item.bytes_read, (item.slice_last - item.slice_first + 1) * 64 * 64 * 2);
  }
  EXPECT_THAT(ranges,
              ElementsAre(std::pair{0, 2}, std::pair{3, 5}, std::pair{6, 8}, std::pair{9, 9}));
}

TEST(Cut, ASliceLargerThanUnitBytesIsOneUnit) {
  Options options;
  options.unit_bytes = 1;
  EXPECT_EQ(cut(of_tensors({{"a.experts.w", {10, 64, 64}}}), options).size(), 10U);
  EXPECT_EQ(cut(of_tensors({{"lm_head.weight", {1000, 64}}}), options).size(), 1U);
}

TEST(Cut, LeavesOutWhatIsNotAnalysed) {
  const auto checkpoint =
      of_tensors({{"a.weight", {64, 64}}, {"b.norm.weight", {64}}, {"c.weight", {1, 64}}});
  const auto items = cut(checkpoint, Options{});
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].tensor, 0U);
}

TEST(Cut, PatternWithoutATensorIsRefusedByName) {
  const auto checkpoint = of_tensors({{"a.weight", {64, 64}}});
  Options options;
  options.include = {"a.*", "language_model.*"};
  EXPECT_THAT([&] { cut(checkpoint, options); },
              ThrowsMessage<Error>(HasSubstr("\"language_model.*\"")));
}

TEST(Cut, ExcludePatternWithoutATensorIsRefusedWithTheNearestOne) {
  const auto checkpoint = of_tensors({{"layers.0.weight", {64, 64}}});
  Options options;
  options.exclude = {"*layer.0*"};
  EXPECT_THAT([&] { cut(checkpoint, options); },
              ThrowsMessage<Error>(AllOf(HasSubstr("exclude pattern \"*layer.0*\""),
                                         HasSubstr("did you mean \"*layers.0*\"?"))));
}

TEST(Cut, EmptySelectionIsRefused) {
  const auto checkpoint = of_tensors({{"a.weight", {64, 64}}});
  Options options;
  options.exclude = {"*"};
  EXPECT_THAT([&] { cut(checkpoint, options); },
              ThrowsMessage<Error>(HasSubstr("leave no tensor")));
}

TEST(Cut, CostsFollowFromTheShape) {
  Options options;
  options.quantizers = {{kernels::QuantizerFamily::affine, 4, 64}};
  const auto checkpoint = of_tensors({{"a.experts.w", {4, 96, 60}}});
  const auto items = cut(checkpoint, options);
  ASSERT_EQ(items.size(), 1U);
  // Two quantizers: the one listed, and rtn 4-bit g128 for the error score.
  const double slice = 96 * 60 * (12.0 + 2 * 8.0) + 60.0 * 60 * 96 + 4.0 / 3.0 * 60 * 60 * 60;
  EXPECT_EQ(items[0].flops(), static_cast<std::int64_t>(4 * slice));
  EXPECT_EQ(items[0].bytes_read, 4 * 96 * 60 * 2);
  EXPECT_EQ(items[0].peak_bytes, 96 * 60 * (2 * 2 + 4) + kernels::gram_peak_bytes(60, 96 * 60));
}

TEST(Cut, PeakOfALargeTensorIsFarBelowItsBytes) {
  Options options;
  const auto embedding = cut(of_tensors({{"lm_head.weight", {248320, 4096}}}), options).at(0);
  const auto gram = kernels::gram_peak_bytes(4096, 512 * 4096);
  EXPECT_LE(embedding.peak_bytes, gram + (16 << 20));
  options.spectrum = false;
  for (const auto& shape :
       std::vector<std::vector<std::int64_t>>{{32, 30'000'000}, {30'000'000, 32}}) {
    EXPECT_LE(cut(of_tensors({{"w", shape}}), options).at(0).peak_bytes, 8 << 20);
  }
  options.spectrum = true;
  const auto wide = cut(of_tensors({{"w", {32, 30'000'000}}}), options).at(0);
  EXPECT_LE(wide.peak_bytes, (150 << 20) + kernels::gram_peak_bytes(32, 1 << 20));
}

TEST(KeyOf, SortsAsTextInSliceOrder) {
  const auto checkpoint = of_tensors({{"a.experts.w", {512, 64, 64}}, {"b.weight", {64, 64}}});
  Options options;
  options.unit_bytes = 3 * 64 * 64 * 2;
  std::vector<std::string> keys;
  for (const auto& item : cut(checkpoint, options)) {
    keys.push_back(key_of(item, checkpoint, options));
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(keys.front(), "sensitivity/a.experts.w/000-002");
  EXPECT_EQ(keys.back(), "sensitivity/b.weight/0-0");
}

}  // namespace
}  // namespace moesweep::sensitivity
