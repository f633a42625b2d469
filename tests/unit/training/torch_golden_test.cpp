// Trained heads against PyTorch's after 50 steps. make_torch_golden.py tells the cases.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/analysis/training/trainer.hpp>
#include <moesweep/core/base/philox.hpp>

namespace moesweep::training {
namespace {

constexpr std::int64_t example_count = 400;
constexpr std::uint64_t seed = 7;

struct TorchCase {
  std::string name;
  HeadKind kind = HeadKind::mlp;
  std::int64_t logits = 3;
  std::vector<double> class_weights{};

  friend void PrintTo(const TorchCase& golden, std::ostream* out) { *out << golden.name; }
};

struct Inputs {
  FeatureMatrix features;
  std::vector<TokenRange> tokens;
  std::vector<std::int8_t> labels;
  std::vector<std::int8_t> split;

  Examples examples() const { return {&features, tokens, labels, split}; }
};

// Exact in float, as is a sum of a few.
float feature(std::size_t element) {
  const auto words =
      philox4x32_10({static_cast<std::uint32_t>(element / 4), 0, 0, 0x900}, {2026, 0});
  return static_cast<float>(words[element % 4] >> 8) / 8388608.0F - 1.0F;
}

std::int8_t label_of(const FeatureMatrix& features, const TokenRange& rows, std::size_t classes) {
  std::vector<float> sums(classes, 0.0F);
  for (auto row = rows.first; row < rows.end; ++row) {
    for (std::size_t j = 0; j < classes; ++j) sums[j] += features.row(row)[j];
  }
  return static_cast<std::int8_t>(std::max_element(sums.begin(), sums.end()) - sums.begin());
}

Inputs inputs_of(const TorchCase& golden, std::int64_t columns) {
  constexpr std::int8_t split_of[] = {0, 0, 0, 1, 2};
  const bool has_tokens = golden.kind == HeadKind::attention_mlp;
  Inputs inputs;
  std::vector<TokenRange> rows;
  for (std::int64_t i = 0; i < example_count; ++i) {
    const auto first = rows.empty() ? 0 : rows.back().end;
    rows.push_back({first, first + (has_tokens ? 1 + i % 4 : 1)});
    inputs.split.push_back(split_of[i % 5]);
  }
  inputs.features = {rows.back().end, columns, {}};
  const auto count = static_cast<std::size_t>(inputs.features.rows * columns);
  for (std::size_t e = 0; e < count; ++e) inputs.features.values.push_back(feature(e));
  const auto classes = static_cast<std::size_t>(std::max<std::int64_t>(golden.logits, 2));
  for (const auto& range : rows) inputs.labels.push_back(label_of(inputs.features, range, classes));
  if (has_tokens) inputs.tokens = rows;
  return inputs;
}

std::vector<double> torch_logits(const std::string& name) {
  std::ifstream file(MOESWEEP_TEST_DATA "/training/torch-" + name + ".csv");
  std::vector<double> logits;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) logits.push_back(std::stod(cell));
  }
  return logits;
}

class TorchGolden : public testing::TestWithParam<TorchCase> {};
INSTANTIATE_TEST_SUITE_P(
    Heads, TorchGolden,
    testing::Values(TorchCase{"linear", HeadKind::linear}, TorchCase{"mlp", HeadKind::mlp},
                    TorchCase{"mlp-weighted", HeadKind::mlp, 3, {1.0, 2.5, 0.5}},
                    TorchCase{"mlp-binary", HeadKind::mlp, 1},
                    TorchCase{"mlp-binary-weighted", HeadKind::mlp, 1, {0.75, 3.0}},
                    TorchCase{"attention", HeadKind::attention_mlp, 1}),
    [](const auto& test) {
      auto name = test.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST_P(TorchGolden, LogitsAfter50StepsAreThoseOfPyTorch) {
  TrainOptions options;
  options.shape = {GetParam().kind, 128, GetParam().logits, 256, 64};
  options.dropout = 0.0;
  options.epochs = 5;
  options.batch = 25;
  options.class_weights = GetParam().class_weights;
  const auto inputs = inputs_of(GetParam(), options.shape.inputs);
  const auto logits = logits_of(train<float>(inputs.examples(), options, seed), inputs.examples());
  const auto golden = torch_logits(GetParam().name);
  ASSERT_EQ(logits.size(), golden.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const double difference = static_cast<double>(logits[i]) - golden[i];
    EXPECT_LE(std::abs(difference), 1e-4)
        << "example " << i / static_cast<std::size_t>(options.shape.outputs);
    largest = std::max(largest, std::abs(difference));
  }
  RecordProperty("largest_difference", std::to_string(largest * 1e6) + "e-6");
}

}  // namespace
}  // namespace moesweep::training
