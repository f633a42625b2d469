#pragma once
// Who works on a run directory. The lock saves work; correctness never depends on it, since
// segments are immutable and equal units are one unit.
//
//   lock/e0002.json            the owner of epoch 2, by link(2): exactly one process gets it
//   lock/e0002.end.json        how epoch 2 ended; missing after a crash
//   lock/e0002-*.reserved      the space for that while the epoch lasts
//   lock/e0002-r0001.inflight  ids of the units that rank 1 is computing, one 8-byte slot a thread
//   lock/beat                  changes while the owner lives

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/base/ids.hpp>

namespace moesweep::store {

/// A process, so that others can tell whether it still lives.
struct Owner {
  std::string host;
  std::string boot_id;
  std::string pid_namespace;
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;  ///< of /proc/<pid>/stat
  std::string slurm_job;         ///< empty outside Slurm
  std::int64_t slurm_restarts = 0;
};
Owner this_process();

/// What an epoch was started with; a later epoch with another isa, blas or build is refused.
struct EpochStart {
  Owner owner;
  std::string fingerprint;
  std::vector<std::string> inputs;  ///< "name hash", in order
  std::string isa;
  std::string blas;
  std::string build;
  std::int64_t ranks = 1;
  std::int64_t units = 0;  ///< in the plan
  double unix_time = 0.0;
};
struct EpochEnd {
  ExitCode exit_code = ExitCode::stopped_early;
  std::int64_t units_published = 0;
  double unix_time = 0.0;
};
struct EpochRecord {
  Epoch epoch;
  EpochStart start;
  std::optional<EpochEnd> end;
};

/// All epochs so far, oldest first.
std::vector<EpochRecord> read_epochs(const std::filesystem::path& lock_directory);

enum class Liveness { alive, dead, unknown };
/// Same boot: from /proc. Elsewhere: unknown, the beat decides.
Liveness liveness_of(const Owner& owner);

struct AcquireOptions {
  bool take_over = false;            ///< the user says that the previous owner is dead
  double dying_owner_seconds = 5.0;  ///< how long to wait for a predecessor on this machine to end
  double beat_seconds = 90.0;        ///< how long a beat on another machine may stand still
};
/// Starts the next epoch. Error(run_directory) naming the owner when it is alive.
Epoch acquire(const std::filesystem::path& lock_directory, const EpochStart& start,
              const AcquireOptions& options);

void record_end(const std::filesystem::path& lock_directory, Epoch epoch, const EpochEnd& end);

/// What the owner expects, for who asks from elsewhere.
struct Outlook {
  double unix_time = 0.0;
  std::int64_t computed = 0;  ///< units computed, not yet on disk
  /// Seconds to the end and its 90 % interval; negative while unknown.
  double eta_seconds = -1.0;
  double eta_low_seconds = -1.0;
  double eta_high_seconds = -1.0;
};

/// Shows that this process lives, and what it expects. Failures are not reported: a missed beat
/// costs at most a wait of 90 s elsewhere.
void beat(const std::filesystem::path& lock_directory, Epoch epoch, std::int64_t count,
          const Outlook& outlook = {});

/// What the owner of `epoch` said last; nothing when it has not.
std::optional<Outlook> last_outlook(const std::filesystem::path& lock_directory, Epoch epoch);

/// Which units this rank is computing right now, kept so that a crash can be blamed on them. Not
/// thread-safe: the main thread keeps the notes.
class InFlightNotes {
 public:
  InFlightNotes(const std::filesystem::path& lock_directory, Epoch epoch, Rank rank, int threads);
  void started(UnitId unit);
  void finished(UnitId unit);

 private:
  void write_slot(std::size_t slot);
  FileDescriptor file_;
  std::vector<UnitId> slots_;
};

/// For every unit: how many epochs after `after(unit)` ended without a record while it was in
/// flight.
std::unordered_map<UnitId, int> abnormal_ends(const std::filesystem::path& lock_directory,
                                              const std::function<Epoch(UnitId)>& after);

}  // namespace moesweep::store
