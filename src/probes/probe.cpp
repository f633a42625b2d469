#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <moesweep/base/error.hpp>
#include <moesweep/probes/probe.hpp>
#include <moesweep/training/logistic.hpp>

namespace moesweep::probes {
namespace {

using Rows = std::vector<std::int64_t>;

constexpr std::array<const char*, 3> split_names = {"train", "calibration", "test"};

Rows rows_of_split(const ProbeData& data, std::size_t split) {
  Rows rows;
  for (std::size_t i = 0; i < data.split.size(); ++i) {
    if (std::cmp_equal(data.split[i], split)) rows.push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

template <typename Value>
std::vector<Value> chosen(const std::vector<Value>& values, const Rows& rows) {
  std::vector<Value> out;
  out.reserve(rows.size());
  for (const std::int64_t i : rows) out.push_back(values[static_cast<std::size_t>(i)]);
  return out;
}

training::LinearFit fit_train(const ProbeData& data, const ProbePlace& place,
                              const ProbeOptions& options) {
  const Rows train = rows_of_split(data, 0);
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

/// Of the mean of `is_right`, from the residuals summed by group.
double standard_error(const std::vector<double>& is_right, const std::vector<std::int64_t>& group,
                      double mean) {
  std::map<std::int64_t, double> residuals;
  for (std::size_t i = 0; i < is_right.size(); ++i) residuals[group[i]] += is_right[i] - mean;
  const auto groups = static_cast<double>(residuals.size());
  if (groups < 2.0) return std::numeric_limits<double>::quiet_NaN();
  double squares = 0.0;
  for (const auto& [number, residual] : residuals) squares += residual * residual;
  return std::sqrt(squares * groups / (groups - 1.0)) / static_cast<double>(is_right.size());
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
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    is_right.push_back(predicted[i] == labels[i] ? 1.0 : 0.0);
    sum += is_right.back();
  }
  SplitOutcome out;
  out.row.samples = static_cast<std::int64_t>(labels.size());
  out.row.accuracy = sum / static_cast<double>(labels.size());
  out.row.accuracy_se = standard_error(is_right, chosen(data.group, rows), out.row.accuracy);
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
  const Rows train = rows_of_split(data, 0);
  if (!train.empty()) {
    training::standardize(data.features, training::standardization_of(data.features, data.split));
  }
  const auto fit = fit_train(data, place, options);
  const std::int8_t majority = most_frequent(chosen(data.labels, train), data.classes);
  ProbeResult result;
  result.converged = fit.converged;
  for (std::size_t split = 0; split < split_names.size(); ++split) {
    const Rows rows = rows_of_split(data, split);
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
