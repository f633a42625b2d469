#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace moesweep::checkpoint {

/// The file that the shard `name` of a folder stands for, links followed, or nothing where there is
/// none. Links may lead anywhere: folders of links to a shared copy are common, and weights are
/// only read. Error(bad_input) when it can't be followed, or when `name` is empty, absolute, has a
/// `.` or `..` component or control characters.
std::optional<std::filesystem::path> find_shard(const std::filesystem::path& directory,
                                                const std::string& name);

/// The same of one that must be there.
std::filesystem::path resolve_shard(const std::filesystem::path& directory,
                                    const std::string& name);

/// The file beside the weights that must be there and inside (checkpoint/companion.hpp).
std::filesystem::path resolve_companion(const std::filesystem::path& directory,
                                        const std::string& name);

}  // namespace moesweep::checkpoint
