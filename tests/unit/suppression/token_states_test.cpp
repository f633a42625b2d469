#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/analysis/suppression/suppress.hpp>
#include <moesweep/core/base/philox.hpp>

namespace moesweep::suppression {
namespace {

// What suppression means for token states, done token by token; pooled states have to follow.

constexpr std::int64_t samples = 12, spans = 3, tokens = 10, columns = 5;
constexpr std::int64_t span_start[] = {0, 2, 3, 7};

double random_value(std::uint32_t stream, std::int64_t at) {
  return philox4x32_10({static_cast<std::uint32_t>(at), 0, 0, 0}, {stream, 0})[0] / 4294967296.0;
}

struct Tokens {
  records::HiddenCacheInfo info;
  std::vector<double> states;  // [samples, tokens, columns]
  std::vector<double> scores;  // [samples, spans]

  Tokens() {
    info.samples = samples;
    info.spans = spans;
    for (std::int64_t i = 0; i < samples; ++i) {
      info.sample_id.push_back(std::to_string(i));
      info.split.push_back(static_cast<std::int8_t>(i % 3));
      info.n_tokens.push_back(tokens);
      for (std::int64_t j = 0; j < spans; ++j) {
        info.cited.push_back(static_cast<std::int8_t>(j == i % 2));
        info.span_tokens.push_back(static_cast<std::int32_t>(span_start[j]));
        info.span_tokens.push_back(static_cast<std::int32_t>(span_start[j + 1]));
        scores.push_back(random_value(1, i * spans + j));
      }
    }
    for (std::int64_t i = 0; i < samples * tokens * columns; ++i) {
      states.push_back(2.0 * random_value(2, i) - 0.7);
    }
  }
  double state(std::int64_t i, std::int64_t t, std::int64_t k) const {
    return states[static_cast<std::size_t>((i * tokens + t) * columns + k)];
  }
};

using Weights = std::vector<double>;  // [samples, tokens], 0 for a token that is left out

training::FeatureMatrix pooled(const Tokens& from, const std::vector<double>& states,
                               const Weights& weights) {
  training::FeatureMatrix out{from.info.samples, columns, {}};
  for (std::int64_t i = 0; i < samples; ++i) {
    for (std::int64_t k = 0; k < columns; ++k) {
      double sum = 0.0, count = 0.0;
      for (std::int64_t t = 0; t < tokens; ++t) {
        const double weight = weights[static_cast<std::size_t>(i * tokens + t)];
        sum += weight * states[static_cast<std::size_t>((i * tokens + t) * columns + k)];
        count += weight;
      }
      out.values.push_back(static_cast<float>(sum / count));
    }
  }
  return out;
}

training::FeatureMatrix span_means_of(const Tokens& from) {
  training::FeatureMatrix out{samples * spans, columns, {}};
  for (std::int64_t i = 0; i < samples; ++i) {
    for (std::int64_t j = 0; j < spans; ++j) {
      for (std::int64_t k = 0; k < columns; ++k) {
        double sum = 0.0;
        for (std::int64_t t = span_start[j]; t < span_start[j + 1]; ++t) sum += from.state(i, t, k);
        out.values.push_back(
            static_cast<float>(sum / static_cast<double>(span_start[j + 1] - span_start[j])));
      }
    }
  }
  return out;
}

std::vector<double> direction_of(const Tokens& from, const training::FeatureMatrix& span_means) {
  std::vector<double> u(columns, 0.0);
  double cited = 0.0, uncited = 0.0;
  for (std::size_t row = 0; row < from.info.cited.size(); ++row) {
    if (from.info.split[row / spans] == 0) (from.info.cited[row] == 1 ? cited : uncited) += 1.0;
  }
  for (std::size_t row = 0; row < from.info.cited.size(); ++row) {
    if (from.info.split[row / spans] != 0) continue;
    const auto mean = span_means.row(static_cast<std::int64_t>(row));
    for (std::size_t k = 0; k < u.size(); ++k) {
      u[k] += from.info.cited[row] == 1 ? -static_cast<double>(mean[k]) / cited
                                        : static_cast<double>(mean[k]) / uncited;
    }
  }
  double squares = 0.0;
  for (const double value : u) squares += value * value;
  for (double& value : u) value /= std::sqrt(squares);
  return u;
}

struct Edited {
  std::vector<double> states;
  Weights weights;
};

Edited edit_tokens(const Tokens& from, const Setting& setting, const std::vector<double>& u) {
  Edited out{from.states, Weights(samples * tokens, 1.0)};
  for (std::int64_t i = 0; i < samples; ++i) {
    bool all = true;
    for (std::int64_t j = 0; j < spans; ++j) {
      all = all && from.scores[static_cast<std::size_t>(i * spans + j)] < setting.parameter;
    }
    for (std::int64_t t = 0; t < span_start[spans]; ++t) {
      std::int64_t j = 0;
      while (t >= span_start[j + 1]) ++j;
      const double score = from.scores[static_cast<std::size_t>(i * spans + j)];
      double along = 0.0;
      for (std::int64_t k = 0; k < columns; ++k) {
        along += from.state(i, t, k) * u[static_cast<std::size_t>(k)];
      }
      for (std::int64_t k = 0; k < columns; ++k) {
        double& h = out.states[static_cast<std::size_t>((i * tokens + t) * columns + k)];
        if (setting.mode == Mode::soft_mask) h *= score;
        if (setting.mode == Mode::directional) {
          h -= setting.parameter * (1.0 - score) * along * u[static_cast<std::size_t>(k)];
        }
      }
      if (setting.mode == Mode::hard_mask && score < setting.parameter && !all) {
        out.weights[static_cast<std::size_t>(i * tokens + t)] = 0.0;
      }
    }
  }
  return out;
}

/// Tokens outside every span do not count for evidence_mean.
void leave_out_action(Weights& weights) {
  for (std::int64_t i = 0; i < samples; ++i) {
    for (std::int64_t t = span_start[spans]; t < tokens; ++t) {
      weights[static_cast<std::size_t>(i * tokens + t)] = 0.0;
    }
  }
}

class TokenStates : public testing::TestWithParam<Setting> {};

TEST_P(TokenStates, PooledStatesChangeAsTheirTokensDo) {
  const Tokens from;
  const auto span_means = span_means_of(from);
  const auto mean = pooled(from, from.states, Weights(samples * tokens, 1.0));
  Edited edited = edit_tokens(from, GetParam(), direction_of(from, span_means));
  if (GetParam().pooling == Pooling::evidence_mean) leave_out_action(edited.weights);
  const auto expected = pooled(from, edited.states, edited.weights);
  const auto got = suppress({from.info, mean, span_means, from.scores}, GetParam(), {});
  EXPECT_EQ(got.counts.structural_no_op, 0);
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    EXPECT_NEAR(got.features.values[i], expected.values[i], 2e-6F);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryModeAndPooling, TokenStates,
                         testing::Values(Setting{Mode::soft_mask, 0.0, Pooling::mean},
                                         Setting{Mode::soft_mask, 0.0, Pooling::evidence_mean},
                                         Setting{Mode::hard_mask, 0.5, Pooling::mean},
                                         Setting{Mode::hard_mask, 0.5, Pooling::evidence_mean},
                                         Setting{Mode::hard_mask, 0.7, Pooling::mean},
                                         Setting{Mode::directional, 1.0, Pooling::mean},
                                         Setting{Mode::directional, 0.3, Pooling::mean},
                                         Setting{Mode::directional, 1.0, Pooling::evidence_mean}));

TEST(TokenStatesUntouched, ScoresOfOneChangeNoBit) {
  Tokens from;
  std::fill(from.scores.begin(), from.scores.end(), 1.0);
  const auto span_means = span_means_of(from);
  auto mean = pooled(from, from.states, Weights(samples * tokens, 1.0));
  mean.values.front() = -0.0F;
  const LayerStates states{from.info, mean, span_means, from.scores};
  for (const Pooling pooling : {Pooling::last_token, Pooling::mean, Pooling::evidence_mean}) {
    for (const Mode mode : {Mode::soft_mask, Mode::hard_mask, Mode::directional}) {
      const auto got = suppress(states, {mode, 1.0, pooling}, {});
      EXPECT_EQ(got.counts.values_changed, 0);
      EXPECT_EQ(got.counts.structural_no_op, 1);
      EXPECT_NE(got.counts.reason, "");
      EXPECT_EQ(got.features.values, baseline_features(states, pooling).values);
    }
  }
}

}  // namespace
}  // namespace moesweep::suppression
