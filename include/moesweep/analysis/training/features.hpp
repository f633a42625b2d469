#pragma once
// The matrix a head is trained on.

#include <cstdint>
#include <span>
#include <vector>

#include <moesweep/core/records/hidden_cache.hpp>

namespace moesweep::training {

/// Row-major [rows, columns], one row a sample (or span).
struct FeatureMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;

  std::span<const float> row(std::int64_t i) const {
    return std::span(values).subspan(static_cast<std::size_t>(i * columns),
                                     static_cast<std::size_t>(columns));
  }
  std::span<float> row(std::int64_t i) {
    return std::span(values).subspan(static_cast<std::size_t>(i * columns),
                                     static_cast<std::size_t>(columns));
  }
};

/// Positions of the rows of a split, ascending.
std::vector<std::int64_t> rows_of_split(std::span<const std::int8_t> split, records::Split which);

/// Some of the values, in the order told.
template <typename Value>
std::vector<Value> chosen(const std::vector<Value>& values, std::span<const std::int64_t> rows) {
  std::vector<Value> out;
  out.reserve(rows.size());
  for (const std::int64_t i : rows) out.push_back(values[static_cast<std::size_t>(i)]);
  return out;
}

/// Mean and standard deviation (population) by column.
struct Standardization {
  std::vector<float> mean;
  std::vector<float> sd;  ///< 1 where the measured one is below 1e-6
};

/// From the rows whose `split` is 0 (train); sums are float64 in row order. split.size() == rows.
Standardization standardization_of(const FeatureMatrix& features,
                                   std::span<const std::int8_t> split);

/// (x - mean)/sd, in place.
void standardize(FeatureMatrix& features, const Standardization& by);

}  // namespace moesweep::training
