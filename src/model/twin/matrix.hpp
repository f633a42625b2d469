#pragma once
// A tensor's twin as matrices, and the addresses of its random numbers.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/core/base/philox.hpp>

namespace moesweep::twin {

/// An expert stack [slices, rows, cols], or one matrix [d0, rest]; cut as the sensitivity sweep
/// does with its default expert_patterns.
struct MatrixShape {
  std::int64_t slices = 1;
  std::int64_t rows = 1;
  std::int64_t cols = 1;

  std::int64_t weights() const { return rows * cols; }
  std::int64_t short_side() const { return rows < cols ? rows : cols; }
  std::int64_t long_side() const { return rows < cols ? cols : rows; }
};

MatrixShape matrix_shape(const std::string& name, const std::vector<std::int64_t>& shape);

/// Sides divided by `scale`, rounded down, not below 32 nor below a side that was smaller; the
/// number of experts of a stack is kept.
std::vector<std::int64_t> scaled_shape(const std::string& name,
                                       const std::vector<std::int64_t>& shape, std::int64_t scale);

/// The last counter word, so that no two purposes share numbers.
enum class Stream : std::uint32_t { noise, row_direction, column_direction, outlier };

PhiloxKey key_of(std::uint64_t seed, const std::string& name);

}  // namespace moesweep::twin
