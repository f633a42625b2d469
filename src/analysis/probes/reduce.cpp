#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <moesweep/analysis/probes/reduce.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/sound_rows.hpp>
#include <moesweep/core/stats/paired.hpp>

namespace moesweep::probes {
namespace {

using SkillKey = std::tuple<std::string, std::string, std::string>;  // variant, skill, pooling

struct Layer {
  records::ProbeRow row;
  records::ProbePredictionRow predictions;
};
using Layers = std::map<std::int32_t, Layer>;  // by index, bottom first

std::map<SkillKey, Layers> on_test(const std::vector<records::ProbeRow>& rows,
                                   const std::vector<records::ProbePredictionRow>& predictions) {
  std::map<SkillKey, Layers> skills;
  for (const auto& row : rows) {
    if (row.split != "test") continue;
    auto& layers = skills[{row.variant, row.skill, row.pooling}];
    records::require_sound(layers.try_emplace(row.layer_index, Layer{row, {}}).second,
                           "probes/layers", "a layer is probed twice");
  }
  for (const auto& row : predictions) {
    if (row.split != "test") continue;
    auto& layers = skills[{row.variant, row.skill, row.pooling}];
    const auto layer = layers.find(row.layer_index);
    records::require_sound(layer != layers.end(), "probes/predictions",
                           "predictions are of a layer without accuracy");
    layer->second.predictions = row;
  }
  return skills;
}

/// The last of the best from `first` on.
const Layer& best_of(Layers::const_iterator first, Layers::const_iterator last) {
  auto best = first;
  for (auto layer = first; layer != last; ++layer) {
    if (layer->second.row.accuracy >= best->second.row.accuracy) best = layer;
  }
  return best->second;
}

double p_that_bottom_is_better(const Layer& bottom, const Layer& above) {
  const auto& truth = bottom.predictions.truth;
  records::require_sound(truth == above.predictions.truth &&
                             truth.size() == bottom.predictions.predicted.size() &&
                             truth.size() == above.predictions.predicted.size(),
                         "probes/predictions", "layers are probed on different samples");
  std::int64_t only_bottom = 0;
  std::int64_t only_above = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const bool bottom_right = bottom.predictions.predicted[i] == truth[i];
    const bool above_right = above.predictions.predicted[i] == truth[i];
    only_bottom += bottom_right && !above_right;
    only_above += above_right && !bottom_right;
  }
  return stats::mcnemar_exact_greater(only_bottom, only_above);
}

std::string reason_of(const records::InversionRow& row, const Layer& bottom, const Layer& above) {
  if (row.inverted == 0) {
    return fmt::format("read best at {}, not at the bottom layer {}", row.best_layer,
                       bottom.row.layer);
  }
  const std::string spans =
      row.skill == "evidence" ? ", counting spans of one sample as independent" : "";
  if (row.p_bottom < 0.05) {
    return fmt::format(
        "the bottom layer reads it best: better than {} (p = {:.2g}{}); the layers above destroy "
        "what the bottom has",
        above.row.layer, row.p_bottom, spans);
  }
  return fmt::format(
      "the bottom layer reads it best, but not distinguishable from {} (p = {:.2g}{})",
      above.row.layer, row.p_bottom, spans);
}

records::InversionRow inversion_of(const SkillKey& key, const Layers& layers) {
  const Layer& best = best_of(layers.begin(), layers.end());
  records::InversionRow row;
  std::tie(row.variant, row.skill, row.pooling) = key;
  row.layers = static_cast<std::int32_t>(layers.size());
  row.best_layer = best.row.layer;
  row.best_index = best.row.layer_index;
  row.best_accuracy = best.row.accuracy;
  row.top_accuracy = layers.rbegin()->second.row.accuracy;
  if (layers.size() < 2) {
    row.reason = "one layer: there is nothing to compare it with";
    return row;
  }
  const Layer& bottom = layers.begin()->second;
  const Layer& above = best_of(std::next(layers.begin()), layers.end());
  row.p_bottom = p_that_bottom_is_better(bottom, above);
  row.inverted = row.best_index == bottom.row.layer_index ? 1 : 0;
  row.reason = reason_of(row, bottom, above);
  return row;
}

}  // namespace

std::vector<records::InversionRow> reduce(
    const std::vector<records::ProbeRow>& layers,
    const std::vector<records::ProbePredictionRow>& predictions) {
  std::vector<records::InversionRow> inversions;
  for (const auto& [key, of_skill] : on_test(layers, predictions)) {
    if (!of_skill.empty()) inversions.push_back(inversion_of(key, of_skill));
  }
  return inversions;
}

}  // namespace moesweep::probes
