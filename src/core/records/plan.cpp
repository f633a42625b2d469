#include <charconv>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/records/plan.hpp>

namespace moesweep::records {

std::vector<std::int64_t> shape_of(const PlanRow& row) {
  std::vector<std::int64_t> shape;
  for (const auto& part : split_text(row.shape, 'x')) {
    std::int64_t side = -1;
    const auto* const end = part.data() + part.size();
    const auto [stopped, error] = std::from_chars(part.data(), end, side);
    if (error != std::errc{} || stopped != end || side < 0) {
      throw Error(ExitCode::bad_input, printable(row.tensor),
                  fmt::format("has the shape \"{}\"", printable(row.shape)),
                  "give sizes as 512x2048x4096");
    }
    shape.push_back(side);
  }
  return shape;
}

}  // namespace moesweep::records
