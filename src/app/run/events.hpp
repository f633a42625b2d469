#pragma once
// RUN/events.jsonl: what happened, a line each, appended by rank 0.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace moesweep::run {

/// Appends {"time": ..., "event": name, ...fields}. A full disk must not hide what led to it:
/// failures are logged, not thrown. Starts a line of its own where the last writer was killed in
/// the middle of one.
void append_event(const std::filesystem::path& file, const std::string& name,
                  nlohmann::json fields);

struct Events {
  std::vector<nlohmann::json> whole;  ///< oldest first
  std::int64_t torn = 0;              ///< lines that are not events: half-written, or damaged
};
/// None where there is no file.
Events read_events(const std::filesystem::path& file);

double unix_time();

}  // namespace moesweep::run
