#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/analysis/training/streams.hpp>
#include <moesweep/analysis/training/trainer.hpp>
#include <moesweep/model/kernels/normal.hpp>

namespace moesweep::training {
namespace {

FeatureMatrix random_features(std::int64_t rows, std::int64_t columns, std::uint32_t stream) {
  FeatureMatrix features{rows, columns,
                         std::vector<float>(static_cast<std::size_t>(rows * columns))};
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    const auto drawn =
        kernels::normals(philox4x32_10({static_cast<std::uint32_t>(i), 0, 0, stream}, {3, 1}));
    features.values[i] = static_cast<float>(drawn[0]);
  }
  return features;
}

// Classes that a linear rule of the first features tells apart.
std::vector<std::int8_t> labels_of(const FeatureMatrix& features, std::int64_t classes) {
  std::vector<std::int8_t> labels;
  for (std::int64_t i = 0; i < features.rows; ++i) {
    const auto row = features.row(i).first(static_cast<std::size_t>(classes));
    labels.push_back(
        static_cast<std::int8_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return labels;
}

struct Problem {
  FeatureMatrix features;
  std::vector<TokenRange> tokens;
  std::vector<std::int8_t> labels;
  std::vector<std::int8_t> split;
  TrainOptions options;

  Examples examples() const { return {&features, tokens, labels, split}; }
};

Problem problem_of(HeadKind kind, std::int64_t outputs) {
  constexpr std::int64_t samples = 90;
  constexpr std::int64_t inputs = 20;
  Problem problem;
  const std::int64_t classes = std::max<std::int64_t>(outputs, 2);
  if (kind == HeadKind::attention_mlp) {
    std::int64_t row = 0;
    for (std::int64_t i = 0; i < samples; ++i) {
      problem.tokens.push_back({row, row + 1 + i % 4});
      row = problem.tokens.back().end;
    }
    problem.features = random_features(row, inputs, 1);
    FeatureMatrix sums{samples, inputs, std::vector<float>(samples * inputs)};
    for (std::int64_t i = 0; i < samples; ++i) {
      const auto range = problem.tokens[static_cast<std::size_t>(i)];
      for (auto token = range.first; token < range.end; ++token) {
        for (std::size_t j = 0; j < inputs; ++j) sums.row(i)[j] += problem.features.row(token)[j];
      }
    }
    problem.labels = labels_of(sums, classes);
  } else {
    problem.features = random_features(samples, inputs, 1);
    problem.labels = labels_of(problem.features, classes);
  }
  for (std::int64_t i = 0; i < samples; ++i) {
    problem.split.push_back(static_cast<std::int8_t>(i % 3 == 2 ? 1 + i % 2 : 0));
  }
  problem.options.shape = {kind, inputs, outputs, 24, 8};
  problem.options.epochs = 30;
  problem.options.batch = 16;
  problem.options.learning_rate = 1e-2;
  return problem;
}

double loss_at(const TrainedHead<double>& head, const Problem& problem) {
  return loss_and_gradients(head, problem.examples(), problem.options.class_weights).loss;
}

struct Case {
  HeadKind kind;
  std::int64_t outputs;
  bool weighted;
};
class EveryHead : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Heads, EveryHead,
                         testing::Values(Case{HeadKind::linear, 3, false},
                                         Case{HeadKind::linear, 1, true},
                                         Case{HeadKind::mlp, 3, true},
                                         Case{HeadKind::mlp, 1, false},
                                         Case{HeadKind::attention_mlp, 1, false},
                                         Case{HeadKind::attention_mlp, 3, true}));

TEST_P(EveryHead, GradientsAgreeWithFiniteDifferences) {
  auto problem = problem_of(GetParam().kind, GetParam().outputs);
  if (GetParam().weighted) problem.options.class_weights = {1.0, 2.5, 0.5};
  TrainedHead<double> head{problem.options.shape, initial_tensors<double>(problem.options.shape, 5),
                           0};
  const auto analytic = loss_and_gradients(head, problem.examples(), problem.options.class_weights);
  constexpr double h = 1e-5;
  for (std::size_t t = 0; t < head.tensors.size(); ++t) {
    auto& values = head.tensors[t].values;
    for (std::size_t i = 0; i < values.size(); i += 1 + values.size() / 23) {
      const double value = values[i];
      values[i] = value + h;
      const double above = loss_at(head, problem);
      values[i] = value - h;
      const double below = loss_at(head, problem);
      values[i] = value;
      const double expected = (above - below) / (2.0 * h);
      EXPECT_NEAR(analytic.gradients[t].values[i], expected, 1e-9 + 1e-4 * std::abs(expected))
          << head.tensors[t].name << "[" << i << "]";
    }
  }
}

TEST_P(EveryHead, LearnsWhatCanBeLearned) {
  auto problem = problem_of(GetParam().kind, GetParam().outputs);
  std::fill(problem.split.begin(), problem.split.end(), std::int8_t{0});
  const auto trained = train<double>(problem.examples(), problem.options, 1);
  TrainedHead<double> fresh{problem.options.shape,
                            initial_tensors<double>(problem.options.shape, 1), 0};
  EXPECT_LT(loss_at(trained, problem), 0.6 * loss_at(fresh, problem));
}

TEST_P(EveryHead, FloatFollowsDouble) {
  auto problem = problem_of(GetParam().kind, GetParam().outputs);
  problem.options.epochs = 5;
  const auto in_float =
      logits_of(train<float>(problem.examples(), problem.options, 3), problem.examples());
  const auto in_double =
      logits_of(train<double>(problem.examples(), problem.options, 3), problem.examples());
  ASSERT_EQ(in_float.size(), in_double.size());
  for (std::size_t i = 0; i < in_float.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(in_float[i]), in_double[i], 1e-4);
  }
}

TEST_P(EveryHead, IsAFunctionOfTheSeed) {
  auto problem = problem_of(GetParam().kind, GetParam().outputs);
  problem.options.epochs = 3;
  const auto once = train<float>(problem.examples(), problem.options, 42);
  const auto again = train<float>(problem.examples(), problem.options, 42);
  const auto other = train<float>(problem.examples(), problem.options, 43);
  for (std::size_t t = 0; t < once.tensors.size(); ++t) {
    EXPECT_EQ(once.tensors[t].values, again.tensors[t].values) << once.tensors[t].name;
    EXPECT_NE(once.tensors[t].values, other.tensors[t].values) << once.tensors[t].name;
  }
}

TEST(Trainer, DropoutChangesTheWeightsAndNotTheEvaluation) {
  auto problem = problem_of(HeadKind::mlp, 3);
  problem.options.epochs = 2;
  const auto with = train<float>(problem.examples(), problem.options, 1);
  problem.options.dropout = 0.0;
  const auto without = train<float>(problem.examples(), problem.options, 1);
  EXPECT_NE(with.tensors[0].values, without.tensors[0].values);
  EXPECT_EQ(logits_of(with, problem.examples()), logits_of(with, problem.examples()));
}

TEST(Trainer, EarlyStopKeepsTheBestEpoch) {
  auto problem = problem_of(HeadKind::mlp, 3);
  problem.options.epochs = 200;
  problem.options.early_stop = true;
  problem.options.patience = 3;
  const auto stopped = train<double>(problem.examples(), problem.options, 1);
  ASSERT_LT(stopped.epochs, 200) << "30 training samples overfit long before";
  problem.options.early_stop = false;
  problem.options.epochs = stopped.epochs - 3;
  const auto best = train<double>(problem.examples(), problem.options, 1);
  for (std::size_t t = 0; t < best.tensors.size(); ++t) {
    EXPECT_EQ(stopped.tensors[t].values, best.tensors[t].values);
  }
}

TEST(Trainer, OnlyTheTrainSplitTeaches) {
  auto problem = problem_of(HeadKind::mlp, 3);
  problem.options.epochs = 2;
  const auto once = train<float>(problem.examples(), problem.options, 1);
  for (std::int64_t i = 0; i < problem.features.rows; ++i) {
    if (problem.split[static_cast<std::size_t>(i)] == 0) continue;
    std::fill(problem.features.row(i).begin(), problem.features.row(i).end(), 9.0F);
    problem.labels[static_cast<std::size_t>(i)] = 0;
  }
  const auto again = train<float>(problem.examples(), problem.options, 1);
  EXPECT_EQ(once.tensors[0].values, again.tensors[0].values);
}

TEST(Permutation, HoldsEveryNumberOnceInAnOrderOfTheEpoch) {
  const auto order = permutation(9, stream::order, 0, 1000);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    EXPECT_EQ(sorted[i], static_cast<std::int64_t>(i));
  EXPECT_NE(order, permutation(9, stream::order, 1, 1000));
  EXPECT_NE(order, permutation(10, stream::order, 0, 1000));
  EXPECT_EQ(order, permutation(9, stream::order, 0, 1000));
  EXPECT_TRUE(permutation(9, stream::order, 0, 0).empty());
}

TEST(Standardization, UsesTheTrainSplitAndKeepsConstantColumns) {
  FeatureMatrix features{3, 2, {1.0F, 5.0F, 3.0F, 5.0F, 100.0F, 6.0F}};
  const std::vector<std::int8_t> split = {0, 0, 2};
  const auto by = standardization_of(features, split);
  EXPECT_EQ(by.mean, (std::vector<float>{2.0F, 5.0F}));
  EXPECT_EQ(by.sd, (std::vector<float>{1.0F, 1.0F}));
  standardize(features, by);
  EXPECT_EQ(features.values, (std::vector<float>{-1.0F, 0.0F, 1.0F, 0.0F, 98.0F, 1.0F}));
}

}  // namespace
}  // namespace moesweep::training
