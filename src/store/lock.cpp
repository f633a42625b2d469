#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/store/lock.hpp>

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

fs::path start_file(const fs::path& directory, Epoch epoch) {
  return directory / fmt::format("e{:04}.json", epoch.value);
}
fs::path end_file(const fs::path& directory, Epoch epoch) {
  return directory / fmt::format("e{:04}.end.json", epoch.value);
}

// Of this process, so that those who start at the same time stay apart.
fs::path reserved_file(const fs::path& directory, Epoch epoch) {
  const auto self = this_process();
  return directory / fmt::format("e{:04}-{}-{}.reserved", epoch.value, self.host, self.pid);
}

// More than an end takes.
constexpr std::size_t reserved_bytes = 512;

bool is_there(const fs::path& path) {
  std::error_code error;
  const bool there = fs::exists(path, error);
  if (error) {
    throw Error(ExitCode::run_directory, path.string(), "cannot be read: " + error.message());
  }
  return there;
}

json to_json(const EpochStart& start) {
  const auto& owner = start.owner;
  return {{"host", owner.host},
          {"boot_id", owner.boot_id},
          {"pid_namespace", owner.pid_namespace},
          {"pid", owner.pid},
          {"start_ticks", owner.start_ticks},
          {"slurm_job", owner.slurm_job},
          {"slurm_restarts", owner.slurm_restarts},
          {"fingerprint", start.fingerprint},
          {"inputs", start.inputs},
          {"isa", start.isa},
          {"blas", start.blas},
          {"build", start.build},
          {"ranks", start.ranks},
          {"units", start.units},
          {"unix_time", start.unix_time}};
}

EpochStart start_from(const json& from) {
  EpochStart start;
  auto& owner = start.owner;
  from.at("host").get_to(owner.host);
  from.at("boot_id").get_to(owner.boot_id);
  from.at("pid_namespace").get_to(owner.pid_namespace);
  from.at("pid").get_to(owner.pid);
  from.at("start_ticks").get_to(owner.start_ticks);
  from.at("slurm_job").get_to(owner.slurm_job);
  from.at("slurm_restarts").get_to(owner.slurm_restarts);
  from.at("fingerprint").get_to(start.fingerprint);
  from.at("inputs").get_to(start.inputs);
  from.at("isa").get_to(start.isa);
  from.at("blas").get_to(start.blas);
  from.at("build").get_to(start.build);
  from.at("ranks").get_to(start.ranks);
  from.at("units").get_to(start.units);
  from.at("unix_time").get_to(start.unix_time);
  return start;
}

EpochEnd end_from(const json& from) {
  return {static_cast<ExitCode>(from.at("exit_code").get<int>()),
          from.at("units_published").get<std::int64_t>(), from.at("unix_time").get<double>()};
}

EpochRecord read_epoch(const fs::path& directory, Epoch epoch) {
  const auto parse = [](const fs::path& path, auto convert) {
    try {
      return convert(json::parse(read_text_file(path)));
    } catch (const json::exception& error) {
      throw Error(ExitCode::run_directory, path.string(), "is damaged", "delete this file");
    }
  };
  EpochRecord record{epoch, parse(start_file(directory, epoch), start_from), std::nullopt};
  const auto end = end_file(directory, epoch);
  if (is_there(end)) record.end = parse(end, end_from);
  return record;
}

std::string describe(const Owner& owner) {
  return fmt::format("process {} on {}", owner.pid, owner.host) +
         (owner.slurm_job.empty() ? "" : " (Slurm job " + owner.slurm_job + ")");
}

