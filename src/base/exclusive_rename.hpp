#pragma once
// Taking a name that nobody has, on file systems without link(2).

#include <filesystem>

namespace moesweep {

/// Renames `from` to `to`, of one folder; false when `to` exists. Where the file system has no
/// rename that replaces nothing (renameat2), whoever creates the file .tmp.claim-<name> first may
/// rename; `to` is there whole or not at all, whenever the process is killed. A claim that stands
/// still for 10 s was left by a process that was. Error(io_error).
bool rename_exclusively(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace moesweep
