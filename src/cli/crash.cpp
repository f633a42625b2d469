#include "crash.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>

#include <execinfo.h>
#include <unistd.h>

#include <moesweep/base/error.hpp>
#include <moesweep/comm/session.hpp>

namespace moesweep::cli {
namespace {

constexpr int max_frames = 64;

void print_stack() {
  std::array<void*, max_frames> frames{};
  const int count = ::backtrace(frames.data(), max_frames);
  ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
}

void on_terminate() {
  if (const auto thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "moesweep: bug: %s\n", printable(error.what()).c_str());
    } catch (...) {
      std::fputs("moesweep: bug: unknown exception\n", stderr);
    }
  }
  print_stack();
  comm::abort_all(static_cast<int>(ExitCode::bug));
}

// Only async-signal-safe calls: MPI cannot be told, its launcher sees the code.
void on_fault(int) {
  constexpr char message[] = "moesweep: bug: fatal signal\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, message, sizeof message - 1);
  print_stack();
  ::_exit(static_cast<int>(ExitCode::bug));
}

}  // namespace

void install_crash_handlers() {
  std::set_terminate(on_terminate);
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);  // loads libgcc now, not inside a handler
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_fault);
}

}  // namespace moesweep::cli
