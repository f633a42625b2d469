#pragma once
// All tables there are, in the order in which the digest and the schema document name them.

#include <span>
#include <string_view>

#include <moesweep/core/records/table.hpp>

namespace moesweep::records {

std::span<const TableInfo* const> all_tables();

/// Table by name, null when unknown.
const TableInfo* find_table(std::string_view name);

}  // namespace moesweep::records
