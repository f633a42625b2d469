#pragma once

#include <cstdint>
#include <string>

namespace moesweep::cli {

/// The text of --shard-size in bytes; Error(bad_usage) unless it is a size of 1 byte or more.
std::int64_t shard_bytes_of(const std::string& text);

}  // namespace moesweep::cli
