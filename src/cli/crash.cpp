#include "crash.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include <execinfo.h>
#include <unistd.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/signal_stack.hpp>
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
