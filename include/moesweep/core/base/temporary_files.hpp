#pragma once
// Names of temporary files and folders: they carry the process that made them, so that others
// remove what a killed one has left and never what a living one still writes.
//
//   .tmp.<system>-<pid>-<start time>-<random>
//
// <system> is a hash of boot id and pid namespace: where it is another, nothing can be known about
// the process.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <moesweep/core/base/process.hpp>

namespace moesweep {

inline constexpr std::string_view temporary_prefix = ".tmp.";
/// Of claims to a name (exclusive_rename.hpp): `.tmp.claim-<name>`, and in the file the name of the
/// temporary file that is to have it, which tells the maker.
inline constexpr std::string_view claim_prefix = ".tmp.claim-";

/// A name that no other process, and no other call in this one, gives.
std::string temporary_name(std::string_view prefix = temporary_prefix);

/// Whether the process that made `name` lives; unknown for a name that is not of this form.
Liveness maker_of_temporary(std::string_view name, std::string_view prefix = temporary_prefix);

/// Whether the process that made the temporary file, or the claim, at `path` lives.
Liveness maker_of_temporary_at(const std::filesystem::path& path,
                               std::string_view prefix = temporary_prefix);

/// Removes what dead processes have left in `folder`: files with the prefix of temporary files,
/// folders with any other. For a folder that holds files of users: what is not known to be ours and
/// abandoned stays. What cannot be listed or removed only takes space.
void remove_abandoned(const std::filesystem::path& folder,
                      std::string_view prefix = temporary_prefix);

/// The last thing done to a folder that is handed over whole: temporary files of this process,
/// which could not be removed when they were done with, and of dead ones go. Error(io_error).
void remove_temporaries_of_finished(const std::filesystem::path& folder);

/// What remove_abandoned does, in a folder of ours, shared by many machines: temporary files whose
/// makers cannot be judged go too when they were last written a day before `now`, a time of the
/// same file server. Nothing that is still being written stands still so long.
void remove_abandoned_since(const std::filesystem::path& folder,
                            std::filesystem::file_time_type now);

}  // namespace moesweep
