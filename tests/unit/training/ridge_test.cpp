#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/training/logistic.hpp>
#include <moesweep/core/base/error.hpp>

#include "small_data.hpp"

namespace moesweep::training {
namespace {

using testing::DoubleNear;
using testing::Pointwise;

// Expected values: numpy.linalg.solve of the normal equations, numpy 1.24.

TEST(Ridge, TwoClassesAgreeWithTheNormalEquations) {
  const auto fit = fit_ridge(small_features(40, 3), two_classes(40), 2, 0.1);
  EXPECT_TRUE(fit.converged);
  EXPECT_THAT(
      fit.model.weights,
      Pointwise(DoubleNear(1e-13), {0.6439713985256069, -0.1108123518830227, 0.12512519316530957}));
  EXPECT_THAT(fit.model.bias, Pointwise(DoubleNear(1e-13), {-0.18877182029658754}));
}

TEST(Ridge, ThreeClassesAgreeWithTheNormalEquations) {
  const auto fit = fit_ridge(small_features(40, 3), three_classes(40), 3, 0.1);
  EXPECT_THAT(fit.model.weights,
              Pointwise(DoubleNear(1e-13),
                        {-0.45450356577507667, 0.00737479958247218, -0.03787774908900905,
                         0.6439713985256069, -0.11081235188302269, 0.12512519316530962,
                         -0.18946783275053006, 0.1034375523005505, -0.08724744407630049}));
  EXPECT_THAT(fit.model.bias,
              Pointwise(DoubleNear(1e-13),
                        {-0.20956088668470738, -0.18877182029658754, -0.6016672930187051}));
}

TEST(Ridge, ASingleFeatureHasItsClosedForm) {
  // Centred: x = -1, 1, y = -1, 1, so w = (1+1)/(1+1 + 2 l2), b = mean(y) - w mean(x).
  const FeatureMatrix features{2, 1, {4, 6}};
  const std::vector<std::int8_t> labels{0, 1};
  const auto fit = fit_ridge(features, labels, 2, 0.25);
  EXPECT_NEAR(fit.model.weights.front(), 0.8, 1e-15);
  EXPECT_NEAR(fit.model.bias.front(), -4.0, 1e-14);
  // Residuals are +-0.2.
  EXPECT_NEAR(fit.objective, 0.5 * 0.04 + 0.125 * 0.64, 1e-15);
}

TEST(Ridge, MoreFeaturesThanRowsSolveTheSameEquations) {
  // Three features and 57 constant ones, which say nothing and get no weight.
  const auto narrow = small_features(40, 3);
  FeatureMatrix wide{40, 60, {}};
  for (std::int64_t i = 0; i < 40; ++i) {
    const auto row = narrow.row(i);
    wide.values.insert(wide.values.end(), row.begin(), row.end());
    wide.values.insert(wide.values.end(), 57, 0.5F);
  }
  const auto expected = fit_ridge(narrow, three_classes(40), 3, 0.1);
  const auto fit = fit_ridge(wide, three_classes(40), 3, 0.1);
  for (std::size_t o = 0; o < 3; ++o) {
    for (std::size_t j = 0; j < 60; ++j) {
      EXPECT_NEAR(fit.model.weights[o * 60 + j], j < 3 ? expected.model.weights[o * 3 + j] : 0.0,
                  1e-12);
    }
    EXPECT_NEAR(fit.model.bias[o], expected.model.bias[o], 1e-12);
  }
  EXPECT_NEAR(fit.objective, expected.objective, 1e-13);
}

TEST(Ridge, APenaltyLostInRoundingIsRefused) {
  const FeatureMatrix twins{4, 2, {3e8F, 3e8F, -1e8F, -1e8F, 2e8F, 2e8F, 1e8F, 1e8F}};
  const std::vector<std::int8_t> labels{0, 1, 0, 1};
  EXPECT_THROW(fit_ridge(twins, labels, 2, 1e-300), Error);
}

}  // namespace
}  // namespace moesweep::training
