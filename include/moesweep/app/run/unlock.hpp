#pragma once
// Mending lock/: what a kill, a bad disk or a hand has left of the records of starts and ends.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/store/lock.hpp>

namespace moesweep::run {

enum class OwnerState {
  ended,   ///< its end is recorded
  alive,   ///< seen on this machine
  dead,    ///< seen to be gone from this machine
  unseen,  ///< on another machine, or not known any more: its beat tells
};
std::string owner_state_name(OwnerState state);

/// A record that is damaged or gone.
struct LostRecord {
  std::int32_t epoch = 0;
  std::string file;     ///< below the run directory: "lock/e0001.json"
  std::string problem;  ///< "is damaged", "is missing" or the like
};

struct LockView {
  std::int64_t epochs = 0;  ///< starts and resumes so far; none: never started
  std::vector<LostRecord> lost;
  // Of the last epoch:
  OwnerState owner_state = OwnerState::ended;
  store::Owner owner;  ///< without a host when it is not known any more, and so are the next two
  std::int64_t ranks = 0;
  double started = 0.0;               ///< Unix time
  std::optional<double> last_beat;    ///< Unix time by the owner's clock
  std::optional<ExitCode> exit_code;  ///< none when the end was not recorded
  std::int64_t torn_events = 0;       ///< lines of events.jsonl that are not events
};

/// Looks and changes nothing. Error(run_directory) unless `run_directory` holds a run.
LockView look_at_lock(const std::filesystem::path& run_directory);

struct MendedLock {
  std::vector<std::string> mended;   ///< "lock/e0001.json: written again from events.jsonl"
  bool end_recorded = false;         ///< of an owner that died without one
  std::int64_t units_published = 0;  ///< by that owner
};

/// Writes lost records again, from events.jsonl or from another start's, and records the end of an
/// owner that died without one. What was damaged is kept beside as <name>.damaged.
/// Error(run_directory) while the owner is alive: seen in /proc, or by its beat for 90 s, which
/// `take_over` doesn't wait for; and when nothing is left that tells what was lost.
MendedLock mend_lock(const std::filesystem::path& run_directory, bool take_over);

}  // namespace moesweep::run
