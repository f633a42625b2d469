#pragma once
// Rows come from files (segments, results.h5) that somebody else may have written: what no sweep
// writes into them is a fault of the file, not of the program.

#include <string>
#include <string_view>

#include <moesweep/core/base/error.hpp>

namespace moesweep::records {

/// Error(bad_input) with the table as its place unless `is_sound`. `problem` is a sentence: "a
/// layer is probed twice".
inline void require_sound(bool is_sound, std::string_view table, std::string_view problem) {
  if (is_sound) [[likely]]
    return;
  throw Error(ExitCode::bad_input, "table " + std::string(table), std::string(problem),
              "somebody else has written it: do not use this run directory");
}

}  // namespace moesweep::records
