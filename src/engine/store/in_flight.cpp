#include <algorithm>
#include <cerrno>
#include <set>
#include <unordered_set>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/engine/store/lock.hpp>

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;

std::vector<UnitId> read_slots(const fs::path& path) {
  const auto bytes = read_file(path);
  std::vector<UnitId> slots(bytes.size() / sizeof(UnitId));
  std::copy_n(bytes.data(), slots.size() * sizeof(UnitId),
              reinterpret_cast<std::byte*>(slots.data()));
  return slots;
}

}  // namespace

InFlightNotes::InFlightNotes(const fs::path& lock_directory, Epoch epoch, Rank rank, int threads)
    : slots_(checked_cast<std::size_t>(threads)) {
  const auto path = lock_directory / fmt::format("e{:04}-r{:04}.inflight", epoch.value, rank.value);
  file_ = open_descriptor(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  if (!file_) throw errno_error(ExitCode::io_error, path.string(), "cannot create", errno);
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) write_slot(slot);
}

void InFlightNotes::started(UnitId unit) {
  const auto free = std::find(slots_.begin(), slots_.end(), UnitId{});
  expect(free != slots_.end(), "more units in flight than threads");
  *free = unit;
  write_slot(static_cast<std::size_t>(free - slots_.begin()));
}

void InFlightNotes::finished(UnitId unit) {
  const auto taken = std::find(slots_.begin(), slots_.end(), unit);
  expect(taken != slots_.end(), "a unit finished that was not noted");
  *taken = UnitId{};
  write_slot(static_cast<std::size_t>(taken - slots_.begin()));
}

// Not synced and not checked: the notes must survive the death of this process, not of the machine,
// and a lost note only means that a crash is blamed on nobody.
void InFlightNotes::write_slot(std::size_t slot) {
  [[maybe_unused]] const auto written = ::pwrite(file_.get(), &slots_[slot].value, sizeof(UnitId),
                                                 checked_cast<off_t>(slot * sizeof(UnitId)));
}

std::unordered_map<UnitId, int> abnormal_ends(const fs::path& lock_directory,
                                              const std::function<Epoch(UnitId)>& after) {
  std::unordered_set<int> crashed;
  for (const auto& record : read_epochs(lock_directory)) {
    if (!record.end || record.end->by_unlock) crashed.insert(record.epoch.value);
  }
  // A unit counts once an epoch, however many slots name it.
  std::set<std::pair<Epoch, UnitId>> blamed;
  for (const auto& name : names_in_folder(lock_directory)) {
    if (!name.ends_with(".inflight")) continue;
    const Epoch epoch{static_cast<std::int32_t>(std::strtol(name.c_str() + 1, nullptr, 10))};
    if (!crashed.contains(epoch.value)) continue;
    for (const auto unit : read_slots(lock_directory / name)) {
      if (unit != UnitId{} && epoch > after(unit)) blamed.emplace(epoch, unit);
    }
  }
  std::unordered_map<UnitId, int> ends;
  for (const auto& [epoch, unit] : blamed) ++ends[unit];
  return ends;
}

}  // namespace moesweep::store
