#pragma once
// Who works on a run directory. The lock saves work; correctness never depends on it, since
// segments are immutable and equal units are one unit.
//
//   lock/e0002.json            the owner of epoch 2, by link(2): exactly one process gets it
//   lock/e0002.end.json        how epoch 2 ended; missing after a crash
//   lock/e0002.json.damaged    what `moesweep unlock` has found in its place
//   lock/e0002-*.reserved      the space for that while the epoch lasts
//   lock/e0002-r0001.inflight  ids of the units that rank 1 is computing, one 8-byte slot a thread
//   lock/beat                  changes while the owner lives
//   lock/beat.damaged          what stood in its place and was not a file
//   lock/results*              whose turn it is to write results.h5 (results_turn.hpp)

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/ids.hpp>
#include <moesweep/core/base/process.hpp>

namespace moesweep::store {

using moesweep::Liveness;
using moesweep::liveness_of;

/// Its nine digits are the most that names of files have.
inline constexpr Epoch last_epoch{999'999'999};

/// A process, so that others can tell whether it still lives.
struct Owner : ProcessIdentity {
  std::string slurm_job;  ///< empty outside Slurm
  std::int64_t slurm_restarts = 0;
};
Owner this_process();
/// "process 123 on node7 (Slurm job 45)"
std::string describe(const Owner& owner);

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
  bool by_unlock = false;  ///< the owner died without it; `moesweep unlock` has recorded it
};
struct EpochRecord {
  Epoch epoch;
  EpochStart start;
  std::optional<EpochEnd> end;
};

/// All epochs that can be read, oldest first. A record that is damaged or gone in the middle
/// changes nothing and is left out. Of the last epoch everything depends on it:
/// Error(run_directory) naming the file and the command that mends it.
std::vector<EpochRecord> read_epochs(const std::filesystem::path& lock_directory);

/// What there is of one epoch. A problem reads "is missing", "is damaged" or the like.
struct EpochLink {
  Epoch epoch;
  std::optional<EpochStart> start;
  std::string start_problem;  ///< empty when there is a start
  std::optional<EpochEnd> end;
  std::string end_problem;  ///< empty when there is an end, or none was recorded
};
/// Every epoch of which anything is left, oldest first: as read_epochs, for who mends it.
std::vector<EpochLink> look_at_epochs(const std::filesystem::path& lock_directory);

/// Whether anything is at `path`, a file of lock/. Error(run_directory) when we may not know,
/// Error(io_error) when the system cannot tell.
bool is_there(const std::filesystem::path& path);

std::filesystem::path start_file(const std::filesystem::path& lock_directory, Epoch epoch);
std::filesystem::path end_file(const std::filesystem::path& lock_directory, Epoch epoch);

/// A start as the JSON that its file holds, with its XXH3-128 in it, and back; nothing when it is
/// not one, or not as it was written.
std::string encode_start(const EpochStart& start);
std::optional<EpochStart> decode_start(const std::string& text);

/// Puts a record in the place of one that is damaged or gone. What was there is kept beside it as
/// <name>.damaged.
void mend_start(const std::filesystem::path& lock_directory, Epoch epoch, const EpochStart& start);
void mend_end(const std::filesystem::path& lock_directory, Epoch epoch, const EpochEnd& end);

/// Removes the space that others have reserved for ends that they never recorded: all that is of an
/// epoch before `epoch`, and what processes that are gone have left of `epoch` itself. What cannot
/// be listed or removed only takes space.
void remove_reserved(const std::filesystem::path& lock_directory, Epoch epoch);

struct AcquireOptions {
  bool take_over = false;            ///< the user says that the previous owner is dead
  double dying_owner_seconds = 5.0;  ///< how long to wait for a predecessor on this machine to end
  double beat_seconds = 90.0;        ///< how long a beat on another machine may stand still
};
/// Whether the process that started an epoch and recorded no end is gone, as far as can be told:
/// asks /proc on its own machine, watches the beat of one elsewhere.
bool is_abandoned(const std::filesystem::path& lock_directory, const Owner& owner,
                  const Owner& self, const AcquireOptions& options);
/// Error(run_directory): the run directory is in use by `owner`.
[[noreturn]] void refuse_owned(const std::filesystem::path& lock_directory, const Owner& owner);

/// Starts the next epoch. Error(run_directory) naming the owner when it is alive, and when there
/// are no more numbers.
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

/// "is not a regular file" or "is too large" of a beat that no owner wrote; empty when there is
/// nothing wrong. Nobody could show that he lives there.
std::string beat_problem(const std::filesystem::path& lock_directory);
/// Sets such a beat aside as beat.damaged.
void mend_beat(const std::filesystem::path& lock_directory);

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
