#include <algorithm>
#include <utility>

#include <moesweep/analysis/probes/probe.hpp>
#include <moesweep/analysis/training/logistic.hpp>
#include <moesweep/analysis/training/samples.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::probes {
namespace {

using records::Split;
using records::split_names;
using training::chosen;
using Rows = std::vector<std::int64_t>;

training::LinearFit fit_train(const ProbeData& data, const ProbePlace& place,
                              const ProbeOptions& options) {
  const Rows train = training::rows_of_split(data.split, Split::train);
  const auto labels = chosen(data.labels, train);
  if (labels.empty() || std::count(labels.begin(), labels.end(), labels.front()) ==
                            static_cast<std::ptrdiff_t>(labels.size())) {
    throw Error(ExitCode::bad_input, place.variant + ", skill " + place.skill,
                "its train split has fewer than two classes", "leave this skill out");
  }
  const auto features = training::rows_of(data.features, train);
  return options.kind == ProbeKind::logistic
             ? training::fit_logistic(features, labels, data.classes, {.l2 = options.l2})
             : training::fit_ridge(features, labels, data.classes, options.l2);
}

std::int8_t most_frequent(const std::vector<std::int8_t>& labels, std::int64_t classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes), 0);
  for (const std::int8_t label : labels) ++counts[static_cast<std::size_t>(label)];
  return static_cast<std::int8_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

std::string digits(const std::vector<std::int8_t>& classes) {
  std::string text;
  for (const std::int8_t c : classes) text.push_back(static_cast<char>('0' + c));
  return text;
}

struct SplitOutcome {
  records::ProbeRow row;
  records::ProbePredictionRow predictions;
};

SplitOutcome evaluate(const ProbeData& data, const Rows& rows, const training::LinearModel& model,
                      ProbeKind kind) {
  const auto labels = chosen(data.labels, rows);
  const auto scores = training::linear_scores(model, training::rows_of(data.features, rows));
  const auto predicted = training::predicted_classes(model, scores);
  std::vector<double> is_right;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    is_right.push_back(predicted[i] == labels[i] ? 1.0 : 0.0);
  }
  SplitOutcome out;
  out.row.samples = static_cast<std::int64_t>(labels.size());
  const auto accuracy = training::mean_over_samples(is_right, chosen(data.group, rows));
  out.row.accuracy = accuracy.mean;
  out.row.accuracy_se = accuracy.standard_error;
  if (kind == ProbeKind::logistic) {
    out.row.loss = training::mean_log_loss(model, scores, labels);
  }
  out.predictions.truth = digits(labels);
  out.predictions.predicted = digits(predicted);
  return out;
}

template <typename Row>
void name(Row& row, const ProbePlace& place, const char* split) {
  row.variant = place.variant;
  row.layer = place.layer;
  row.layer_index = place.layer_index;
  row.skill = place.skill;
  row.pooling = place.pooling;
  row.split = split;
}

}  // namespace

std::string_view probe_name(ProbeKind kind) {
  return kind == ProbeKind::logistic ? "logistic" : "ridge";
}

std::optional<ProbeKind> parse_probe(std::string_view name) {
  for (const ProbeKind kind : {ProbeKind::logistic, ProbeKind::ridge}) {
    if (probe_name(kind) == name) return kind;
  }
  return std::nullopt;
}

ProbeResult run_probe(ProbeData data, const ProbePlace& place, const ProbeOptions& options) {
  expect(std::cmp_equal(data.labels.size(), data.features.rows) &&
             data.split.size() == data.labels.size() && data.group.size() == data.labels.size(),
         "one label, split and group a row");
  const Rows train = training::rows_of_split(data.split, Split::train);
  if (!train.empty()) {
    training::standardize(data.features, training::standardization_of(data.features, data.split));
  }
  const auto fit = fit_train(data, place, options);
  const std::int8_t majority = most_frequent(chosen(data.labels, train), data.classes);
  ProbeResult result;
  result.converged = fit.converged;
  for (std::size_t split = 0; split < split_names.size(); ++split) {
    const Rows rows = training::rows_of_split(data.split, static_cast<Split>(split));
    if (rows.empty()) continue;
    auto [row, predictions] = evaluate(data, rows, fit.model, options.kind);
    name(row, place, split_names[split]);
    name(predictions, place, split_names[split]);
    row.probe = probe_name(options.kind);
    row.converged = fit.converged ? 1 : 0;
    const auto labels = chosen(data.labels, rows);
    row.majority = static_cast<double>(std::count(labels.begin(), labels.end(), majority)) /
                   static_cast<double>(labels.size());
    result.layers.push_back(std::move(row));
    result.predictions.push_back(std::move(predictions));
  }
  return result;
}

}  // namespace moesweep::probes
