#pragma once
// One writer a format. Each fills a file that is not published yet.

#include <filesystem>
#include <span>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/table.hpp>

namespace moesweep::tables {

void write_csv(const records::Table& table, FilePublisher& file);
void write_json_lines(const records::Table& table, FilePublisher& file);

/// One array a column, named table/column.
void write_npz(std::span<const records::Table* const> tables, FilePublisher& file);

/// One document, a section a table.
void write_markdown(std::span<const records::Table* const> tables, FilePublisher& file);

/// Fills the empty file `temporary`; errors name `target`, where it will be published.
void write_sqlite(std::span<const records::Table* const> tables,
                  const std::filesystem::path& temporary, const std::filesystem::path& target);

}  // namespace moesweep::tables
