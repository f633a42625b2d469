#include "destination.hpp"

#include <moesweep/core/base/paths.hpp>

namespace moesweep::tables {
namespace {

namespace fs = std::filesystem;

fs::file_type type_of(const fs::path& path) {
  return link_status_of(path).type();
}

}  // namespace

bool means_folder(const fs::path& output) {
  return !output.has_filename() || is_folder(output);
}

void refuse_stale_journal(const fs::path& database) {
  for (const auto* suffix : {"-journal", "-wal"}) {
    const auto journal = database.string() + suffix;
    if (type_of(journal) == fs::file_type::not_found) continue;
    throw Error(ExitCode::bad_usage, journal,
                "belongs to a database that is in use or was not closed",
                "close it, or name another output");
  }
}

}  // namespace moesweep::tables
