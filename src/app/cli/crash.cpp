#include "crash.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

#include <execinfo.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/failures.hpp>
#include <moesweep/core/base/signal_stack.hpp>
#include <moesweep/engine/comm/session.hpp>

#include "standard_error.hpp"

namespace moesweep::cli {
namespace {

constexpr int max_frames = 64;

void print_stack() {
  std::array<void*, max_frames> frames{};
  const int count = ::backtrace(frames.data(), max_frames);
  ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
}

// What the system refused in a thread where nobody can catch it: TBB's own, which throw so when
// they cannot start another one.
[[noreturn]] void end_for(const Error& refused) {
  print_error(refused.what());
  comm::abort_all(static_cast<int>(refused.exit_code()));
}

bool is_refused_thread(const std::exception& error) {
  return std::string_view(error.what()).starts_with("pthread_create has failed");
}

// Several threads may fail of the same lack: one tells.
void wait_unless_first() {
  static std::atomic_flag is_told;
  static thread_local bool is_telling = false;
  if (!is_told.test_and_set()) {
    is_telling = true;
    return;
  }
  // Telling it failed as well.
  if (is_telling) ::_exit(static_cast<int>(ExitCode::bug));
  for (;;) ::pause();
}

void on_terminate() {
  wait_unless_first();
  if (const auto thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::bad_alloc& refused) {
      end_for(memory_error(refused));
    } catch (const std::exception& error) {
      if (is_refused_thread(error)) {
        end_for(Error(ExitCode::io_error, "threads", error.what(), remedy_for_threads()));
      }
      std::fprintf(stderr, "moesweep: bug: %s\n", printable(error.what()).c_str());
    } catch (...) {
      std::fputs("moesweep: bug: unknown exception\n", stderr);
    }
  }
  print_stack();
  comm::abort_all(static_cast<int>(ExitCode::bug));
}

void write_to_stderr(std::string_view message) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message.data(), message.size());
}

// Only async-signal-safe calls: MPI cannot be told, its launcher sees the code.
void on_fault(int, siginfo_t* fault, void*) {
  const bool overflow = fault->si_signo == SIGSEGV && is_below_this_stack(fault->si_addr);
  write_to_stderr(overflow ? "moesweep: bug: stack overflow\n" : "moesweep: bug: fatal signal\n");
  print_stack();
  ::_exit(static_cast<int>(ExitCode::bug));
}

void handle_fault(int signal) {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void install_crash_handlers() {
  std::set_terminate(on_terminate);
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);  // loads libgcc now, not inside a handler
  use_signal_stack();
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) handle_fault(signal);
  // A limit on file sizes (ulimit -f) is then an error of write(2), as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace moesweep::cli
