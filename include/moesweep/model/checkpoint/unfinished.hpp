#pragma once
// A folder that is being written, or whose writer was killed, says so: a marker is its first file
// and is removed last.

#include <filesystem>
#include <string>

namespace moesweep::checkpoint {

/// `recipe` is what makes the folder: the command and all that its bytes depend on. Creates the
/// folder, or takes one that is empty or holds the marker of the same recipe, whose files may stay
/// then; temporary files of killed writers are removed. Returns whether it was begun before.
/// Error(bad_usage) for any other folder, which is left alone, and while another process of this
/// machine writes it; Error(io_error).
bool begin_folder(const std::filesystem::path& folder, const std::string& recipe);

/// Removes temporary files that are left, and the marker: everything else is on disk.
/// Error(io_error): the folder stays unfinished.
void finish_folder(const std::filesystem::path& folder);

/// What was begun in `folder` and not finished; empty for any other folder.
std::string unfinished_recipe(const std::filesystem::path& folder);

}  // namespace moesweep::checkpoint
