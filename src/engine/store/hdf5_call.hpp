#pragma once
// One thread at a time inside HDF5.

#include <mutex>

namespace moesweep::store {

/// Held around every stretch of HDF5 calls. Debian's HDF5 is built without thread safety: the
/// writer of segments and threads that read caches would corrupt each other's identifiers. The
/// library is one for the process and so is its lock. Not recursive: nothing that may enter HDF5
/// again, and nothing slow that needs no HDF5, belongs inside.
class Hdf5Call {
 public:
  Hdf5Call();

 private:
  std::lock_guard<std::mutex> alone_;
};

}  // namespace moesweep::store
