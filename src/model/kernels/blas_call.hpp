#pragma once
// Calling BLAS and LAPACK from many threads at once.

#include <mutex>
#include <optional>

namespace moesweep::kernels {

/// Held around every BLAS or LAPACK call. The first one tells the library to use one thread a call:
/// TBB owns the cores.
///
/// OpenBLAS built without threads and without USE_LOCKING (Debian's libopenblas0-serial) shares
/// work buffers between callers without a lock: two threads in it at once give wrong results,
/// silently (measured: 25 of 60 runs on two threads). Such a build is recognised by its
/// configuration
/// ("SINGLE_THREADED") and called by one thread at a time.
class BlasCall {
 public:
  BlasCall();

 private:
  std::optional<std::lock_guard<std::mutex>> alone_;
};

}  // namespace moesweep::kernels
