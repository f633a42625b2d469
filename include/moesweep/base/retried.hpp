#pragma once
// Calls that the system interrupts or asks to make again.

#include <cerrno>
#include <chrono>
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

}  // namespace moesweep
