#pragma once
// The cluster profile: the table of its options, and reading it.

#include <filesystem>
#include <span>
#include <string_view>

#include <moesweep/core/config/option.hpp>
#include <moesweep/core/config/settings.hpp>

namespace moesweep::capacity {

/// Keys of a cluster profile.
std::span<const config::Option> cluster_options();

/// Errors are those of config::load_settings.
config::Settings load_cluster(const std::filesystem::path& file);
/// The same from text; `file_name` is used in messages and its folder for relative paths.
config::Settings parse_cluster(std::string_view toml, const std::filesystem::path& file_name);

}  // namespace moesweep::capacity
