#include <cmath>
#include <map>
#include <tuple>

#include <moesweep/analysis/quality/samples.hpp>

#include "wide_sum.hpp"

namespace moesweep::quality {
namespace {

using records::SampleSumRow;

void join_sum(double& high, double& low, double more_high, double more_low) {
  WideSum sum{high, low};
  sum.add({more_high, more_low});
  high = sum.high;
  low = sum.low;
}

void join_group(SampleSumRow& row, const SampleSumRow& more) {
  row.samples += more.samples;
  row.missing += more.missing;
  row.yes_no = static_cast<std::int8_t>(row.yes_no != 0 && more.yes_no != 0);
  join_sum(row.sum_high, row.sum_low, more.sum_high, more.sum_low);
  join_sum(row.squares_high, row.squares_low, more.squares_high, more.squares_low);
  row.minimum = std::fmin(row.minimum, more.minimum);
  row.maximum = std::fmax(row.maximum, more.maximum);
  row.tokens += more.tokens;
  row.rated += more.rated;
  join_sum(row.coherence_high, row.coherence_low, more.coherence_high, more.coherence_low);
  row.filtered += more.filtered;
  join_sum(row.kept_high, row.kept_low, more.kept_high, more.kept_low);
}

struct Moments {
  double mean = unknown;
  double sd = unknown;
};

Moments moments_of(const SampleSumRow& row) {
  Moments moments;
  const auto count = static_cast<double>(row.samples);
  const WideSum sum{row.sum_high, row.sum_low};
  if (row.samples > 0) moments.mean = sum.value() / count;
  if (row.samples < 2) return moments;
  moments.sd = row.minimum == row.maximum
                   ? 0.0
                   : std::sqrt(squares_about_mean(sum, {row.squares_high, row.squares_low}, count) /
                               (count - 1.0));
  return moments;
}

std::vector<SampleSumRow> join_tasks(std::vector<SampleSumRow> joined) {
  for (auto& row : joined) row.task.clear();
  return quality::join(std::move(joined));
}

}  // namespace

std::vector<SampleSumRow> join(std::vector<SampleSumRow> rows) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, SampleSumRow> groups;
  for (auto& row : rows) {
    const auto [found, is_new] =
        groups.try_emplace(std::tuple(row.model, row.level, row.task, row.metric), row);
    if (!is_new) join_group(found->second, row);
  }
  std::vector<SampleSumRow> out;
  for (auto& [key, row] : groups) out.push_back(std::move(row));
  return out;
}

std::vector<records::SampleGroupRow> describe(const std::vector<SampleSumRow>& joined) {
  std::vector<records::SampleGroupRow> rows;
  for (const auto& row : joined) {
    const auto [mean, sd] = moments_of(row);
    const double coherence = row.rated > 0
                                 ? WideSum{row.coherence_high, row.coherence_low}.value() /
                                       static_cast<double>(row.rated)
                                 : unknown;
    rows.push_back({row.model, row.level, row.task, row.metric, row.samples, row.missing, mean, sd,
                    row.minimum, row.maximum, row.tokens, row.rated, coherence});
  }
  return rows;
}

std::vector<records::QualityGateRow> gates(const std::vector<SampleSumRow>& joined,
                                           const Options& options) {
  std::vector<records::QualityGateRow> rows;
  for (const auto& row : join_tasks(joined)) {
    // Only where every sample is rated are raw and gated of the same samples.
    if (row.rated == 0 || row.rated != row.samples) continue;
    if (!contains(options.safety, row.metric)) continue;
    const auto samples = static_cast<double>(row.samples);
    const auto kept_samples = static_cast<double>(row.samples - row.filtered);
    const double raw = WideSum{row.sum_high, row.sum_low}.value() / samples;
    const double kept_sum = WideSum{row.kept_high, row.kept_low}.value();
    rows.push_back({row.model, row.level, row.metric, row.samples, row.filtered,
                    static_cast<double>(row.filtered) / samples, raw, kept_sum / samples,
                    kept_samples > 0.0 ? kept_sum / kept_samples : unknown,
                    100.0 * (kept_sum / samples - raw)});
  }
  return rows;
}

std::vector<Measurement> measurements_of(const std::vector<SampleSumRow>& joined,
                                         const Options& options) {
  std::vector<Measurement> all;
  for (const auto& row : join_tasks(joined)) {
    if (role_of(options, row.metric).empty()) continue;
    const auto [mean, sd] = moments_of(row);
    Measurement one;
    one.model = row.model;
    one.level = row.level;
    one.metric = row.metric;
    one.value = mean;
    one.sd = sd;
    one.samples = row.samples;
    one.yes_no = row.yes_no != 0 && row.samples > 0;
    one.place = "quality.samples";
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace moesweep::quality
