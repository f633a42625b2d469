#pragma once
// Which file a plan is in: the one that `allocate` writes, and the one that other commands mean.

#include <filesystem>
#include <string>
#include <string_view>

#include <moesweep/app/planning/allocate.hpp>
#include <moesweep/core/records/plan.hpp>

namespace moesweep::cli {

/// "plan-budget-mlx-4.25bpw.json": method, runtime and target; without a target the bits and groups
/// that options name. Letters, digits, dots and dashes alone.
std::string plan_file_name(const planning::AllocateOptions& options);

/// Writes a plan where there is none; the same one (plan::is_same_plan) stays as it was made first.
/// Error(bad_usage) in the place of anything else, unless `overwrite` says that a plan may be
/// replaced: what is not a plan never is.
void write_plan(const std::filesystem::path& path, const records::Plan& plan, bool overwrite);

/// `given`, or of a run directory its only plan. Error(bad_usage) where it has none or several,
/// naming them, and the option that names one; `option` is empty where it is an argument.
std::filesystem::path plan_file(const std::filesystem::path& given, std::string_view option);

}  // namespace moesweep::cli
