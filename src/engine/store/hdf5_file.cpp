#include "hdf5_file.hpp"

#include <cerrno>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/retried.hpp>

#include "hdf5_call.hpp"

namespace moesweep::store {
namespace {

H5Handle file_access() {
  H5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "H5Pcreate");
#if H5_VERSION_GE(1, 10, 7)
  h5_check(H5Pset_file_locking(access, /*use_file_locking=*/false, /*ignore_when_disabled=*/true),
           "H5Pset_file_locking");
#endif
  return access;
}

H5Handle create(const std::filesystem::path& path) {
  h5_prepare();
  const auto access = file_access();
  const H5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "H5Pcreate");
  h5_check(H5Pset_obj_track_times(creation, false), "H5Pset_obj_track_times");
  const auto id = retried([&] {
    const auto created = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access);
    if (created < 0) errno = h5_error_number();
    return created;
  });
  return {id, H5Fclose, "H5Fcreate " + path.string()};
}

void read_once(const std::filesystem::path& path, const std::function<void(hid_t)>& read) {
  const Hdf5Call call;
  h5_prepare();
  const auto access = file_access();
  H5Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose, "H5Fopen");
  read(file);
  file.close("H5Fclose");
}

std::optional<Hdf5Failure> failure_of(const std::function<void()>& attempt) {
  try {
    attempt();
  } catch (const Hdf5Failure& failure) {
    return failure;
  }
  return std::nullopt;
}

Error unreadable_file(const std::filesystem::path& path, const Hdf5Failure& failure,
                      bool was_opened) {
  if (failure.error_number() != 0) {
    return unreadable(path, failure.error_number(), ExitCode::bad_input);
  }
  if (!was_opened) {
    return Error(ExitCode::bad_input, path.string(), "is not a readable HDF5 file",
                 "it is truncated or of another format: copy or write it again");
  }
  return Error(ExitCode::bad_input, path.string(), failure.problem(),
               "the file is damaged: copy or write it again");
}

}  // namespace

void with_file(const std::filesystem::path& path, const std::function<void(hid_t)>& read) {
  open_for_reading(path);  // HDF5 would wait at a FIFO, and could not tell why a file is not there
  bool was_opened = false;
  std::optional<Hdf5Failure> failure;
  // From the beginning: HDF5 need not know what to do with a file that it has read a part of.
  retried([&] {
    was_opened = false;
    failure = failure_of([&] {
      read_once(path, [&](hid_t file) {
        was_opened = true;
        read(file);
      });
    });
    errno = failure ? failure->error_number() : 0;
    return failure ? -1 : 0;
  });
  if (failure) throw unreadable_file(path, *failure, was_opened);
}

Hdf5Output::Hdf5Output(const std::filesystem::path& path) : path_(path.string()) {
  attempt([&] { file_.emplace(create(path)); });
}

Hdf5Output::~Hdf5Output() {
  const Hdf5Call call;
  file_.reset();
}

void Hdf5Output::step(const std::function<void(hid_t)>& write) {
  attempt([&] { write(*file_); });
}

void Hdf5Output::close() {
  attempt([&] { file_->close("H5Fclose"); });
}

void Hdf5Output::attempt(const std::function<void()>& work) {
  const Hdf5Call call;
  try {
    work();
  } catch (const Hdf5Failure& failure) {
    if (file_) file_->abandon();
    if (failure.error_number() != 0) {
      throw io_error(path_, "cannot be written", failure.error_number());
    }
    throw Error(ExitCode::io_error, path_, failure.problem());
  } catch (...) {
    if (file_) file_->abandon();
    throw;
  }
}

}  // namespace moesweep::store
