#pragma once
// HDF5 files too large to be held in memory: read and written by the library itself.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include <hdf5.h>

#include "hdf5_handle.hpp"

namespace moesweep::store {

/// Opens a regular file read-only for the duration of `read`, which holds the library's lock
/// (hdf5_call.hpp). No file lock is taken: many ranks read at once, and parallel file systems often
/// have none. Throws Error(bad_input) when the file is not HDF5 or HDF5 cannot read what is in it,
/// and Error(io_error) where it is the system that fails. While the system says "try again"
/// (retried.hpp) the file is opened again and `read` called again: what it has handed on by then,
/// it must not hand on twice.
void with_file(const std::filesystem::path& path, const std::function<void(hid_t file)>& read);

/// A file being written, in steps between which others may use HDF5. After a failure (a full disk)
/// HDF5 must not touch the file again, not even to close it: what it still holds would be written,
/// fail again, and take its own structures along. The identifier and its descriptor are left to the
/// end of the process. Throws Error(io_error) naming the file, with a remedy by errno.
class Hdf5Output {
 public:
  /// Replaces what is at `path`.
  explicit Hdf5Output(const std::filesystem::path& path);
  ~Hdf5Output();
  Hdf5Output(const Hdf5Output&) = delete;
  Hdf5Output& operator=(const Hdf5Output&) = delete;

  void step(const std::function<void(hid_t file)>& write);
  /// Last; everything is handed to the operating system then.
  void close();

 private:
  void attempt(const std::function<void()>& work);

  std::string path_;
  std::optional<H5Handle> file_;
};

}  // namespace moesweep::store
