#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace moesweep::checkpoint {

/// The file that `name` inside `directory` stands for, or nothing where there is none. Otherwise as
/// resolve_inside.
std::optional<std::filesystem::path> find_inside(const std::filesystem::path& directory,
                                                 const std::string& name);

/// The file that `name` inside `directory` stands for, symlinks followed. It must lie in the
/// directory's tree; in a Hugging Face cache (`<repository>/snapshots/<revision>`) it may also lie
/// in `<repository>/blobs`. Error(bad_input) when it is missing or elsewhere, or when `name` is
/// empty, absolute, has a `.` or `..` component or control characters.
std::filesystem::path resolve_inside(const std::filesystem::path& directory,
                                     const std::string& name);

}  // namespace moesweep::checkpoint
