#pragma once
// Rows of layer probes.

#include <tuple>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

/// One probe on one split.
struct ProbeRow {
  std::string variant;
  std::string layer;
  std::int32_t layer_index = 0;
  std::string skill;
  std::string pooling;
  std::string probe;
  std::string split;
  std::int64_t samples = 0;
  double accuracy = not_measured;
  double accuracy_se = not_measured;
  double majority = not_measured;
  double loss = not_measured;
  std::int8_t converged = 0;
};

/// All predictions of one probe on one split, beside the truth: skills have no table of their own.
struct ProbePredictionRow {
  std::string variant;
  std::string layer;
  std::int32_t layer_index = 0;
  std::string skill;
  std::string pooling;
  std::string split;
  std::string truth;
  std::string predicted;
};

/// Where a skill is read best.
struct InversionRow {
  std::string variant;
  std::string skill;
  std::string pooling;
  std::int32_t layers = 0;
  std::string best_layer;
  std::int32_t best_index = 0;
  double best_accuracy = not_measured;
  double top_accuracy = not_measured;
  double p_bottom = not_measured;
  std::int8_t inverted = 0;
  std::string reason;
};

template <>
struct TableOf<ProbeRow> {
  using Row = ProbeRow;
  static constexpr auto name = "probes/layers";
  static constexpr auto description = "Linear probes: layer x skill x variant";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"layer_index", &Row::layer_index, "", "0 is the bottom"},
      Column{"skill", &Row::skill, "", "What is predicted"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"probe", &Row::probe, "", "logistic or ridge"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{"samples", &Row::samples, "1", "Samples of the split"},
      Column{"accuracy", &Row::accuracy, "1", "Share predicted right"},
      Column{"accuracy_se", &Row::accuracy_se, "1", "Its standard error over samples"},
      Column{"majority", &Row::majority, "1", "Share of the most frequent class of train: chance"},
      Column{"loss", &Row::loss, "nat", "Mean negative log-likelihood of logistic"},
      Column{"converged", &Row::converged, "", "1 when the fit reached its optimum"},
  };
};

template <>
struct TableOf<ProbePredictionRow> {
  using Row = ProbePredictionRow;
  static constexpr auto name = "probes/predictions";
  static constexpr auto description = "Predictions of the probes";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"layer", &Row::layer, "", "Layer of the states"},
      Column{"layer_index", &Row::layer_index, "", "0 is the bottom"},
      Column{"skill", &Row::skill, "", "What is predicted"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"split", &Row::split, "", "train, calibration or test"},
      Column{
          "truth", &Row::truth, "",
          "One digit a sample (or span) of the split, in the order of the cache: the true class"},
      Column{"predicted", &Row::predicted, "", "The same: the predicted class"},
  };
};

template <>
struct TableOf<InversionRow> {
  using Row = InversionRow;
  static constexpr auto name = "probes/inversion";
  static constexpr auto description = "Best layer by skill, and whether that is the very bottom";
  static constexpr bool in_digest = true;
  static constexpr auto columns = std::tuple{
      Column{"variant", &Row::variant, "", "Model variant: name of its cache"},
      Column{"skill", &Row::skill, "", "What is predicted"},
      Column{"pooling", &Row::pooling, "", "How a sample became one vector"},
      Column{"layers", &Row::layers, "1", "Layers probed"},
      Column{"best_layer", &Row::best_layer, "",
             "Highest accuracy on the test split (ties: the upper layer)"},
      Column{"best_index", &Row::best_index, "", "0 is the bottom"},
      Column{"best_accuracy", &Row::best_accuracy, "1", "There"},
      Column{"top_accuracy", &Row::top_accuracy, "1", "At the top layer"},
      Column{"p_bottom", &Row::p_bottom, "1",
             "Exact one-sided McNemar: the bottom beats the best layer above it"},
      Column{"inverted", &Row::inverted, "", "1 when the bottom layer is best"},
      Column{"reason", &Row::reason, "", "In words"},
  };
};

}  // namespace moesweep::records
