#include "destination.hpp"

#include <fmt/format.h>

#include <moesweep/base/file.hpp>

namespace moesweep::exports {
namespace {

namespace fs = std::filesystem;

fs::file_type type_of(const fs::path& path) {
  std::error_code error;
  const auto type = fs::symlink_status(path, error).type();
  if (type != fs::file_type::none) return type;
  throw Error(ExitCode::io_error, path.string(), fmt::format("cannot stat: {}", error.message()));
}

}  // namespace

bool means_folder(const fs::path& output) {
  return !output.has_filename() || fs::is_directory(status_of(output));
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
  std::error_code error;
  const auto status = status_of(folder);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw Error(ExitCode::bad_usage, folder.string(), "is not a folder",
                "name a folder for one file a table");
  }
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ExitCode::io_error, folder.string(),
                fmt::format("cannot create the folder: {}", error.message()));
  }
}

void require_folder_of(const fs::path& file) {
  const auto folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
  if (fs::is_directory(status_of(folder))) return;
  throw Error(ExitCode::bad_usage, folder.string(), "is not a folder", "create it first");
}

}  // namespace moesweep::exports
