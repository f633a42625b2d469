#include <moesweep/core/base/output.hpp>
#include <moesweep/core/base/paths.hpp>

namespace moesweep {

namespace fs = std::filesystem;

Error exists_already(const fs::path& file) {
  return Error(ExitCode::bad_usage, file.string(), "exists already",
               "name another output, or give --overwrite");
}

void refuse_occupied(const fs::path& file, bool overwrite) {
  // Replacing a link or a device (/dev/stdout) by a file is never what is meant.
  const auto type = link_status_of(file).type();
  if (type != fs::file_type::not_found && type != fs::file_type::regular) {
    throw Error(ExitCode::bad_usage, file.string(), "exists and is not a regular file",
                "name another output");
  }
  if (type == fs::file_type::regular && !overwrite) throw exists_already(file);
}

void make_output_folder(const fs::path& folder) {
  const auto status = status_of(folder);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw Error(ExitCode::bad_usage, folder.string(), "is not a folder", "name another output");
  }
  make_folders(folder);
}

}  // namespace moesweep
