#pragma once
// Features of small exact fractions and labels that depend on them a little: the same numbers in
// any language.

#include <cstdint>
#include <vector>

#include <moesweep/analysis/training/features.hpp>

namespace moesweep::training {

inline FeatureMatrix small_features(std::int64_t rows, std::int64_t columns) {
  FeatureMatrix features{rows, columns, {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const auto eighths = (i * 37 + j * 101 + i * j * 13) % 23 - 11;
      features.values.push_back(static_cast<float>(eighths) / 8.0F);
    }
  }
  return features;
}

inline std::vector<std::int8_t> three_classes(std::int64_t rows) {
  std::vector<std::int8_t> labels;
  for (std::int64_t i = 0; i < rows; ++i) {
    labels.push_back(static_cast<std::int8_t>((i * 7 + i / 5) % 3));
  }
  return labels;
}

inline std::vector<std::int8_t> two_classes(std::int64_t rows) {
  auto labels = three_classes(rows);
  for (auto& label : labels) label = label == 1 ? 1 : 0;
  return labels;
}

}  // namespace moesweep::training
