#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/engine/store/quarantine.hpp>

namespace moesweep::store {

std::filesystem::path quarantine(const std::filesystem::path& file) {
  const auto folder = file.parent_path() / "quarantine";
  const auto place = folder / file.filename();
  try {
    make_folders(folder);
    rename_durably(file, place);
  } catch (const Error& error) {
    throw Error(ExitCode::io_error, file.string(),
                fmt::format("is corrupt and cannot be moved to quarantine: {}: {}", error.where(),
                            error.problem()),
                error.remedy());
  }
  fsync_directory(file.parent_path());
  return place;
}

}  // namespace moesweep::store
