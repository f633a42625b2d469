#pragma once

#include <filesystem>

namespace moesweep::cli {

/// What a finished quality-safety analysis found, from its results.h5; nothing for other sweeps.
void print_quality_summary(const std::filesystem::path& run_directory);

}  // namespace moesweep::cli
