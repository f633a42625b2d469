#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/base/temporary_files.hpp>
#include <moesweep/store/lock.hpp>
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

// A pid that is used again keeps a file that is gone with the next epoch.
bool may_live(const std::string& reserved_by) {
  const auto dash = reserved_by.rfind('-');
  const auto self = this_process();
  if (dash == std::string::npos || reserved_by.substr(0, dash) != self.host) return true;
  const auto pid = std::strtol(reserved_by.c_str() + dash + 1, nullptr, 10);
  return pid <= 0 || ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH;
}

// Named e<epoch>-<host>-<pid>.reserved. One of this epoch is ours, or of a process that has lost
// the race for it just now, or was killed before it began.
void remove_reserved_space(const fs::path& lock, Epoch before) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(lock, ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with('e') || entry.path().extension() != ".reserved") continue;
    const auto stem = entry.path().stem().string();
    const auto dash = std::min(stem.find('-'), stem.size() - 1);
    const bool is_earlier = std::strtol(name.c_str() + 1, nullptr, 10) < before.value;
    if (is_earlier || !may_live(stem.substr(dash + 1))) fs::remove(entry, ignored);
  }
}

}  // namespace

void create_run_directory(const RunDirectory& run) {
  try {
    const auto is_there = [](const fs::path& path) {
      return fs::exists(status_of(path, ExitCode::run_directory));
    };
    if (is_there(run.root) && !is_there(run.lock()) && !fs::is_empty(run.root)) {
      throw Error(ExitCode::run_directory, run.root.string(),
                  "is not empty and not a run directory", "name a new folder");
    }
    for (const auto& folder : {run.lock(), run.segments(), run.artifacts()}) {
      fs::create_directories(folder);
    }
    fsync_directory(run.root);
    fsync_parent(run.root);
  } catch (const fs::filesystem_error& error) {
    throw io_error_of(error, ExitCode::run_directory);
  }
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
  remove_reserved_space(run.lock(), epoch);
}

void require_run_directory(const RunDirectory& run) {
  for (const auto& folder : {run.lock(), run.segments()}) {
    if (fs::is_directory(status_of(folder, ExitCode::run_directory))) continue;
    // A written checkpoint has its sweep inside.
    const auto inner = run.root / ".moesweep";
    throw Error(ExitCode::run_directory, run.root.string(), "is not a run directory",
                fs::is_directory(status_of(inner)) ? "give " + inner.string()
                                                   : "give the folder named by --run-dir");
  }
}

}  // namespace moesweep::store
