#pragma once
// A stack of its own for signal handlers: the handler of a stack overflow has no other.

#include <utility>

namespace moesweep {

/// Gives the calling thread an alternate signal stack, for handlers that were installed with
/// SA_ONSTACK; once for each thread, later calls do nothing. The stack ends with the thread.
void use_signal_stack();

/// `work` for a thread that is started with it (std::thread, std::async): use_signal_stack() comes
/// first. Every thread of ours starts so, but those of TBB (parallel/task_pool.cpp) and those that
/// only wait.
template <typename Work>
auto on_own_signal_stack(Work work) {
  return [work = std::move(work)]() mutable {
    use_signal_stack();
    return work();
  };
}

/// Whether `address` lies where the calling thread's stack would have grown to. Async-signal-safe;
/// false in a thread that never called use_signal_stack().
bool is_below_this_stack(const void* address);

}  // namespace moesweep
