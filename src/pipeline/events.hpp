#pragma once
// RUN/events.jsonl: what happened, a line each, appended by rank 0.

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace moesweep::pipeline {

/// Appends {"time": ..., "event": name, ...fields}. A full disk must not hide what led to it:
/// failures are logged, not thrown.
void append_event(const std::filesystem::path& file, const std::string& name,
                  nlohmann::json fields);

double unix_time();

}  // namespace moesweep::pipeline
