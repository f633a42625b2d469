#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>

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
  constexpr auto forbidden = ExitCode::run_directory;
  const bool is_new = !is_there(run.lock());
  if (is_new && is_there(run.root) && !names_in_folder(run.root, forbidden).empty()) {
    throw Error(forbidden, run.root.string(), "is not empty and not a run directory",
                "name a new folder");
  }
  for (const auto& folder : {run.lock(), run.segments(), run.artifacts()}) {
    make_folders(folder, forbidden);
  }
  fsync_directory(run.root);
  fsync_parent(run.root);
}

void remove_leftovers(const RunDirectory& run, Epoch epoch) {
  std::error_code unknown;
  // Written just now: the file server's time.
  const auto now = fs::last_write_time(start_file(run.lock(), epoch), unknown);
  for (const auto& folder : {run.root, run.lock(), run.segments(), run.artifacts()}) {
    if (unknown)
      remove_abandoned(folder);
    else
      remove_abandoned_since(folder, now);
  }
  remove_reserved(run.lock(), epoch);
}

void require_run_directory(const RunDirectory& run) {
  for (const auto& folder : {run.lock(), run.segments()}) {
    if (is_folder(folder, ExitCode::run_directory)) continue;
    // A written checkpoint has its sweep inside.
    const auto inner = run.root / ".moesweep";
    throw Error(ExitCode::run_directory, run.root.string(), "is not a run directory",
                is_folder(inner, ExitCode::run_directory) ? "give " + inner.string()
                                                          : "give the folder named by --run-dir");
  }
}

}  // namespace moesweep::store
