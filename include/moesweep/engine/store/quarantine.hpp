#pragma once

#include <filesystem>

namespace moesweep::store {

/// Moves a file that is not what was written to `quarantine/` beside it, durably, and returns where
/// it is then. Error(io_error) when that is impossible.
std::filesystem::path quarantine(const std::filesystem::path& file);

}  // namespace moesweep::store
