#pragma once
// What the operating system refuses: a thread, a file. Neither a bug nor a mistake of the user.

#include <functional>

namespace moesweep {

/// Calls `step` and throws what std::filesystem and std::thread throw as Error(io_error).
void as_errors(const std::function<void()>& step);

}  // namespace moesweep
