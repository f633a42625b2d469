#pragma once
// What Gram matrices and their sketches do with LAPACK's eigenvalues.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <moesweep/core/base/error.hpp>

namespace moesweep::kernels {

/// Room for the blocked reduction to tridiagonal form (reference LAPACK blocks by 32).
inline constexpr std::int64_t lapack_block = 64;

/// In order, largest first: the same bits wherever it runs.
inline double sum_of_first(std::span<const double> eigenvalues, std::size_t count) {
  const auto first = eigenvalues.first(count);
  return std::accumulate(first.begin(), first.end(), 0.0);
}

/// Largest first, negative rounding noise as 0.
inline std::vector<double> descending(std::span<const double> ascending) {
  std::vector<double> values(ascending.rbegin(), ascending.rend());
  for (double& value : values) value = std::max(value, 0.0);
  return values;
}

inline void require_success(const std::string& purpose, const std::string& routine, int info) {
  if (info == 0) return;
  throw Error(ExitCode::bad_input, purpose,
              "LAPACK " + routine + " failed with info " + std::to_string(info),
              "check the matrix for non-finite weights");
}

}  // namespace moesweep::kernels
