#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/analysis/training/logistic.hpp>

#include "small_data.hpp"

namespace moesweep::training {
namespace {

using testing::DoubleNear;
using testing::Pointwise;

/// Mean NLL + l2/2 |W|^2, straight from the definition.
double objective(const LinearModel& model, const FeatureMatrix& features,
                 std::span<const std::int8_t> labels, double l2) {
  double penalty = 0.0;
  for (const double w : model.weights) penalty += w * w;
  return mean_log_loss(model, linear_scores(model, features), labels) + 0.5 * l2 * penalty;
}

/// Largest absolute central difference over all weights and biases.
double largest_slope(LinearModel model, const FeatureMatrix& features,
                     std::span<const std::int8_t> labels, double l2) {
  constexpr double h = 1e-5;
  double most = 0.0;
  for (auto* parameters : {&model.weights, &model.bias}) {
    for (double& parameter : *parameters) {
      const double at = parameter;
      parameter = at + h;
      const double above = objective(model, features, labels, l2);
      parameter = at - h;
      const double below = objective(model, features, labels, l2);
      parameter = at;
      most = std::max(most, std::abs(above - below) / (2.0 * h));
    }
  }
  return most;
}

// Expected values of this file: Newton's method, and numpy.linalg.solve for ridge, in numpy 1.24.

TEST(Logistic, TwoClassesAgreeWithNewtonsMethod) {
  const auto fit = fit_logistic(small_features(40, 3), two_classes(40), 2,
                                {.l2 = 0.01, .gradient_tolerance = 1e-10});
  EXPECT_TRUE(fit.converged);
  EXPECT_NEAR(fit.objective, 0.48268280778497624, 1e-13);
  EXPECT_THAT(
      fit.model.weights,
      Pointwise(DoubleNear(1e-8), {1.8199472146036773, -0.2828236000802775, 0.3988741719107376}));
  EXPECT_THAT(fit.model.bias, Pointwise(DoubleNear(1e-8), {-0.5623160353447701}));
}

TEST(Logistic, ThreeClassesAgreeWithNewtonsMethod) {
  const auto fit = fit_logistic(small_features(40, 3), three_classes(40), 3,
                                {.l2 = 0.05, .gradient_tolerance = 1e-10});
  EXPECT_TRUE(fit.converged);
  EXPECT_NEAR(fit.objective, 0.8892595166960612, 1e-13);
  EXPECT_THAT(fit.model.weights,
              Pointwise(DoubleNear(1e-8),
                        {-0.5671175476945667, -0.02322898721386956, -0.03000473735396724,
                         0.9423839515734115, -0.14741788219480043, 0.19882408791178524,
                         -0.37526640387884486, 0.1706468694086699, -0.16881935055781838}));
  EXPECT_THAT(fit.model.bias, Pointwise(DoubleNear(1e-8), {0.2327652781859691, 0.16639759200194745,
                                                           -0.39916287018791646}));
}

TEST(Logistic, FiniteDifferencesVanishAtTheOptimum) {
  const auto features = small_features(40, 3);
  for (const std::int64_t classes : {2, 3}) {
    const auto labels = classes == 2 ? two_classes(40) : three_classes(40);
    const auto fit = fit_logistic(features, labels, classes, {.l2 = 0.02});
    EXPECT_TRUE(fit.converged);
    EXPECT_LE(fit.gradient_norm, 1e-6);
    EXPECT_LE(largest_slope(fit.model, features, labels, 0.02), 2e-6);
    EXPECT_NEAR(objective(fit.model, features, labels, 0.02), fit.objective, 1e-12);
  }
}

TEST(Logistic, WithoutFeaturesThatTellTheBiasIsTheLogOdds) {
  const FeatureMatrix constant{4, 1, {0, 0, 0, 0}};
  const std::vector<std::int8_t> labels{1, 1, 1, 0};
  const auto fit = fit_logistic(constant, labels, 2, {.gradient_tolerance = 1e-12});
  EXPECT_NEAR(fit.model.bias.front(), std::log(3.0), 1e-9);
  EXPECT_EQ(fit.model.weights.front(), 0.0);
}

TEST(Logistic, APenaltyBoundsTheWeightsOfSeparableClasses) {
  const FeatureMatrix features{4, 1, {-2, -1, 1, 2}};
  const std::vector<std::int8_t> labels{0, 0, 1, 1};
  const auto loose = fit_logistic(features, labels, 2, {.l2 = 1e-4});
  const auto tight = fit_logistic(features, labels, 2, {.l2 = 1e-1});
  EXPECT_TRUE(loose.converged);
  EXPECT_TRUE(tight.converged);
  // The objective at 0 is log 2, so l2/2 w^2 <= log 2.
  EXPECT_LE(tight.model.weights.front(), std::sqrt(2.0 * std::log(2.0) / 1e-1));
  EXPECT_GT(loose.model.weights.front(), tight.model.weights.front());
}

TEST(Logistic, SeparableClassesWithoutAPenaltyEndUnconverged) {
  const FeatureMatrix features{2, 1, {-1, 1}};
  const std::vector<std::int8_t> labels{0, 1};
  const auto fit = fit_logistic(features, labels, 2,
                                {.l2 = 0.0, .gradient_tolerance = 0.0, .max_iterations = 20});
  EXPECT_FALSE(fit.converged);
  EXPECT_LE(fit.iterations, 20);
}

TEST(Logistic, TheSameFeaturesGiveTheSameBits) {
  const auto features = small_features(300, 40);
  const auto labels = three_classes(300);
  const auto once = fit_logistic(features, labels, 3, {});
  const auto again = fit_logistic(features, labels, 3, {});
  EXPECT_EQ(once.model.weights, again.model.weights);
  EXPECT_EQ(once.model.bias, again.model.bias);
}

TEST(Logistic, ManyBlocksOfRowsMakeOneSum) {
  // More rows than a block holds, and a last one that is short.
  const auto features = small_features(2500, 3);
  const auto labels = two_classes(2500);
  const auto fit = fit_logistic(features, labels, 2, {});
  EXPECT_TRUE(fit.converged);
  EXPECT_LE(largest_slope(fit.model, features, labels, 0.01), 2e-6);
}

TEST(LinearModel, AProbabilityIsSharedOutAmongTheClasses) {
  const LinearModel two{2, 1, {1.0}, {0.0}};
  const LinearModel three{3, 1, {0.0, 1.0, 0.0}, {0.0, 0.0, std::log(2.0)}};
  const FeatureMatrix at_zero{1, 1, {0}};
  EXPECT_THAT(class_probabilities(two, linear_scores(two, at_zero)),
              Pointwise(DoubleNear(1e-15), {0.5, 0.5}));
  EXPECT_THAT(class_probabilities(three, linear_scores(three, at_zero)),
              Pointwise(DoubleNear(1e-15), {0.25, 0.25, 0.5}));
}

TEST(LinearModel, ScoresBeyondTheRangeOfExpStayFinite) {
  const LinearModel model{2, 1, {1.0}, {0.0}};
  const std::vector<double> scores{-2000.0, 2000.0};
  const std::vector<std::int8_t> wrong{1, 0};
  EXPECT_EQ(mean_log_loss(model, scores, wrong), 2000.0);
  EXPECT_THAT(class_probabilities(model, scores), testing::ElementsAre(1.0, 0.0, 0.0, 1.0));
}

TEST(LinearModel, TiesArePredictedAsTheLowestClass) {
  const LinearModel two{2, 1, {1.0}, {0.0}};
  const LinearModel three{3, 1, {1.0, 1.0, 0.0}, {0.0, 0.0, 0.0}};
  const FeatureMatrix features{2, 1, {0, 1}};
  EXPECT_THAT(predicted_classes(two, linear_scores(two, features)), testing::ElementsAre(0, 1));
  EXPECT_THAT(predicted_classes(three, linear_scores(three, features)), testing::ElementsAre(0, 0));
}

TEST(LinearModel, ChosenRowsComeInTheOrderTold) {
  const FeatureMatrix features{3, 2, {1, 2, 3, 4, 5, 6}};
  const std::vector<std::int64_t> rows{2, 0};
  const auto chosen = rows_of(features, rows);
  EXPECT_EQ(chosen.rows, 2);
  EXPECT_THAT(chosen.values, testing::ElementsAre(5, 6, 1, 2));
}

}  // namespace
}  // namespace moesweep::training
