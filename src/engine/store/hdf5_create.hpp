#pragma once
// What every HDF5 file of ours is made of.

#include <span>
#include <string>
#include <vector>

#include <hdf5.h>

#include "hdf5_handle.hpp"

namespace moesweep::store {

/// Fixed-length UTF-8, null-padded; at least one byte.
H5Handle text_type(std::size_t length);

/// Bytes of the longest, at least one.
std::size_t longest(std::span<const std::string> texts);

/// Texts as one dataset has them: null-padded, to the longest unless a length is given.
struct PaddedTexts {
  std::size_t length = 1;
  std::vector<char> bytes;
};
PaddedTexts pad(std::span<const std::string> texts);
PaddedTexts pad(std::span<const std::string> texts, std::size_t length);

/// With parents; without object times, so that equal content gives equal bytes.
H5Handle create_group(hid_t file, const std::string& name);

/// Creates a dataset, contiguous where `chunk` is empty, else in chunks that are shuffled and
/// deflated, and fills it where there is `data`.
H5Handle create_dataset(hid_t group, const std::string& name, hid_t type,
                        const std::vector<hsize_t>& dims, const std::vector<hsize_t>& chunk,
                        const void* data);

/// Fills rows of a dataset from `first_row` on; `count` are the sides of what is written.
void write_rows(hid_t file, const std::string& dataset, hid_t type, hsize_t first_row,
                const std::vector<hsize_t>& count, const void* data);

}  // namespace moesweep::store
