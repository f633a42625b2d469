#include "hdf5_image.hpp"

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>

#include "hdf5_call.hpp"
#include "hdf5_handle.hpp"

namespace moesweep::store {
namespace {

constexpr std::size_t growth_bytes = std::size_t{1} << 20;
// HDF5 refuses an image under the name of a file that exists, and takes two open images of one name
// for the same file. Nothing can exist below /dev/null.
const std::string image_folder = "/dev/null/";

H5Handle memory_file_access() {
  H5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_fapl_core(access, growth_bytes, /*backing_store=*/false), "H5Pset_fapl_core");
  return access;
}

// The core driver copies an image twice unless its allocations are answered with the image itself.
// That is safe for reading alone: nothing is written, and the bytes outlive the file.
struct SharedImage {
  void* bytes;
};

void* share_image(std::size_t /*size*/, H5FD_file_image_op_t /*operation*/, void* image) {
  return static_cast<SharedImage*>(image)->bytes;
}
void* copy_nothing(void* to, const void* /*from*/, std::size_t /*size*/,
                   H5FD_file_image_op_t /*operation*/, void* /*image*/) {
  return to;
}
void* refuse_to_grow(void* /*bytes*/, std::size_t /*size*/, H5FD_file_image_op_t /*operation*/,
                     void* /*image*/) {
  return nullptr;
}
herr_t keep_bytes(void* /*bytes*/, H5FD_file_image_op_t /*operation*/, void* /*image*/) {
  return 0;
}
void* share_user(void* image) {
  return image;
}
herr_t keep_user(void* /*image*/) {
  return 0;
}

// Files that were given up stay open under their names.
std::string new_name() {
  static std::int64_t made = 0;  // one thread at a time is in HDF5
  return fmt::format("{}new-{}", image_folder, ++made);
}

std::vector<std::byte> image_of(hid_t file) {
  h5_check(H5Fflush(file, H5F_SCOPE_LOCAL), "H5Fflush");
  const auto size = h5_check(H5Fget_file_image(file, nullptr, 0), "H5Fget_file_image");
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  h5_check(H5Fget_file_image(file, bytes.data(), bytes.size()), "H5Fget_file_image");
  return bytes;
}

}  // namespace

std::vector<std::byte> build_image(const std::function<void(hid_t)>& fill,
                                   std::size_t user_block_bytes) {
  const Hdf5Call call;
  h5_prepare();
  const auto access = memory_file_access();
  const H5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_obj_track_times(creation, false), "H5Pset_obj_track_times");
  if (user_block_bytes > 0) {
    h5_check(H5Pset_userblock(creation, user_block_bytes), "H5Pset_userblock");
  }
  H5Handle file(H5Fcreate(new_name().c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose,
                "H5Fcreate");
  try {
    fill(file);
    auto bytes = image_of(file);
    file.close("H5Fclose");
    return bytes;
  } catch (...) {
    // As with Hdf5Output: memory that ran out would run out again, and HDF5 crash of it.
    file.abandon();
    throw;
  }
}

void with_image(std::span<const std::byte> bytes, const std::string& file_name,
                const std::function<void(hid_t)>& read) {
  constexpr auto unreadable = "is not a readable HDF5 file";
  if (bytes.empty()) throw Error(ExitCode::bad_input, file_name, unreadable);
  const Hdf5Call call;
  h5_prepare();
  const auto access = memory_file_access();
  // HDF5 takes a non-const pointer; see SharedImage.
  auto* data = const_cast<std::byte*>(bytes.data());
  SharedImage image{data};
  H5FD_file_image_callbacks_t callbacks{share_image, copy_nothing, refuse_to_grow, keep_bytes,
                                        share_user,  keep_user,    &image};
  h5_check(H5Pset_file_image_callbacks(access, &callbacks), "H5Pset_file_image_callbacks");
  h5_check(H5Pset_file_image(access, data, bytes.size()), "H5Pset_file_image");
  bool was_opened = false;
  try {
    H5Handle file(H5Fopen((image_folder + file_name).c_str(), H5F_ACC_RDONLY, access), H5Fclose,
                  "H5Fopen");
    was_opened = true;
    read(file);
    file.close("H5Fclose");
  } catch (const Hdf5Failure& failure) {
    // The image is in memory: what HDF5 cannot read is the file's fault, not the disk's.
    throw Error(ExitCode::bad_input, file_name, was_opened ? failure.problem() : unreadable);
  }
}

}  // namespace moesweep::store
