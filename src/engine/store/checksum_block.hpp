#pragma once
// What stands before the HDF5 data of results.h5, as its user block: text that names the hash of
// all bytes after it. It travels with the file, and readers of HDF5 pass over it.

#include <cstddef>
#include <span>
#include <string>

namespace moesweep::store {

/// A user block is 512 bytes or a larger power of two.
inline constexpr std::size_t checksum_block_bytes = 512;

/// Three lines, then zeros: `moesweep results 1`, `bytes <number>`, `xxh3-128 <32 hex digits>`.
std::string checksum_block(std::span<const std::byte> contents);

/// Whether `file` is a block and the bytes that it was made for. Every bit counts, those of the
/// block and its zeros too.
bool matches_checksum_block(std::span<const std::byte> file);

}  // namespace moesweep::store
