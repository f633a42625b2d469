#include "destination.hpp"

#include <moesweep/base/paths.hpp>

namespace moesweep::exports {
namespace {

namespace fs = std::filesystem;

fs::file_type type_of(const fs::path& path) {
  return link_status_of(path).type();
}

}  // namespace

bool means_folder(const fs::path& output) {
  return !output.has_filename() || is_folder(output);
}

Error exists_already(const fs::path& file) {
  return Error(ExitCode::bad_usage, file.string(), "exists already",
               "name another output, or give --overwrite");
}

void refuse_occupied(const fs::path& file, bool overwrite) {
  // Replacing a link or a device (/dev/stdout) by a file is never what is meant.
  const auto type = type_of(file);
  if (type != fs::file_type::not_found && type != fs::file_type::regular) {
    throw Error(ExitCode::bad_usage, file.string(), "exists and is not a regular file",
                "name another output");
  }
  if (type == fs::file_type::regular && !overwrite) throw exists_already(file);
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

void create_folder(const fs::path& folder) {
  const auto status = status_of(folder);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw Error(ExitCode::bad_usage, folder.string(), "is not a folder",
                "name a folder for one file a table");
  }
  make_folders(folder);
}

}  // namespace moesweep::exports
