#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/kernels/positive_solve.hpp>

namespace moesweep::kernels {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

TEST(PositiveSolve, SolvesEachRowFromTheUpperTriangle) {
  std::vector<double> matrix{4, 2, -1, 3};
  std::vector<double> right{8, 7, 4, 2};
  ASSERT_TRUE(solve_positive_definite(2, matrix, 2, right));
  EXPECT_THAT(right, Pointwise(DoubleNear(1e-14), {1.25, 1.5, 1.0, 0.0}));
}

TEST(PositiveSolve, AnIndefiniteMatrixLeavesTheRightHandSide) {
  std::vector<double> matrix{1, 2, 2, 1};
  std::vector<double> right{3, 5};
  EXPECT_FALSE(solve_positive_definite(2, matrix, 1, right));
  EXPECT_THAT(right, ElementsAre(3, 5));
}

}  // namespace
}  // namespace moesweep::kernels
