#pragma once
// From segments to results.h5.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <moesweep/core/records/table.hpp>
#include <moesweep/engine/store/results_turn.hpp>

namespace moesweep::run {

struct Aggregate {
  records::Tables tables;
  std::int64_t units_total = 0;
  std::int64_t units_done = 0;
  std::int64_t units_failed = 0;
  std::vector<std::string> rotten;  ///< segments that do not match their hash
  std::string digest;               ///< 32 hex digits; empty while units are missing or failed
  bool complete() const { return units_done == units_total; }
};

/// From the rows of all units to the tables of results.h5.
using Reduce = std::function<records::Tables(records::Tables)>;

/// Reads all segments of a run directory and reduces them as RUN/job.toml says. Needs no
/// checkpoint.
Aggregate aggregate(const std::filesystem::path& run_directory);

/// aggregate() and results.h5, replaced atomically. Results of a later look at the segments are
/// never replaced: when there are some in the end, it looks again. `reduce` is that of the job that
/// has just run here; empty: RUN/job.toml says it.
Aggregate write_aggregate(const std::filesystem::path& run_directory, const Reduce& reduce = {});

/// results.h5 of what was aggregated in its turn, replaced atomically. False when there are results
/// of a later look at the segments.
bool write_results(const std::filesystem::path& run_directory, const Aggregate& aggregated,
                   store::ResultsTurn& turn);

/// Reads all segments and all files that finished units have left, and compares results.h5 with
/// what the segments give. Changes nothing. Returns the findings, each with its remedy; none when
/// all is well.
std::vector<std::string> verify(const std::filesystem::path& run_directory, Aggregate& aggregated);

}  // namespace moesweep::run
