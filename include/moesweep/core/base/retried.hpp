#pragma once
// The one place that decides how long a system call is made again.

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace moesweep {

/// The result of a system call (negative: failed, errno says why), made again while it is
/// interrupted, and for a second while the system says "try again" (EAGAIN), as servers of network
/// file systems do.
template <typename Call>
auto retried(Call call) {
  constexpr int most_tries = 100;
  constexpr auto pause = std::chrono::milliseconds(10);
  for (int tries = 1;; ++tries) {
    const auto result = call();
    if (result >= 0) return result;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || tries >= most_tries) return result;
    std::this_thread::sleep_for(pause);
  }
}

/// The same of a call that takes a std::error_code, such as those of std::filesystem: its last
/// error, which is none where it succeeded.
template <typename Call>
std::error_code retried_with_code(Call call) {
  std::error_code error;
  retried([&] {
    error.clear();
    call(error);
    errno = error.value();
    return error ? -1 : 0;
  });
  return error;
}

}  // namespace moesweep
