#pragma once
// The file of a quantization plan.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/records/plan.hpp>

namespace moesweep::plan {

/// JSON, `schema` 3. Also 2, without what reading a plan back needs (layers to made), and 1, of
/// 0.2, without prior, term and alpha too. Numbers that are not finite are null, and read as not a
/// number. Error(bad_input) naming file and place for anything that is no such plan: control
/// characters in any text, more layers or experts than source::most_layers_or_experts,
/// more than most_patterns patterns.
records::Plan parse_plan(std::string_view text, const std::string& file);
/// The same of a file of at most largest_plan_file bytes.
records::Plan read_plan(const std::filesystem::path& file);
inline constexpr std::uint64_t largest_plan_file = std::uint64_t{256} << 20;  // half a million rows
inline constexpr std::size_t most_patterns = 1024;  // each name is matched against all of them
/// Control characters in what names nothing known (command, source, patterns) become "\x1b".
std::string plan_json(const records::Plan& plan);
/// Do they say the same, whenever and by whichever command each was made?
bool is_same_plan(const records::Plan& a, const records::Plan& b);
/// Equal for what is_same_plan calls the same.
Hash128 hash_of(const records::Plan& plan);
/// The rows as CSV.
std::string plan_csv(const records::Plan& plan);

}  // namespace moesweep::plan
