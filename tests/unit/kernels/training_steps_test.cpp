#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/model/kernels/isa.hpp>
#include <moesweep/model/kernels/normal.hpp>
#include <moesweep/model/kernels/training_steps.hpp>

namespace moesweep::kernels {
namespace {

// Not a multiple of any vector: the last elements take the other path.
constexpr std::size_t count = 1003;

std::vector<double> random_values(std::uint32_t stream, double scale) {
  std::vector<double> values(count + 1);
  for (std::size_t i = 0; i < count; i += 4) {
    const auto drawn =
        normals(philox4x32_10({static_cast<std::uint32_t>(i), 0, 0, stream}, {7, 7}));
    for (std::size_t k = 0; k < 4 && i + k < values.size(); ++k) {
      values[i + k] = static_cast<double>(static_cast<float>(scale * drawn[k]));
    }
  }
  values.resize(count);
  return values;
}

std::vector<float> narrow(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

class OnEveryTarget : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { pin_isa(GetParam()); }
  void TearDown() override { pin_isa("native"); }
};
INSTANTIATE_TEST_SUITE_P(TrainingSteps, OnEveryTarget, testing::ValuesIn(available_isas()),
                         [](const auto& test) { return test.param; });

TEST_P(OnEveryTarget, GeluEqualsItsDefinitionToFloatPrecision) {
  auto x = random_values(1, 3.0);
  x[0] = 0.0;
  x[1] = 30.0;
  x[2] = -30.0;
  std::vector<double> mask(count, 1.0);
  for (std::size_t i = 0; i < count; i += 3) mask[i] = 0.0;
  std::vector<double> activation(count);
  std::vector<double> slope(count);
  gelu(std::span<const double>(x), mask, activation, slope);
  const auto x_float = narrow(x);
  const auto mask_float = narrow(mask);
  std::vector<float> activation_float(count);
  std::vector<float> slope_float(count);
  gelu(std::span<const float>(x_float), mask_float, activation_float, slope_float);
  for (std::size_t i = 0; i < count; ++i) {
    const double tolerance = 3e-7 * (1.0 + std::abs(x[i]));
    EXPECT_NEAR(static_cast<double>(activation_float[i]), activation[i], tolerance) << x[i];
    EXPECT_NEAR(static_cast<double>(slope_float[i]), slope[i], tolerance) << x[i];
  }
}

TEST_P(OnEveryTarget, GeluSlopeIsItsDerivative) {
  const auto x = random_values(2, 2.0);
  constexpr double h = 1e-5;
  std::vector<double> above(x);
  std::vector<double> below(x);
  for (auto& value : above) value += h;
  for (auto& value : below) value -= h;
  std::vector<double> slope(count);
  std::vector<double> at_above(count);
  std::vector<double> at_below(count);
  std::vector<double> unused(count);
  gelu(std::span<const double>(above), {}, at_above, unused);
  gelu(std::span<const double>(below), {}, at_below, unused);
  gelu(std::span<const double>(x), {}, unused, slope);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_NEAR((at_above[i] - at_below[i]) / (2.0 * h), slope[i], 1e-8);
  }
}

TEST_P(OnEveryTarget, DropoutDecidesAsTheScalarGenerator) {
  constexpr double rate = 0.1;
  const DropoutAddress from{{11, 13}, 5, 0x300};
  std::vector<float> mask(640);
  std::vector<double> oracle(640);
  dropout_mask(from, rate, std::span<float>(mask));
  dropout_mask(from, rate, std::span<double>(oracle));
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    EXPECT_EQ(static_cast<double>(mask[i]), oracle[i]);
    dropped += mask[i] == 0.0F;
  }
  EXPECT_GT(dropped, 40U);
  EXPECT_LT(dropped, 90U);
}

TEST_P(OnEveryTarget, AdamEqualsItsDefinition) {
  auto weights = random_values(3, 1.0);
  std::vector<double> first(count, 0.0);
  std::vector<double> second(count, 0.0);
  auto weights_float = narrow(weights);
  std::vector<float> first_float(count, 0.0F);
  std::vector<float> second_float(count, 0.0F);
  for (std::int64_t t = 1; t <= 20; ++t) {
    const auto gradient = random_values(static_cast<std::uint32_t>(100 + t), 0.01);
    const auto gradient_float = narrow(gradient);
    const AdamStep step{.t = t};
    adam(step, std::span<const double>(gradient), weights, first, second);
    adam(step, std::span<const float>(gradient_float), weights_float, first_float, second_float);
  }
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_NEAR(static_cast<double>(weights_float[i]), weights[i], 2e-6);
  }
}

TEST(Adam, FirstStepIsTheLearningRateWhateverTheGradient) {
  std::vector<double> weights = {1.0, 1.0};
  std::vector<double> first(2, 0.0);
  std::vector<double> second(2, 0.0);
  const std::vector<double> gradient = {5.0, -1e-3};
  adam({.t = 1}, std::span<const double>(gradient), weights, first, second);
  EXPECT_NEAR(weights[0], 1.0 - 1e-3, 1e-8);
  EXPECT_NEAR(weights[1], 1.0 + 1e-3, 1e-7);
}

}  // namespace
}  // namespace moesweep::kernels
