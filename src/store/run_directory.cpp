#include <cerrno>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/store/run_directory.hpp>

namespace moesweep::store {
namespace fs = std::filesystem;

namespace {

// A parent that may be entered but not read cannot be synced by us; file systems with a journal
// bring a new folder along with the first synced file in it.
void fsync_parent(const fs::path& directory) {
  try {
    fsync_directory(directory / "..");
  } catch (const Error&) {
  }
}

}  // namespace

void create_run_directory(const RunDirectory& run) {
  try {
    if (fs::exists(run.root) && !fs::exists(run.lock()) && !fs::is_empty(run.root)) {
      throw Error(ExitCode::run_directory, run.root.string(),
                  "is not empty and not a run directory", "name a new folder");
    }
    for (const auto& folder : {run.lock(), run.segments(), run.artifacts()}) {
      fs::create_directories(folder);
    }
    fsync_directory(run.root);
    fsync_parent(run.root);
  } catch (const fs::filesystem_error& error) {
    const bool full =
        error.code() == std::errc::no_space_on_device || error.code().value() == EDQUOT;
    if (full) throw io_error_of(error);
    throw Error(ExitCode::run_directory, run.root.string(),
                "cannot be created: " + error.code().message());
  }
}

void remove_leftovers(const RunDirectory& run) {
  for (const auto& folder : {run.root, run.lock(), run.segments(), run.artifacts()}) {
    std::error_code ignored;  // what cannot be listed or removed only takes space
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      if (entry.path().filename().string().rfind(".tmp.", 0) == 0) fs::remove(entry, ignored);
    }
  }
}

void require_run_directory(const RunDirectory& run) {
  for (const auto& folder : {run.lock(), run.segments()}) {
    std::error_code error;
    const auto status = fs::status(folder, error);
    if (fs::is_directory(status)) continue;
    if (status.type() == fs::file_type::none) {
      throw Error(ExitCode::run_directory, run.root.string(), "cannot be read: " + error.message());
    }
    // A written checkpoint has its sweep inside.
    const auto inner = run.root / ".moesweep";
    throw Error(ExitCode::run_directory, run.root.string(), "is not a run directory",
                fs::is_directory(inner, error) ? "give " + inner.string()
                                               : "give the folder named by --run-dir");
  }
}

}  // namespace moesweep::store
