#include "hdf5_create.hpp"

#include <algorithm>

#include "hdf5_rows.hpp"

namespace moesweep::store {
namespace {

constexpr unsigned deflate_level = 4;

H5Handle dataset_properties(const std::vector<hsize_t>& chunk) {
  H5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_obj_track_times(properties, false), "H5Pset_obj_track_times");
  if (!chunk.empty()) {
    h5_check(H5Pset_chunk(properties, static_cast<int>(chunk.size()), chunk.data()),
             "H5Pset_chunk");
    h5_check(H5Pset_shuffle(properties), "H5Pset_shuffle");
    h5_check(H5Pset_deflate(properties, deflate_level), "H5Pset_deflate");
  }
  return properties;
}

}  // namespace

H5Handle text_type(std::size_t length) {
  H5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "H5Tcopy");
  h5_check(H5Tset_size(type, std::max<std::size_t>(length, 1)), "H5Tset_size");
  h5_check(H5Tset_strpad(type, H5T_STR_NULLPAD), "H5Tset_strpad");
  h5_check(H5Tset_cset(type, H5T_CSET_UTF8), "H5Tset_cset");
  return type;
}

std::size_t longest(std::span<const std::string> texts) {
  std::size_t length = 1;
  for (const auto& text : texts) length = std::max(length, text.size());
  return length;
}

PaddedTexts pad(std::span<const std::string> texts, std::size_t length) {
  PaddedTexts padded{length, {}};
  padded.bytes.assign(texts.size() * padded.length, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i].copy(&padded.bytes[i * padded.length], padded.length);
  }
  return padded;
}

PaddedTexts pad(std::span<const std::string> texts) {
  return pad(texts, longest(texts));
}

H5Handle create_group(hid_t file, const std::string& name) {
  const H5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_create_intermediate_group(links, 1), "H5Pset_create_intermediate_group");
  const H5Handle properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_obj_track_times(properties, false), "H5Pset_obj_track_times");
  return {H5Gcreate2(file, name.c_str(), links, properties, H5P_DEFAULT), H5Gclose,
          "H5Gcreate " + name};
}

H5Handle create_dataset(hid_t group, const std::string& name, hid_t type,
                        const std::vector<hsize_t>& dims, const std::vector<hsize_t>& chunk,
                        const void* data) {
  const H5Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                       H5Sclose, "H5Screate_simple");
  const auto properties = dataset_properties(chunk);
  H5Handle dataset(
      H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose,
      "H5Dcreate " + name);
  if (data != nullptr && std::ranges::find(dims, hsize_t{0}) == dims.end()) {
    h5_check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "H5Dwrite " + name);
  }
  return dataset;
}

void write_rows(hid_t file, const std::string& dataset, hid_t type, hsize_t first_row,
                const std::vector<hsize_t>& count, const void* data) {
  H5Handle open(H5Dopen2(file, dataset.c_str(), H5P_DEFAULT), H5Dclose, "H5Dopen " + dataset);
  RowSelection(open, first_row, count).write(type, data, dataset);
  open.close("H5Dclose " + dataset);
}

}  // namespace moesweep::store
