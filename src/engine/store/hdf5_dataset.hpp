#pragma once
// Datasets of files that someone else may have made: opened only when nothing in them can make
// HDF5 read elsewhere or allocate more than the file can hold.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <hdf5.h>

#include "hdf5_handle.hpp"

namespace moesweep::store {

/// Whether `name` is at `location`. By hard links only: external and soft links could lead to any
/// file, and are Error(bad_input) naming `file_name`.
bool has_object(hid_t location, const std::string& name, const std::string& file_name);
/// The same for every part of a path "a/b/c".
bool has_path(hid_t location, const std::string& path, const std::string& file_name);

/// Names in a group, sorted.
std::vector<std::string> names_in(hid_t group);

struct OpenDataset {
  H5Handle dataset;
  H5Handle type;
  std::vector<hsize_t> dims;
  std::size_t element_bytes;  ///< in the file

  std::size_t elements() const;
};

/// What is to be opened, and what messages call it.
struct DatasetPlace {
  std::string file_name;
  std::string name;             ///< in the group
  std::string noun = "column";  ///< "column rows is missing"
};

/// Error(bad_input) when it is missing, a link to elsewhere, virtual, stored in another file,
/// packed with filters other than shuffle and deflate, or declares more than the file can hold.
OpenDataset open_dataset(hid_t location, const DatasetPlace& place);
[[noreturn]] void refuse(const DatasetPlace& place, const std::string& why);

/// Any integer type; 64-bit unsigned values beyond int64 become its largest.
std::vector<std::int64_t> read_integers(const OpenDataset& open, const DatasetPlace& place);
/// Texts of fixed or variable length, at most 4 KiB each.
std::vector<std::string> read_texts(const OpenDataset& open, const DatasetPlace& place);

/// float16 (little-endian), float32 and float64.
bool holds_floats(const OpenDataset& open);

/// All rows (of the first dimension) as `memory_type`, `value_bytes` a value, in pieces: `rows`
/// holds the next ones when `take` is called. A piece is whole chunks, each of which is unpacked
/// once, and at least `piece_bytes` where there are as many. Begins with row `next_row`, which is
/// moved on after each `take`.
void read_rows(const OpenDataset& open, const DatasetPlace& place, hid_t memory_type,
               std::size_t value_bytes, std::size_t piece_bytes, std::vector<std::byte>& rows,
               hsize_t& next_row, const std::function<void()>& take);

/// IEEE binary16, little-endian, which HDF5 has no name for.
H5Handle half_type();

}  // namespace moesweep::store
