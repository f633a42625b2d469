#include "hdf5_handle.hpp"

#include <cerrno>
#include <charconv>
#include <new>
#include <string_view>

#include <fmt/format.h>
#include <sys/mman.h>

#include <moesweep/core/base/failures.hpp>

namespace moesweep::store {
namespace {

struct Innermost {
  std::string reason = "unknown reason";
  int error_number = 0;
  bool no_memory = false;
  bool is_of_path = false;
};

// "file read failed: ..., filename = 'a.h5', ..., errno = 5, error message = '...'": HDF5's
// drivers, and they alone, tell errno, and as text (H5FDsec2.c; HSYS_GOTO_ERROR in H5private.h).
// The names of files, which may hold anything, come before it.
int error_number_in(const H5E_error2_t& error) {
  constexpr std::string_view drivers = "H5FD";
  constexpr std::string_view mark = ", errno = ";
  if (error.func_name == nullptr || error.desc == nullptr) return 0;
  const std::string_view text = error.desc;
  const auto at = text.rfind(mark);
  if (!std::string_view(error.func_name).starts_with(drivers) || at == text.npos) return 0;
  int number = 0;
  std::from_chars(text.data() + at + mark.size(), text.data() + text.size(), number);
  return number;
}

// It looks where a file's links lead, and says that it could not, not why (H5Fint.c).
bool is_of_path(const H5E_error2_t& error) {
  constexpr std::string_view follows_links = "build_actual_name";
  return error.func_name != nullptr && std::string_view(error.func_name).ends_with(follows_links);
}

herr_t keep_innermost(unsigned, const H5E_error2_t* error, void* kept) {
  auto& innermost = *static_cast<Innermost*>(kept);
  innermost.reason = error->desc;
  if (const int number = error_number_in(*error)) innermost.error_number = number;
  // Both are said of memory: by most of the library, and by the driver of files in memory.
  const bool is_short = error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC;
  if (error->maj_num == H5E_RESOURCE && is_short) innermost.no_memory = true;
  innermost.is_of_path = is_of_path(*error);
  return 0;
}

Innermost innermost_error() {
  const int left_by_the_call = errno;
  Innermost innermost;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_innermost, &innermost);
  if (innermost.is_of_path && innermost.error_number == 0) {
    innermost.error_number = left_by_the_call;
  }
  return innermost;
}

// HDF5 1.10.8 crashes in H5AC_create when less than 1 MiB is left, and what its filters lack is
// told as damage ("inflate() failed"). More, for what it frees and other threads take meanwhile.
// Not by operator new: malloc would keep pieces of this size from then on.
constexpr std::size_t needed_bytes = std::size_t{8} << 20;

bool has_memory() {
  void* const memory =
      ::mmap(nullptr, needed_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  ::munmap(memory, needed_bytes);
  return true;
}

}  // namespace

Hdf5Failure::Hdf5Failure(const std::string& what, const std::string& reason, int error_number)
    : Error(ExitCode::io_error, "HDF5", fmt::format("{} failed: {}", what, reason)),
      error_number_(error_number) {}

void h5_fail(const std::string& what) {
  const auto innermost = innermost_error();
  H5Eclear2(H5E_DEFAULT);
  if (innermost.error_number == 0) {
    if (innermost.no_memory) throw std::bad_alloc();
    if (!has_memory()) throw OutOfMemory(needed_bytes);
  }
  throw Hdf5Failure(what, innermost.reason, innermost.error_number);
}

int h5_error_number() {
  return innermost_error().error_number;
}

void h5_prepare() {
  if (!has_memory()) throw OutOfMemory(needed_bytes);
  // Works before the library's first call alone, hence once.
  [[maybe_unused]] static const herr_t without_exit_handler = H5dont_atexit();
  h5_check(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), "H5Eset_auto");
  h5_check(H5PLset_loading_state(0), "H5PLset_loading_state");
}

}  // namespace moesweep::store