bool ends_within(const Owner& owner, double seconds) {
  const auto give_up = Clock::now() + std::chrono::duration<double>(seconds);
  while (liveness_of(owner) == Liveness::alive) {
    if (Clock::now() >= give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::string current_beat(const fs::path& directory) {
  const auto path = directory / "beat";
  return is_there(path) ? read_text_file(path) : std::string();
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

bool is_abandoned(const fs::path& directory, const EpochRecord& last, const Owner& self,
                  const AcquireOptions& options) {
  if (last.end) return true;
  const auto& owner = last.start.owner;
  if (liveness_of(owner) != Liveness::unknown) {
    return ends_within(owner, options.dying_owner_seconds);
  }
  const bool same_job_restarted = !owner.slurm_job.empty() && owner.slurm_job == self.slurm_job &&
                                  self.slurm_restarts > owner.slurm_restarts;
  return same_job_restarted || options.take_over ||
         beat_stands_still(directory, options.beat_seconds);
}

// False when another process was first. The space for the end is taken before: a full disk is found
// here, or can be recorded later.
bool starts_epoch(const fs::path& directory, Epoch epoch, const EpochStart& start) {
  const auto path = start_file(directory, epoch);
  const auto reserved = reserved_file(directory, epoch);
  bool is_first = false;
  try {
    publish_file(reserved, std::string(reserved_bytes, '\n'));
    is_first = publish_file_exclusively(
        path, to_json(start).dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  } catch (const Error&) {
    // The one that was first removes what others have not finished.
    const bool lost =
        is_there(path) && read_epoch(directory, epoch).start.owner.pid != start.owner.pid;
    if (!lost) throw;
  }
  std::error_code ignored;
  if (!is_first) fs::remove(reserved, ignored);
  return is_first;
}

}  // namespace

std::vector<EpochRecord> read_epochs(const fs::path& lock_directory) {
  std::vector<EpochRecord> epochs;
  for (Epoch epoch{1}; is_there(start_file(lock_directory, epoch)); ++epoch.value) {
    epochs.push_back(read_epoch(lock_directory, epoch));
  }
  return epochs;
}

Epoch acquire(const fs::path& lock_directory, const EpochStart& start,
              const AcquireOptions& options) {
  const auto refuse = [&](const Owner& owner) {
    throw Error(ExitCode::run_directory, lock_directory.parent_path().string(),
                "is in use by " + describe(owner),
                "wait for it, or give --take-over if that process is dead");
  };
  const auto epochs = read_epochs(lock_directory);
  if (!epochs.empty() && !is_abandoned(lock_directory, epochs.back(), start.owner, options)) {
    refuse(epochs.back().start.owner);
  }
  const Epoch next{epochs.empty() ? 1 : epochs.back().epoch.value + 1};
  if (!starts_epoch(lock_directory, next, start)) {
    refuse(read_epoch(lock_directory, next).start.owner);
  }
  return next;
}

// Writes over the bytes that acquire() reserved: a full disk is an end that must be told too.
void record_end(const fs::path& lock_directory, Epoch epoch, const EpochEnd& end) {
  const json record = {{"exit_code", static_cast<int>(end.exit_code)},
                       {"units_published", end.units_published},
                       {"unix_time", end.unix_time}};
  auto text = record.dump(1);
  text.resize(std::max(text.size(), reserved_bytes), '\n');
  const auto reserved = reserved_file(lock_directory, epoch);
  overwrite_file(reserved, text);
  rename_durably(reserved, end_file(lock_directory, epoch));
}

void beat(const fs::path& lock_directory, Epoch epoch, std::int64_t count, const Outlook& outlook) {
  const auto path = lock_directory / "beat";
  const auto file = open_descriptor(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
  if (!file) return;
  // Of one length, so that a line never ends in the rest of the one before.
  const auto text =
      fmt::format("{:08} {:016} {:016.3f} {:012} {:016.3f} {:016.3f} {:016.3f}\n", epoch.value,
                  count, outlook.unix_time, outlook.computed, outlook.eta_seconds,
                  outlook.eta_low_seconds, outlook.eta_high_seconds);
  [[maybe_unused]] const auto written = ::pwrite(file.get(), text.data(), text.size(), 0);
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
