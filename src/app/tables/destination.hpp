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

}  // namespace moesweep::tables
