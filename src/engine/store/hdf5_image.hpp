#pragma once
// HDF5 files as byte strings: built in memory and opened from memory, so that the library never
// touches the disk. Both hold the library's lock (hdf5_call.hpp) while the callback runs.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <hdf5.h>

namespace moesweep::store {

/// The bytes of a file that `fill` writes into. Equal content gives equal bytes (no object times;
/// format of HDF5 1.8 and later). They are made to stand behind a user block of `user_block_bytes`,
/// which is not among them.
std::vector<std::byte> build_image(const std::function<void(hid_t file)>& fill,
                                   std::size_t user_block_bytes = 0);

/// Opens `bytes` read-only for the duration of `read`. Throws Error(bad_input) naming `file_name`
/// when it is not HDF5, or HDF5 cannot read what is in it.
void with_image(std::span<const std::byte> bytes, const std::string& file_name,
                const std::function<void(hid_t file)>& read);

}  // namespace moesweep::store
