#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/engine/store/lock.hpp>

#include "epoch_end.hpp"

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view reserved_suffix = ".reserved";

std::string reserved_prefix(Epoch epoch, const Owner& self) {
  return fmt::format("e{:04}-{}-", epoch.value, self.host);
}

// Of this process, so that those who start at the same time stay apart.
fs::path reserved_file(const fs::path& directory, Epoch epoch) {
  const auto self = this_process();
  return directory / fmt::format("{}{}-{}{}", reserved_prefix(epoch, self), self.pid,
                                 self.start_ticks, reserved_suffix);
}

// Of an epoch that has begun: ours, or of a process that has lost the race for it just now, or was
// killed before it began.
bool is_of_a_dead_process(std::string_view name, Epoch epoch) {
  const auto prefix = reserved_prefix(epoch, this_process());
  if (!name.starts_with(prefix)) return false;
  const auto* at = name.data() + prefix.size();
  const auto* const end = name.data() + name.size() - reserved_suffix.size();
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;
  const auto after_pid = std::from_chars(at, end, pid);
  if (after_pid.ec != std::errc() || after_pid.ptr == end || *after_pid.ptr != '-') return false;
  const auto after_ticks = std::from_chars(after_pid.ptr + 1, end, start_ticks);
  if (after_ticks.ec != std::errc() || after_ticks.ptr != end || start_ticks == 0) return false;
  return liveness_here(pid, start_ticks) == Liveness::dead;
}

// More than an end takes.
constexpr std::size_t reserved_bytes = 512;

bool ends_within(const Owner& owner, double seconds) {
  const auto give_up = Clock::now() + std::chrono::duration<double>(seconds);
  while (liveness_of(owner) == Liveness::alive) {
    if (Clock::now() >= give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

constexpr std::uint64_t most_beat_bytes = 4096;

fs::path beat_file(const fs::path& directory) {
  return directory / "beat";
}

/// Empty where there is none.
std::string current_beat(const fs::path& directory) {
  const auto path = beat_file(directory);
  const auto size = size_of_file_at(path, ExitCode::run_directory);
  return size && *size <= most_beat_bytes ? read_text_file(path) : std::string();
}

// Watches by our own monotonic clock: clocks of nodes and file servers differ.
bool beat_stands_still(const fs::path& directory, double seconds) {
  using Seconds = std::chrono::duration<double>;
  constexpr Seconds look_every(0.5);
  const auto before = current_beat(directory);
  const auto give_up = Clock::now() + Seconds(seconds);
  while (current_beat(directory) == before) {
    const Seconds left = give_up - Clock::now();
    if (left <= Seconds(0)) return true;
    std::this_thread::sleep_for(std::min(left, look_every));
  }
  return false;
}

Owner owner_of(const fs::path& start) {
  const auto record = decode_start(read_text_file(start));
  return record ? record->owner : Owner();
}

// False when another process was first. The space for the end is taken before: a full disk is found
// here, or can be recorded later.
bool starts_epoch(const fs::path& directory, Epoch epoch, const EpochStart& start) {
  const auto path = start_file(directory, epoch);
  const auto reserved = reserved_file(directory, epoch);
  bool is_first = false;
  try {
    publish_file(reserved, std::string(reserved_bytes, '\n'));
    is_first = publish_file_exclusively(path, encode_start(start));
  } catch (const Error&) {
    // The one that was first removes what others have not finished.
    if (!is_there(path)) throw;
    const auto first = owner_of(path);
    if (first.pid == start.owner.pid && first.boot_id == start.owner.boot_id) throw;
  }
  std::error_code ignored;
  if (!is_first) fs::remove(reserved, ignored);
  return is_first;
}

}  // namespace

void remove_reserved(const fs::path& lock_directory, Epoch epoch) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(lock_directory, ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with('e') || !name.ends_with(reserved_suffix)) continue;
    const bool is_earlier = std::strtol(name.c_str() + 1, nullptr, 10) < epoch.value;
    if (is_earlier || is_of_a_dead_process(name, epoch)) fs::remove(entry, ignored);
  }
}

