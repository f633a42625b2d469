#pragma once

#include <filesystem>

#include <moesweep/core/base/hash.hpp>

namespace moesweep {

/// XXH3-128 of a regular file of any size, read in pieces of 4 MiB. Error(bad_input) when it cannot
/// be opened or shrinks meanwhile, Error(io_error) when it cannot be read.
Hash128 hash_of_file(const std::filesystem::path& path);

}  // namespace moesweep
