#include "signals.hpp"

#include <csignal>

#include <sys/prctl.h>

#include <moesweep/app/run/run.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::run {
namespace {

// A signal handler can reach nothing else.
volatile std::sig_atomic_t leave_requested = 0;
volatile std::sig_atomic_t drain_requested = 0;

void on_signal(int signal) {
  if (signal == SIGUSR2)
    drain_requested = 1;
  else
    leave_requested = 1;
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) {
    expect(::sigaction(signal, &action, nullptr) == 0, "sigaction");
  }
}

sweep::Stop requested_stop() {
  if (leave_requested != 0) return sweep::Stop::leave;
  return drain_requested != 0 ? sweep::Stop::drain : sweep::Stop::none;
}

void die_with_parent() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace moesweep::run
