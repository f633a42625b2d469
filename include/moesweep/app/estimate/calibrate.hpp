#pragma once
// What a node of a cluster does a second, measured in a few seconds with the code that sweeps run.

#include <filesystem>
#include <string>

#include <moesweep/engine/capacity/rates.hpp>

namespace moesweep::estimate {

/// Rates of one core while `threads` of them work, and the reading speed of them together from
/// `read_from` (a file, or the files of a directory), from the page cache where they are cached.
/// Writes about 30 MB to the temporary directory. Error(bad_input) when `read_from` cannot be
/// opened or holds no byte to read; Error(io_error) when folders cannot be listed or the temporary
/// directory not written.
capacity::Rates calibrate(const std::filesystem::path& read_from, int threads);

/// A cluster profile with these rates: one node of `threads` cores and this machine's memory.
std::string calibrated_profile(const capacity::Rates& rates, int threads);

}  // namespace moesweep::estimate
