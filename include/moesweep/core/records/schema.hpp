#pragma once
// The reference of results.h5 for people, from the same tables that write it.

#include <string>

namespace moesweep::records {

/// Markdown with every table of the catalog and its columns; schemas/results.md holds it.
std::string results_schema_markdown();

}  // namespace moesweep::records
