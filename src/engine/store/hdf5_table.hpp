#pragma once
// Tables as groups of one-dimensional datasets, one a column.

#include <functional>
#include <optional>
#include <string>

#include <hdf5.h>

#include <moesweep/core/records/table.hpp>

namespace moesweep::store {

enum class Packing { contiguous, compressed };

/// Creates group `name` (with parents) and one dataset a column, with attributes `unit` and
/// `description`. Texts become fixed-length UTF-8, null-padded to the longest of the column.
void write_table(hid_t file, const std::string& name, const records::Table& table, Packing packing);

/// An extra column beside those of the record.
void write_int64_column(hid_t file, const std::string& table, const std::string& column,
                        const std::vector<std::int64_t>& values);
std::vector<std::int64_t> read_int64_column(hid_t file, const std::string& table,
                                            const std::string& column,
                                            const std::string& file_name);

/// Reads the columns of `info` by name; nothing when the group does not exist. Other types,
/// unequal lengths, soft and external links, external or virtual storage, filters that we do not
/// write and sizes that the file cannot hold are Error(bad_input) naming `file_name`.
std::optional<records::Table> read_table(hid_t file, const records::TableInfo& info,
                                         const std::string& file_name);
/// The same column by column, in the order of `info`; false when the group does not exist.
bool read_columns(hid_t file, const records::TableInfo& info, const std::string& file_name,
                  const std::function<void(records::ColumnValues column)>& take);

/// One text, of fixed length when written; attributes of other types and shapes are nothing.
void write_attribute(hid_t object, const std::string& name, const std::string& value);
std::optional<std::string> read_attribute(hid_t object, const std::string& name);
/// One integer of any width.
void write_int64_attribute(hid_t object, const std::string& name, std::int64_t value);
std::optional<std::int64_t> read_int64_attribute(hid_t object, const std::string& name);

}  // namespace moesweep::store
