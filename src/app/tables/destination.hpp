#pragma once
// Where an export goes.

#include <filesystem>
#include <vector>

#include <moesweep/core/records/table.hpp>

namespace moesweep::tables {

struct Destination {
  std::filesystem::path file;
  std::vector<const records::Table*> tables;
};

/// An existing folder, or a path that ends in a slash.
bool means_folder(const std::filesystem::path& output);

/// Error(bad_usage) when the journal of an older database lies beside `database`: SQLite would play
/// it into the new one.
void refuse_stale_journal(const std::filesystem::path& database);

}  // namespace moesweep::tables
