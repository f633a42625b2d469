#include <cmath>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::training {

std::vector<std::int64_t> rows_of_split(std::span<const std::int8_t> split, records::Split which) {
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (split[i] == static_cast<std::int8_t>(which)) rows.push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

Standardization standardization_of(const FeatureMatrix& features,
                                   std::span<const std::int8_t> split) {
  expect(static_cast<std::int64_t>(split.size()) == features.rows, "one split a row");
  constexpr double least_sd = 1e-6;
  const auto columns = static_cast<std::size_t>(features.columns);
  std::vector<double> sum(columns, 0.0);
  std::vector<double> sum_squares(columns, 0.0);
  double count = 0.0;
  for (std::int64_t i = 0; i < features.rows; ++i) {
    if (split[static_cast<std::size_t>(i)] != 0) continue;
    const auto row = features.row(i);
    for (std::size_t j = 0; j < columns; ++j) sum[j] += static_cast<double>(row[j]);
    count += 1.0;
  }
  expect(count > 0.0, "no row of the train split");
  for (auto& value : sum) value /= count;
  for (std::int64_t i = 0; i < features.rows; ++i) {
    if (split[static_cast<std::size_t>(i)] != 0) continue;
    const auto row = features.row(i);
    for (std::size_t j = 0; j < columns; ++j) {
      const double deviation = static_cast<double>(row[j]) - sum[j];
      sum_squares[j] += deviation * deviation;
    }
  }
  Standardization out;
  out.mean.resize(columns);
  out.sd.resize(columns);
  for (std::size_t j = 0; j < columns; ++j) {
    const double sd = std::sqrt(sum_squares[j] / count);
    out.mean[j] = static_cast<float>(sum[j]);
    out.sd[j] = sd < least_sd ? 1.0F : static_cast<float>(sd);
  }
  return out;
}

void standardize(FeatureMatrix& features, const Standardization& by) {
  for (std::int64_t i = 0; i < features.rows; ++i) {
    const auto row = features.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = (row[j] - by.mean[j]) / by.sd[j];
  }
}

}  // namespace moesweep::training
