#pragma once
// One format of exports. A new one is its file here and its line in table_formats.cpp.

#include <filesystem>
#include <span>
#include <string>

#include <moesweep/core/base/file.hpp>

#include "destination.hpp"

namespace moesweep::tables {

struct TableFormat {
  std::string name;          ///< of --to, and what the files of single tables end in
  bool is_one_file = false;  ///< for all tables, not one for each
  /// Of the output, before anything is written; null where there is nothing to check.
  void (*check)(const std::filesystem::path& output) = nullptr;
  /// Fills a file that is not published yet. Unless is_one_file, there is one table.
  void (*write)(const Destination& destination, FilePublisher& file) = nullptr;
};

/// In the order that help and messages list them in.
std::span<const TableFormat> table_formats();

}  // namespace moesweep::tables
