#pragma once
// HDF5 identifiers that close themselves, and calls whose every result is checked.

#include <string>
#include <utility>

#include <hdf5.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::store {

/// What HDF5 could not do, as Error(io_error): whose fault it is, is known to those who know where
/// the bytes come from.
class Hdf5Failure final : public Error {
 public:
  Hdf5Failure(const std::string& what, const std::string& reason, int error_number);

  /// errno of the file call below HDF5 that failed; 0 where none did, and it is the content of the
  /// file or what we asked for.
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

/// Throws Hdf5Failure with HDF5's own innermost message when `result` is negative, and
/// std::bad_alloc when there is no memory, or too little to believe another reason.
template <typename Result>
Result h5_check(Result result, const std::string& what);

[[noreturn]] void h5_fail(const std::string& what);

template <typename Result>
Result h5_check(Result result, const std::string& what) {
  if (result < 0) h5_fail(what);
  return result;
}

/// errno of the file call that made the last HDF5 call fail; 0 where none did.
int h5_error_number();

/// Silences HDF5's printing, forbids it to load plugins named by a file, and to clean up when the
/// program ends: its exit handler writes to files that it could not write to before, and crashes.
/// Call before other HDF5 work. Throws OutOfMemory where memory is short: HDF5 1.10 crashes when
/// there is none for the caches of a file that it opens.
void h5_prepare();

/// Owns an identifier. close() reports failures, the destructor cannot: H5Dclose may be the only
/// call that tells of a failed write.
class H5Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  H5Handle(hid_t id, Closer closer, const std::string& what)
      : id_(h5_check(id, what)), closer_(closer) {}
  H5Handle(H5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  H5Handle& operator=(H5Handle&&) = delete;
  ~H5Handle() {
    if (id_ >= 0) closer_(id_);
  }
  operator hid_t() const { return id_; }
  void close(const std::string& what) { h5_check(closer_(std::exchange(id_, -1)), what); }
  /// Leaves it to the end of the process.
  void abandon() { id_ = -1; }

 private:
  hid_t id_;
  Closer closer_;
};

}  // namespace moesweep::store
