#include "hdf5_file.hpp"

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>

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
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose,
          "H5Fcreate " + path.string()};
}

}  // namespace

void with_file(const std::filesystem::path& path, const std::function<void(hid_t)>& read) {
  open_for_reading(path);  // HDF5 would wait at a FIFO, and could not tell why a file is not there
  const Hdf5Call call;
  h5_prepare();
  const auto access = file_access();
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access);
  if (id < 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ExitCode::bad_input, path.string(), "is not a readable HDF5 file",
                "it is truncated or of another format: copy or write it again");
  }
  H5Handle file(id, H5Fclose, "H5Fopen");
  try {
    read(file);
  } catch (const Error& error) {
    if (error.exit_code() != ExitCode::io_error) throw;
    throw Error(ExitCode::bad_input, path.string(), error.problem(),
                "the file is damaged: copy or write it again");
  }
  file.close("H5Fclose");
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
  } catch (const Error& error) {
    if (file_) file_->abandon();
    if (error.exit_code() != ExitCode::io_error) throw;
    throw Error(ExitCode::io_error, path_, error.problem(),
                "free some space or quota and run the same command again");
  } catch (...) {
    if (file_) file_->abandon();
    throw;
  }
}

}  // namespace moesweep::store
