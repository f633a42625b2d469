#pragma once
// The file of a quantization plan.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <moesweep/core/records/plan.hpp>

namespace moesweep::plan {

/// JSON, `schema` 2 (of 0.2: 1, without prior, term and alpha); numbers that are not finite are
/// null, and read as not a number. Error(bad_input) naming file and place for anything that is no
/// such plan.
records::Plan parse_plan(std::string_view text, const std::string& file);
/// The same of a file of at most largest_plan_file bytes.
records::Plan read_plan(const std::filesystem::path& file);
inline constexpr std::uint64_t largest_plan_file = std::uint64_t{256} << 20;  // half a million rows
std::string plan_json(const records::Plan& plan);
/// The rows as CSV.
std::string plan_csv(const records::Plan& plan);

}  // namespace moesweep::plan
