#pragma once
// The one place that writes lines to standard error, each after what standard output has so far: in
// a log that has both, a line is never inside another.

#include <string_view>

namespace moesweep::cli {

/// As it is, without "moesweep: ": for progress.
void write_error(std::string_view text);

/// A line after "moesweep: ". A full disk behind it is nobody's error.
void print_error(std::string_view line);

/// Warnings of all modules go there, too.
void log_to_standard_error();

}  // namespace moesweep::cli
