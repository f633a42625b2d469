#include "hdf5_rows.hpp"

namespace moesweep::store {

RowSelection::RowSelection(hid_t dataset, hsize_t first_row, const std::vector<hsize_t>& count)
    : dataset_(dataset),
      in_file_(H5Dget_space(dataset), H5Sclose, "H5Dget_space"),
      in_memory_(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose,
                 "H5Screate_simple") {
  std::vector<hsize_t> start(count.size(), 0);
  start[0] = first_row;
  h5_check(
      H5Sselect_hyperslab(in_file_, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
      "H5Sselect_hyperslab");
}

void RowSelection::read(hid_t memory_type, void* to, const std::string& name) const {
  h5_check(H5Dread(dataset_, memory_type, in_memory_, in_file_, H5P_DEFAULT, to),
           "H5Dread " + name);
}

void RowSelection::write(hid_t memory_type, const void* from, const std::string& name) const {
  h5_check(H5Dwrite(dataset_, memory_type, in_memory_, in_file_, H5P_DEFAULT, from),
           "H5Dwrite " + name);
}

}  // namespace moesweep::store