bool is_abandoned(const fs::path& lock_directory, const Owner& owner, const Owner& self,
                  const AcquireOptions& options) {
  if (liveness_of(owner) != Liveness::unknown) {
    return ends_within(owner, options.dying_owner_seconds);
  }
  const bool same_job_restarted = !owner.slurm_job.empty() && owner.slurm_job == self.slurm_job &&
                                  self.slurm_restarts > owner.slurm_restarts;
  return same_job_restarted || options.take_over ||
         beat_stands_still(lock_directory, options.beat_seconds);
}

void refuse_owned(const fs::path& lock_directory, const Owner& owner) {
  throw Error(ExitCode::run_directory, lock_directory.parent_path().string(),
              "is in use by " + describe(owner),
              "wait for it, or give --take-over if that process is dead");
}

Epoch acquire(const fs::path& lock_directory, const EpochStart& start,
              const AcquireOptions& options) {
  const auto epochs = read_epochs(lock_directory);
  if (!epochs.empty()) {
    const auto& [epoch, last, end] = epochs.back();
    if (!end && !is_abandoned(lock_directory, last.owner, start.owner, options)) {
      refuse_owned(lock_directory, last.owner);
    }
  }
  if (!epochs.empty() && epochs.back().epoch == last_epoch) {
    throw Error(ExitCode::run_directory, lock_directory.parent_path().string(),
                fmt::format("has epoch {}, the last that there is", last_epoch.value),
                "start the sweep in a new --run-dir");
  }
  mend_beat(lock_directory);
  const Epoch next{epochs.empty() ? 1 : epochs.back().epoch.value + 1};
  if (!starts_epoch(lock_directory, next, start)) {
    refuse_owned(lock_directory, owner_of(start_file(lock_directory, next)));
  }
  return next;
}

// Writes over the bytes that acquire() reserved: a full disk is an end that must be told too.
void record_end(const fs::path& lock_directory, Epoch epoch, const EpochEnd& end) {
  auto text = encode_end(end);
  text.resize(std::max(text.size(), reserved_bytes), '\n');
  const auto reserved = reserved_file(lock_directory, epoch);
  overwrite_file(reserved, text);
  rename_durably(reserved, end_file(lock_directory, epoch));
}

void beat(const fs::path& lock_directory, Epoch epoch, std::int64_t count, const Outlook& outlook) {
  const auto file =
      open_descriptor(beat_file(lock_directory), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
  if (!file) return;
  // Of one length, so that a line never ends in the rest of the one before.
  const auto text =
      fmt::format("{:08} {:016} {:016.3f} {:012} {:016.3f} {:016.3f} {:016.3f}\n", epoch.value,
                  count, outlook.unix_time, outlook.computed, outlook.eta_seconds,
                  outlook.eta_low_seconds, outlook.eta_high_seconds);
  [[maybe_unused]] const auto written = ::pwrite(file.get(), text.data(), text.size(), 0);
}

std::string beat_problem(const fs::path& lock_directory) {
  const auto path = beat_file(lock_directory);
  const auto status = link_status_of(path, ExitCode::run_directory);
  if (!fs::exists(status)) return {};
  if (!fs::is_regular_file(status)) return "is not a regular file";
  const auto size = size_of_file_at(path, ExitCode::run_directory);
  return size && *size > most_beat_bytes ? "is too large" : "";
}

void mend_beat(const fs::path& lock_directory) {
  if (beat_problem(lock_directory).empty()) return;
  const auto path = beat_file(lock_directory);
  rename_durably(path, path.string() + ".damaged");
}

std::optional<Outlook> last_outlook(const fs::path& lock_directory, Epoch epoch) {
  std::istringstream line(current_beat(lock_directory));
  std::int32_t of_epoch = 0;
  std::int64_t count = 0;
  Outlook outlook;
  line >> of_epoch >> count >> outlook.unix_time >> outlook.computed >> outlook.eta_seconds >>
      outlook.eta_low_seconds >> outlook.eta_high_seconds;
  if (!line || of_epoch != epoch.value) return std::nullopt;
  return outlook;
}

}  // namespace moesweep::store
