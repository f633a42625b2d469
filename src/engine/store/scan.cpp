#include <algorithm>
#include <deque>
#include <future>
#include <optional>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/signal_stack.hpp>
#include <moesweep/engine/store/quarantine.hpp>
#include <moesweep/engine/store/scan.hpp>

namespace moesweep::store {
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> list_segments(const fs::path& directory) {
  std::vector<fs::path> paths;
  for (const auto& name : names_in_folder(directory)) {
    auto path = directory / name;
    if (parse_segment_name(name) && fs::is_regular_file(status_of(path))) {
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

bool is_done(const UnitStanding& unit) {
  return unit.row.status == "done";
}

void add(SegmentScan& scan, UnitStanding unit) {
  const UnitId id{unit.row.id};
  unit.last_epoch = unit.row.epoch;
  const auto [found, is_new] = scan.units.try_emplace(id, std::move(unit));
  if (is_new) return;
  auto& known = found->second;
  known.last_epoch = unit.last_epoch = std::max(known.last_epoch, unit.last_epoch);
  if (is_done(known) && is_done(unit) && known.row.payload_hash != unit.row.payload_hash) {
    throw Error(ExitCode::bad_input, unit.row.key,
                fmt::format("was computed twice with different results, in {} and {}",
                            known.segment, unit.segment),
                "one of the two machines is faulty; delete the segment you do not trust");
  }
  if (is_done(known)) return;
  if (is_done(unit) || unit.row.epoch > known.row.epoch) known = std::move(unit);
}

using SegmentBytes = std::optional<std::vector<std::byte>>;

// Segments in order, read and hashed a few ahead by other threads: HDF5, which is not thread-safe,
// parses one while the next arrive. Few, since each may take 64 MiB.
class ReadAhead {
 public:
  explicit ReadAhead(const std::vector<fs::path>& paths) : paths_(paths) {
    while (ahead_.size() < segments_ahead && next_ < paths_.size()) start_next();
  }
  /// Throws what reading it threw.
  SegmentBytes take() {
    auto bytes = ahead_.front().get();
    ahead_.pop_front();
    if (next_ < paths_.size()) start_next();
    return bytes;
  }

 private:
  static constexpr std::size_t segments_ahead = 4;
  void start_next() {
    // Without another thread it is read when it is needed.
    constexpr auto policy = std::launch::async | std::launch::deferred;
    ahead_.push_back(std::async(
        policy, on_own_signal_stack([&path = paths_[next_]] { return read_verified(path); })));
    ++next_;
  }

  const std::vector<fs::path>& paths_;
  std::size_t next_ = 0;
  std::deque<std::future<SegmentBytes>> ahead_;
};

void scan_one(SegmentScan& scan, const fs::path& path, const SegmentBytes& bytes, Rotten rotten) {
  const auto name = path.filename().string();
  if (!bytes) {
    scan.rotten.push_back(name);
    if (rotten == Rotten::quarantine) {
      const auto place = quarantine(path);
      spdlog::warn("segment {} does not match its hash: moved to {}, its units run again", name,
                   place.parent_path().string());
    }
    return;
  }
  ++scan.segments;
  scan.bytes += checked_cast<std::int64_t>(bytes->size());
  for (auto& [row, rows] : decode_segment_units(*bytes, name)) {
    auto files = output_files(rows, name);
    add(scan, {std::move(row), name, std::move(files)});
  }
}

}  // namespace

SegmentScan scan_segments(const fs::path& directory, Rotten rotten) {
  SegmentScan scan;
  const auto paths = list_segments(directory);
  // A segment may be renamed and its writer still wait for the directory's fsync: what is counted
  // as done must survive a power cut now. Takes no right to write, and one call for all segments.
  fsync_directory(directory);
  ReadAhead segments(paths);
  for (const auto& path : paths) scan_one(scan, path, segments.take(), rotten);
  return scan;
}

}  // namespace moesweep::store
