#pragma once
// What lies at a path, and folders. Unlike std::filesystem, these ask again while the system is
// interrupted or says "try again", and a system that fails (EIO, ESTALE, ...) is Error(io_error),
// never "nothing is there". Where rights are lacking, or the name is at fault, the Error has the
// code `forbidden`.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <moesweep/core/base/error.hpp>

namespace moesweep {

/// What lies at `path`, links followed; not_found where nothing does.
std::filesystem::file_status status_of(const std::filesystem::path& path,
                                       ExitCode forbidden = ExitCode::io_error);

/// What lies at `path` itself: a link is a link, wherever it leads.
std::filesystem::file_status link_status_of(const std::filesystem::path& path,
                                            ExitCode forbidden = ExitCode::io_error);

/// A folder is there, links followed.
bool is_folder(const std::filesystem::path& path, ExitCode forbidden = ExitCode::io_error);

/// Bytes of the regular file at `path`, links followed; nothing where something else is, or
/// nothing.
std::optional<std::uint64_t> size_of_file_at(const std::filesystem::path& path,
                                             ExitCode forbidden = ExitCode::io_error);

/// std::filesystem::canonical: absolute, links followed.
std::filesystem::path canonical_path(const std::filesystem::path& path, std::error_code& error);

/// Names of what is in a folder, sorted.
std::vector<std::string> names_in_folder(const std::filesystem::path& folder,
                                         ExitCode forbidden = ExitCode::io_error);

/// Paths of all that is in a folder and in those below it and is not a folder itself, sorted. Links
/// to folders are not entered.
std::vector<std::filesystem::path> paths_below(const std::filesystem::path& folder,
                                               ExitCode forbidden = ExitCode::io_error);

/// Makes a folder, and those above it that are missing. One that is there stays as it is.
void make_folders(const std::filesystem::path& folder, ExitCode forbidden = ExitCode::io_error);

/// Error(bad_usage) unless the folder that a file is to be written into exists.
void require_folder_of(const std::filesystem::path& file);

}  // namespace moesweep
