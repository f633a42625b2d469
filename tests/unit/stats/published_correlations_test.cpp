// The correlation study of the published records, recomputed (tests/data/swan/README.md).

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/stats/numeric_csv.hpp>

namespace moesweep::stats {
namespace {

const std::string folder = MOESWEEP_TEST_DATA "/swan/";
constexpr double tolerance = 1e-9;

class PublishedCorrelations : public ::testing::Test {
 protected:
  PublishedCorrelations() {
    for (auto& column : read_numeric_csv(folder + "qwen35-397b-published.csv")) {
      columns_[column.name] = std::move(column.values);
    }
    columns_["position_u"] = u_scores(columns_.at("layer"));
    published_ =
        nlohmann::json::parse(std::ifstream(folder + "qwen35-397b-published-summary.json"));
  }

  /// The position score before the boost of early layers: 4(p - 1/2)^2 of the layer's place p in
  /// [0,1], and 1/2 for tensors outside of the layers.
  std::vector<double> u_scores(std::vector<double> layers) const {
    for (auto& layer : layers) {
      const double place = layer / 59.0;
      layer = std::isnan(layer) ? 0.5 : 4.0 * (place - 0.5) * (place - 0.5);
    }
    return layers;
  }

  Correlation against_error(const std::string& metric) const {
    return correlate(columns_.at(metric), columns_.at("nrmse_4bit_g128"));
  }

  void expect_all(const nlohmann::json& published,
                  const std::map<std::string, std::string>& column_of) const {
    ASSERT_EQ(published.size(), column_of.size());
    for (const auto& [metric, values] : published.items()) {
      SCOPED_TRACE(metric);
      const auto found = against_error(column_of.at(metric));
      EXPECT_EQ(found.count, 2347);
      EXPECT_NEAR(found.spearman, values.at("spearman_r").get<double>(), tolerance);
      EXPECT_NEAR(found.pearson, values.at("pearson_r").get<double>(), tolerance);
      expect_p(found.spearman_p, values.at("spearman_p").get<double>());
      expect_p(found.pearson_p, values.at("pearson_p").get<double>());
    }
  }

  /// Far out in the tail a p follows r steeply, hence relative; theirs underflows to 0.
  static void expect_p(double ours, double published) {
    if (published == 0.0) {
      EXPECT_LT(ours, 1e-300);
    } else {
      EXPECT_NEAR(ours / published, 1.0, 1e-7);
    }
  }

  std::map<std::string, std::vector<double>> columns_;
  nlohmann::json published_;
};

TEST_F(PublishedCorrelations, ScoresAgainstTheErrorAgree) {
  expect_all(published_.at("metric_vs_error"), {{"svd", "score_svd"},
                                                {"kurtosis", "score_kurtosis"},
                                                {"output_sensitivity", "score_output"},
                                                {"cross_layer", "score_cross_layer"},
                                                {"composite", "composite_v1"}});
}

TEST_F(PublishedCorrelations, RawMetricsAgainstTheErrorAgree) {
  expect_all(published_.at("raw_metric_vs_error"), {{"svd_concentration", "svd_concentration"},
                                                    {"kurtosis_raw", "excess_kurtosis"},
                                                    {"output_delta", "output_delta"},
                                                    {"position_u_score", "position_u"}});
}

TEST_F(PublishedCorrelations, ScoresAmongEachOtherAgree) {
  const auto& published = published_.at("inter_metric_correlation");
  const std::map<std::string, std::string> column_of = {{"svd", "score_svd"},
                                                        {"kurtosis", "score_kurtosis"},
                                                        {"output_sensitivity", "score_output"},
                                                        {"cross_layer", "score_cross_layer"}};
  const auto metrics = published.at("metrics").get<std::vector<std::string>>();
  ASSERT_EQ(metrics.size(), 4U);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    for (std::size_t j = 0; j < metrics.size(); ++j) {
      SCOPED_TRACE(metrics[i] + " " + metrics[j]);
      const auto found =
          correlate(columns_.at(column_of.at(metrics[i])), columns_.at(column_of.at(metrics[j])));
      EXPECT_NEAR(found.spearman, published.at("spearman")[i][j].get<double>(), tolerance);
      EXPECT_NEAR(found.pearson, published.at("pearson")[i][j].get<double>(), tolerance);
    }
  }
}

TEST_F(PublishedCorrelations, TheRecordsAreThoseOfTheSummary) {
  const auto& errors = columns_.at("nrmse_4bit_g128");
  ASSERT_EQ(errors.size(), published_.at("tensors_analyzed").get<std::size_t>());
  const auto [least, most] = std::minmax_element(errors.begin(), errors.end());
  EXPECT_EQ(*least, published_.at("error_statistics").at("min").get<double>());
  EXPECT_EQ(*most, published_.at("error_statistics").at("max").get<double>());
}

}  // namespace
}  // namespace moesweep::stats
