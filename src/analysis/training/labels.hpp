#pragma once
// What every fit asks of its input.

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include <moesweep/analysis/training/features.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::training {

/// At least one row and two classes; one label in range a row.
inline void expect_labels(const FeatureMatrix& features, std::span<const std::int8_t> labels,
                          std::int64_t classes) {
  expect(features.rows >= 1 && features.columns >= 1, "a fit to nothing");
  expect(std::cmp_equal(labels.size(), features.rows), "one label a row");
  expect(2 <= classes && classes <= 127, "a classifier of fewer than two classes, or of too many");
  expect(std::all_of(labels.begin(), labels.end(),
                     [&](std::int8_t label) { return 0 <= label && label < classes; }),
         "a label that names no class");
}

}  // namespace moesweep::training
