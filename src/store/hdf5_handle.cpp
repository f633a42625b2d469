#include "hdf5_handle.hpp"

#include <new>

#include <fmt/format.h>

#include <moesweep/base/error.hpp>

namespace moesweep::store {
namespace {

struct Innermost {
  std::string reason = "unknown reason";
  bool no_memory = false;
};

herr_t keep_innermost(unsigned, const H5E_error2_t* error, void* kept) {
  auto& innermost = *static_cast<Innermost*>(kept);
  innermost.reason = error->desc;
  if (error->maj_num == H5E_RESOURCE && error->min_num == H5E_NOSPACE) innermost.no_memory = true;
  return 0;
}

}  // namespace

void h5_fail(const std::string& what) {
  Innermost innermost;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_innermost, &innermost);
  H5Eclear2(H5E_DEFAULT);
  if (innermost.no_memory) throw std::bad_alloc();
  throw Error(ExitCode::io_error, "HDF5", fmt::format("{} failed: {}", what, innermost.reason));
}

void h5_prepare() {
  // Works before the library's first call alone, hence once.
  [[maybe_unused]] static const herr_t without_exit_handler = H5dont_atexit();
  h5_check(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), "H5Eset_auto");
  h5_check(H5PLset_loading_state(0), "H5PLset_loading_state");
}

}  // namespace moesweep::store
