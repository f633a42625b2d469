#pragma once
// What is on disk: the union of all segments. This alone decides what a resume repeats.

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include <moesweep/core/base/ids.hpp>
#include <moesweep/core/records/table.hpp>
#include <moesweep/core/records/units.hpp>
#include <moesweep/engine/store/output_file.hpp>
#include <moesweep/engine/store/segment.hpp>

namespace moesweep::store {

/// Segments whose bytes do not hash to their name: never opened as HDF5, their units count as not
/// done.
enum class Rotten { quarantine, leave_in_place };

struct UnitStanding {
  records::UnitRow row;
  std::string segment;
  std::vector<OutputFile> files;  ///< that its rows name
  std::int32_t last_epoch = 0;    ///< of all its rows, this one and those that it beats
};

struct SegmentScan {
  std::unordered_map<UnitId, UnitStanding>
      units;                        ///< done beats failed; of two failures the later epoch counts
  std::vector<std::string> rotten;  ///< names of segments that did not verify
  std::int64_t segments = 0;
  std::int64_t bytes = 0;
};

/// Reads /units, and what files the rows name, of every segment in `directory`; each of them is on
/// disk then, whatever its writer still waits for. With
/// Rotten::quarantine, moves bad segments to `quarantine/` below it. The same unit done twice with
/// equal rows is one unit; with different rows it is Error(bad_input) naming both segments.
SegmentScan scan_segments(const std::filesystem::path& directory, Rotten rotten);

/// All rows of the done units (and none of failed ones), appended in unit-key order, plus the
/// standing of every unit as tables `units` and `failures`, in the same order. Takes the scan: that
/// of a large sweep would not fit beside its tables.
records::Tables gather(const std::filesystem::path& directory, SegmentScan scan);

}  // namespace moesweep::store
