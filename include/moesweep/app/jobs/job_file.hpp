#pragma once
// The job file: the table of its options, and reading, writing and comparing it.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/core/config/option.hpp>
#include <moesweep/core/config/settings.hpp>

namespace moesweep::jobs {

/// Keys of a job file, of all kinds. Their order is that of the fingerprint.
std::span<const config::Option> job_options();

/// Reads and validates, keys together too (job_rules.hpp). Errors are those of
/// config::load_settings.
config::Settings load_job(const std::filesystem::path& file,
                          std::span<const std::string> overrides = {});
/// The same from text; `file_name` is used in messages and its folder for relative paths.
config::Settings parse_job(std::string_view toml, const std::filesystem::path& file_name,
                           std::span<const std::string> overrides = {});
/// The same from values that a program has; messages call their whole `name`.
config::Settings job_of(std::span<const config::GivenValue> given, const std::string& name);

/// The resolved job as TOML; parse_job of it gives the same values.
std::string to_toml(const config::Settings& job);

/// What results depend on: every key with in_fingerprint, and the inputs in the given order.
Hash128 job_fingerprint(const config::Settings& job, std::span<const config::InputHash> inputs);

/// Keys with in_fingerprint whose values differ, with both values.
std::vector<std::string> differences(const config::Settings& job, const config::Settings& recorded);

}  // namespace moesweep::jobs
