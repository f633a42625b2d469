#pragma once
// Jobs for tests: the shortest valid one, and what parsing says about a text.

#include <span>
#include <string>
#include <string_view>

#include <support/complaint.hpp>

#include <moesweep/app/jobs/job_file.hpp>

namespace moesweep::test {

/// Line 4 is [checkpoint], what a test appends begins on line 6 and may open another table.
inline const std::string minimal_job =
    "schema = 1\nname = \"t\"\nkind = \"sensitivity\"\n[checkpoint]\npath = \"/models/x\"\n";

inline config::Settings parse_minimal(std::string_view more = {},
                                      std::span<const std::string> overrides = {}) {
  return jobs::parse_job(minimal_job + std::string(more), "job.toml", overrides);
}

inline std::string complaint_about(std::string_view more) {
  return complaint([&] { parse_minimal(more); });
}

inline std::string complaint_about_override(std::string text) {
  return complaint([&] { parse_minimal({}, std::span(&text, 1)); });
}

}  // namespace moesweep::test
