#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <pthread.h>
#include <sys/mman.h>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/resource_limit.hpp>

namespace moesweep {
namespace {

constexpr auto memory_remedy =
    "give the program more memory, or the job fewer threads (resources.threads)";

struct Scaled {
  double count;
  const char* unit;
};

// Not format_size: there is no memory for it.
Scaled scaled(std::size_t bytes) {
  constexpr double kibi = 1024.0;
  const auto count = static_cast<double>(bytes);
  if (count >= kibi * kibi * kibi) return {count / (kibi * kibi * kibi), "GiB"};
  if (count >= kibi * kibi) return {count / (kibi * kibi), "MiB"};
  return {count / kibi, "KiB"};
}

std::size_t stack_bytes() {
  constexpr std::size_t usual = std::size_t{8} << 20;
  pthread_attr_t attributes;
  if (::pthread_getattr_default_np(&attributes) != 0) return usual;
  std::size_t bytes = usual;
  ::pthread_attr_getstacksize(&attributes, &bytes);
  ::pthread_attr_destroy(&attributes);
  return bytes;
}

bool has_room_for_a_stack() {
  const auto bytes = stack_bytes();
  void* const stack = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return false;
  ::munmap(stack, bytes);
  return true;
}

}  // namespace

// Both have one errno, EAGAIN. A stack's worth of memory tells them apart, but for memory that was
// given back since.
std::string remedy_for_threads() {
  if (!has_room_for_a_stack()) {
    return "there is no memory for its stack: raise the limit of memory (ulimit -v) or use fewer "
           "threads";
  }
  return is_limited(RLIMIT_AS)
             ? "raise the limit of processes (ulimit -u) or of memory (ulimit -v), or use fewer "
               "threads"
             : "raise the limit of processes (ulimit -u) or use fewer threads";
}

Error system_error_of(const std::system_error& refused) {
  if (refused.code() != std::errc::resource_unavailable_try_again) {
    return Error(ExitCode::io_error, "operating system", refused.what());
  }
  return Error(ExitCode::io_error, "operating system",
               "cannot start a thread: " + refused.code().message(), remedy_for_threads());
}

OutOfMemory::OutOfMemory(std::size_t bytes) noexcept {
  const auto [count, unit] = scaled(bytes);
  std::snprintf(text_, sizeof text_, "out of memory: %.2f %s were asked for", count, unit);
}

Error memory_error(const std::bad_alloc& refused) {
  const bool told = dynamic_cast<const OutOfMemory*>(&refused) != nullptr;
  return Error(ExitCode::io_error, "", told ? refused.what() : "out of memory", memory_remedy);
}

Error memory_error(const std::length_error& refused) {
  return Error(ExitCode::io_error, "",
               std::string("out of memory: more than any memory was asked for, ") + refused.what(),
               memory_remedy);
}

void catch_failures(const std::function<void()>& step,
                    const std::function<void(const Error&)>& failed) {
  try {
    step();
  } catch (const Error& error) {
    failed(error);
  } catch (const std::bad_alloc& refused) {
    failed(memory_error(refused));
  } catch (const std::length_error& refused) {
    failed(memory_error(refused));
  } catch (const std::filesystem::filesystem_error& refused) {
    failed(io_error_of(refused));
  } catch (const std::system_error& refused) {
    failed(system_error_of(refused));
  }
}

}  // namespace moesweep
