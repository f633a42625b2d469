#include "plan_file.hpp"

#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/foreign_name.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

namespace moesweep::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto plan_glob = "plan*.json";
constexpr std::int32_t uniform_bits = 4;
constexpr std::size_t longest_stem = longest_file_name - 5;  // of ".json"

/// "30 %" -> "30percent".
std::string part_of_name(const std::string& text) {
  std::string part;
  for (const char c : text) {
    if (c == '%') part += "percent";
    if (c != '%' && c != ' ') part += c;
  }
  return part;
}

Error is_another_plan(const fs::path& path) {
  return Error(ExitCode::bad_usage, path.string(), "exists already and is another plan",
               "name another file with --out, or give --overwrite to replace it");
}

/// Nothing where there is no file. Error(bad_usage) for one of another kind, which is never
/// replaced: its name was a mistake.
std::optional<records::Plan> plan_at(const fs::path& path) {
  if (!size_of_file_at(path)) return std::nullopt;
  try {
    return plan::read_plan(path);
  } catch (const Error& error) {
    if (error.exit_code() == ExitCode::io_error) throw;
    throw Error(ExitCode::bad_usage, path.string(), "exists already and is not a plan",
                "name another file with --out");
  }
}

void refuse_what_is_no_file(const fs::path& path) {
  const auto type = link_status_of(path).type();
  if (type == fs::file_type::not_found || type == fs::file_type::regular) return;
  throw Error(ExitCode::bad_usage, path.string(), "exists and is not a regular file",
              "name another file with --out");
}

std::vector<std::string> plans_in(const fs::path& folder) {
  auto names = names_in_folder(folder, ExitCode::bad_usage);
  std::erase_if(names, [](const std::string& name) { return !matches_glob(plan_glob, name); });
  return names;
}

}  // namespace

std::string plan_file_name(const planning::AllocateOptions& options) {
  std::vector<std::string> parts = {"plan", options.method,
                                    std::string(names::runtime_name(options.runtime))};
  if (!options.target.empty()) {
    parts.push_back(part_of_name(options.target));
  } else {
    auto bits = options.bits;
    if (bits.empty() && options.method == "uniform") bits.push_back(uniform_bits);
    for (const auto value : bits) parts.push_back(fmt::format("{}bit", value));
    for (const auto value : options.group_sizes) parts.push_back(fmt::format("g{}", value));
  }
  return plain_file_name(fmt::format("{}", fmt::join(parts, "-")), longest_stem) + ".json";
}

void write_plan(const fs::path& path, const records::Plan& plan, bool overwrite) {
  refuse_what_is_no_file(path);
  const auto text = plan::plan_json(plan);
  if (overwrite) {
    const auto there = plan_at(path);
    if (there && plan::is_same_plan(*there, plan)) return;
    return publish_file(path, std::string_view(text));
  }
  const bool is_there = fs::exists(link_status_of(path));
  if (!is_there && publish_file_exclusively(path, text)) return;
  const auto there = plan_at(path);
  if (!there || !plan::is_same_plan(*there, plan)) throw is_another_plan(path);
}

fs::path plan_file(const fs::path& given, std::string_view option) {
  if (!is_folder(given, ExitCode::bad_input)) return given;
  const auto with_option = option.empty() ? std::string() : fmt::format(" with {}", option);
  const auto names = plans_in(given);
  if (names.empty()) {
    throw Error(ExitCode::bad_usage, given.string(), "has no plan",
                fmt::format("make one with `moesweep allocate {}`, or name its file{}",
                            given.string(), with_option));
  }
  if (names.size() > 1) {
    throw Error(ExitCode::bad_usage, given.string(),
                fmt::format("has {} plans: {}", names.size(), fmt::join(names, ", ")),
                "name the file of one" + with_option);
  }
  return given / names.front();
}

}  // namespace moesweep::cli
