#pragma once
// Taking a name that nobody has, on file systems without link(2).

#include <filesystem>

namespace moesweep {

/// Renames `from` to `to`, of one folder; false when `to` exists. Where the file system has no
/// rename that replaces nothing (renameat2), whoever creates the file .tmp.claim-<name> first may
/// rename; `to` is there whole or not at all, whenever the process is killed. A claim of a
/// process that is dead, and one that stands still for 10 s, is nobody's. Error(io_error).
bool rename_exclusively(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace moesweep
