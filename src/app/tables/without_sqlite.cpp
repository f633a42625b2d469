#include <moesweep/core/base/error.hpp>

#include "writers.hpp"

namespace moesweep::tables {

void write_sqlite(std::span<const records::Table* const>, const std::filesystem::path&,
                  const std::filesystem::path& target) {
  throw Error(ExitCode::bad_usage, target.string(), "this build has no SQLite",
              "export to csv or jsonl, or build with libsqlite3-dev installed");
}

}  // namespace moesweep::tables
