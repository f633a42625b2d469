#pragma once

#include <filesystem>

namespace moesweep::cli {

/// What a finished sensitivity sweep says, from its results.h5: the most and least sensitive
/// tensors, the bits decided, and the size they give.
void print_summary(const std::filesystem::path& run_directory);

}  // namespace moesweep::cli
