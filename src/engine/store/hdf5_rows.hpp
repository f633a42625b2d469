#pragma once
// Rows of a dataset: of the first dimension, and whole.

#include <string>
#include <vector>

#include <hdf5.h>

#include "hdf5_handle.hpp"

namespace moesweep::store {

/// `count[0]` rows of an open dataset from `first_row` on, `count` being the sides of what is
/// transferred, and as many values in memory.
class RowSelection {
 public:
  RowSelection(hid_t dataset, hsize_t first_row, const std::vector<hsize_t>& count);

  /// `name` is the dataset's, for messages.
  void read(hid_t memory_type, void* to, const std::string& name) const;
  void write(hid_t memory_type, const void* from, const std::string& name) const;

 private:
  hid_t dataset_;
  H5Handle in_file_;
  H5Handle in_memory_;
};

}  // namespace moesweep::store
