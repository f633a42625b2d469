#include "stream.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "sample.hpp"

namespace moesweep::sensitivity {
namespace {

using test::gaussian;
using test::SampleCheckpoint;

Options without_spectrum() {
  Options options;
  options.spectrum = false;
  return options;
}

/// A stack and the stream over it.
struct Streamed {
  Streamed(std::int64_t slices, std::int64_t rows, std::int64_t columns, const Options& options)
      : sample(gaussian("mlp.experts.up_proj", {slices, rows, columns}, 3)),
        checkpoint({sample}),
        view(view_of(checkpoint.tensor(), options)),
        tiling(tiling_of(view, checkpoint.tensor().dtype, options)),
        reader(checkpoint.opened()),
        stream(reader, checkpoint.tensor(), view, tiling, slices - 1) {}

  /// The slice put together from its blocks; a weight that no block had stays NaN.
  std::vector<float> gathered(std::int64_t slice) {
    std::vector<float> values(static_cast<std::size_t>(view.rows * view.columns), NAN);
    stream.visit(slice, [&](const Block& block) {
      for (std::int64_t row = 0; row < block.rows; ++row) {
        for (std::int64_t column = 0; column < block.columns; ++column) {
          const auto at = (block.row_first + row) * view.columns + block.column_first + column;
          auto& value = values.at(static_cast<std::size_t>(at));
          EXPECT_TRUE(std::isnan(value)) << "visited twice";
          value = block.values[static_cast<std::size_t>(row * block.columns + column)];
        }
      }
      ++blocks;
      return true;
    });
    return values;
  }

  std::vector<float> expected(std::int64_t slice) const {
    const auto count = view.rows * view.columns;
    const auto begin = sample.values.begin() + slice * count;
    return {begin, begin + count};
  }

  test::Sample sample;
  SampleCheckpoint checkpoint;
  MatrixView view;
  Tiling tiling;
  checkpoint::TensorReader reader;
  SliceStream stream;
  int blocks = 0;
};

void expect_all_slices(Streamed& streamed, int blocks_a_slice) {
  for (std::int64_t slice = 0; slice < streamed.view.slices; ++slice) {
    EXPECT_EQ(streamed.gathered(slice), streamed.expected(slice)) << slice;
  }
  EXPECT_EQ(streamed.blocks, blocks_a_slice * streamed.view.slices);
}

TEST(SliceStream, RowBlocksOfSeveralExtentsGiveEveryWeightOnce) {
  Streamed streamed(2, 5000, 700, without_spectrum());
  ASSERT_LT(streamed.tiling.extent_rows, 5000);
  expect_all_slices(streamed, 1000);
}

TEST(SliceStream, BlocksOfPartsOfRowsGiveEveryWeightOnce) {
  Streamed streamed(2, 300, 10'000, without_spectrum());
  ASSERT_GT(streamed.tiling.extent_rows, 1);
  ASSERT_LT(streamed.tiling.extent_rows, 300);
  ASSERT_LT(streamed.tiling.block_columns, 10'000);
  expect_all_slices(streamed, 300 * 3);
}

TEST(SliceStream, PiecesOfVeryLongRowsGiveEveryWeightOnce) {
  Streamed streamed(1, 32, 530'000, without_spectrum());
  ASSERT_EQ(streamed.tiling.extent_rows, 1);
  ASSERT_LT(streamed.tiling.extent_columns, 530'000);
  expect_all_slices(streamed, 32 * 130);
}

TEST(SliceStream, ColumnPanelsGiveEveryWeightOnce) {
  Streamed streamed(3, 600, 2500, Options{});
  ASSERT_TRUE(streamed.tiling.column_panels);
  expect_all_slices(streamed, 2);
}

TEST(SliceStream, StripesOfSomeColumnsGiveEveryWeightOnce) {
  Streamed streamed(2, 4100, 4400, Options{});
  ASSERT_LT(streamed.tiling.extent_columns, 4400);
  EXPECT_EQ(streamed.gathered(0), streamed.expected(0));
  EXPECT_EQ(streamed.gathered(1), streamed.expected(1));
}

TEST(SliceStream, SlicesMayComeInAnyOrderAndAgain) {
  Streamed streamed(4, 64, 96, without_spectrum());
  for (const std::int64_t slice : {2, 2, 0, 3, 3, 1}) {
    EXPECT_EQ(streamed.gathered(slice), streamed.expected(slice)) << slice;
  }
}

TEST(SliceStream, AVisitThatStopsEarlyLeavesTheNextSliceWhole) {
  Streamed streamed(2, 5000, 700, without_spectrum());
  int visited = 0;
  streamed.stream.visit(0, [&](const Block&) { return ++visited < 3; });
  EXPECT_EQ(visited, 3);
  EXPECT_EQ(streamed.gathered(1), streamed.expected(1));
}

}  // namespace
}  // namespace moesweep::sensitivity
