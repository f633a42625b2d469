#pragma once
// Files of strangers are parsed by HDF5 in a process of its own. The library is not made for them:
// a hash in front of results.h5 stops accidents, but who makes a file computes the hash, and
// checking the structure first would mean to write HDF5's parser again (object headers, B-trees,
// heaps, two generations of each) and to be exactly as lenient as the one that comes after.

#include <cstdint>
#include <functional>
#include <string>

#include "frames.hpp"

namespace moesweep::store {

struct ReaderLimits {
  /// Beyond what this process has when the reader starts. Not kept under sanitizers.
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  std::int64_t cpu_seconds = 60;  ///< of processor time: HDF5 may be led in circles
};

/// CPU time for `bytes` beyond what any file may take: far slower than inflating is.
std::int64_t cpu_seconds_for(std::uint64_t bytes);

/// Forks; `read` runs in the child, `take` here, at the same time. An Error thrown in `read` comes
/// out of this call. A crash, going beyond a limit and frames that make no sense are
/// Error(bad_input) naming `file_name`; a child that the system kills, or whose pipe or memory it
/// refuses, is Error(io_error).
///
/// Safe in a process of many threads, MPI among them: no thread is inside HDF5 at the fork, and the
/// child, which has one thread, uses nothing but HDF5, the heap and its pipe. It cannot write
/// files, and leaves without running destructors or exit handlers. `read` must not meet
/// function-local statics for the first time: another thread may be making them at the fork, for
/// ever.
void read_isolated(const std::string& file_name, const ReaderLimits& limits,
                   const std::function<void(FrameWriter& out)>& read,
                   const std::function<void(FrameReader& in)>& take);

}  // namespace moesweep::store
