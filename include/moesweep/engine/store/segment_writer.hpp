#pragma once
// The I/O thread of a rank: collects finished units and publishes them as segments.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <moesweep/core/base/ids.hpp>
#include <moesweep/engine/store/segment.hpp>

namespace moesweep::store {

struct SegmentWriterOptions {
  std::filesystem::path directory;
  Epoch epoch;
  Rank rank;
  double flush_seconds = 20.0;                        ///< longest time a finished unit waits
  std::int64_t flush_bytes = std::int64_t{64} << 20;  ///< or this much of rows
};

/// Owns all HDF5 writing and fsync of the rank while it exists.
class SegmentWriter {
 public:
  explicit SegmentWriter(SegmentWriterOptions options);
  /// Finishes the segment being written; what was put after it is dropped (it was never reported
  /// durable).
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  /// Takes one finished unit; `ticket` comes back from poll(). payload_hash of the record is filled
  /// in.
  void put(std::uint64_t ticket, UnitRecord record);
  /// Publishes what was put so far without waiting for the interval.
  void flush();

  struct Published {
    std::string segment;
    std::vector<std::uint64_t> tickets;
  };
  /// The next published segment, if any. Never blocks. When publishing failed twice in a row (the
  /// second time to a new file), throws that Error(io_error); what was published before stays.
  std::optional<Published> poll();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moesweep::store
