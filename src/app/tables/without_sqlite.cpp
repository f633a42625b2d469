#include <moesweep/core/base/error.hpp>

#include "table_format.hpp"

namespace moesweep::tables {
namespace {

void refuse(const std::filesystem::path& output) {
  throw Error(ExitCode::bad_usage, output.string(), "this build has no SQLite",
              "export to csv or jsonl, or build with libsqlite3-dev installed");
}

void write(const Destination&, FilePublisher&) {
  bug("refuse() lets nothing pass");
}

}  // namespace

TableFormat sqlite_format() {
  return {.name = "sqlite", .is_one_file = true, .check = refuse, .write = write};
}

}  // namespace moesweep::tables
