#pragma once
// Where a command writes, and what it must not destroy.

#include <filesystem>

#include <moesweep/core/base/error.hpp>

namespace moesweep {

Error exists_already(const std::filesystem::path& file);

/// Error(bad_usage) when `file` exists and may not be replaced, or is not a regular file.
void refuse_occupied(const std::filesystem::path& file, bool overwrite);

/// With its parents, when missing. Error(bad_usage) when it is something else, Error(io_error) when
/// it can't be created.
void make_output_folder(const std::filesystem::path& folder);

}  // namespace moesweep
