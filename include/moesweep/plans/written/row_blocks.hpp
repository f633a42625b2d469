#pragma once

#include <algorithm>
#include <cstdint>

#include <moesweep/plans/written/write.hpp>

namespace moesweep::written {

/// Calls `use` with the first row and the number of rows of each block of about block_weights.
template <typename Use>
void for_row_blocks(std::int64_t rows, std::int64_t columns, const Use& use) {
  const auto rows_a_block = std::max<std::int64_t>(1, block_weights / columns);
  for (std::int64_t row = 0; row < rows; row += rows_a_block) {
    use(row, std::min(rows_a_block, rows - row));
  }
}

}  // namespace moesweep::written
