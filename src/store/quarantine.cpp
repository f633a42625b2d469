#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/store/quarantine.hpp>

namespace moesweep::store {

std::filesystem::path quarantine(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  const auto folder = file.parent_path() / "quarantine";
  const auto place = folder / file.filename();
  try {
    fs::create_directories(folder);
    fs::rename(file, place);
  } catch (const fs::filesystem_error& error) {
    throw Error(ExitCode::io_error, file.string(),
                "is corrupt and cannot be moved to quarantine: " + error.code().message());
  }
  fsync_directory(folder);
  fsync_directory(file.parent_path());
  return place;
}

}  // namespace moesweep::store
