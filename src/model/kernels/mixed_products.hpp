#pragma once
// Products of a binary32 row with two binary64 vectors at a time, in binary64.

#include <span>

namespace moesweep::kernels {

struct Pair {
  double first = 0.0;
  double second = 0.0;
};

/// The products of `row` with the first row.size() elements of both vectors.
Pair dot(std::span<const float> row, std::span<const double> first, std::span<const double> second);

/// first += factors.first * row and second += factors.second * row, in their first row.size()
/// elements.
void add_scaled(std::span<const float> row, Pair factors, std::span<double> first,
                std::span<double> second);

}  // namespace moesweep::kernels
