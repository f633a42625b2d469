#pragma once
// Where an export goes, and what it must not destroy.

#include <filesystem>
#include <vector>

#include <moesweep/base/error.hpp>
#include <moesweep/records/table.hpp>

namespace moesweep::exports {

struct Destination {
  std::filesystem::path file;
  std::vector<const records::Table*> tables;
};

/// An existing folder, or a path that ends in a slash.
bool means_folder(const std::filesystem::path& output);

Error exists_already(const std::filesystem::path& file);

/// Error(bad_usage) when `file` exists and may not be replaced, or is no regular file.
void refuse_occupied(const std::filesystem::path& file, bool overwrite);

/// Error(bad_usage) when the journal of an older database lies beside `database`: SQLite would play
/// it into the new one.
void refuse_stale_journal(const std::filesystem::path& database);

/// With its parents, when missing. Error(bad_usage) when it is something else, Error(io_error) when
/// it can't be created.
void create_folder(const std::filesystem::path& folder);

}  // namespace moesweep::exports
