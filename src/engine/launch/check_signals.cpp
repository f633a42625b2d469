#include <array>
#include <csignal>
#include <string>

#include <moesweep/engine/launch/check.hpp>

namespace moesweep::launch {
namespace {

struct Watched {
  int number;
  const char* name;
};
constexpr std::array watched = {Watched{SIGUSR2, "USR2"}, Watched{SIGTERM, "TERM"},
                                Watched{SIGINT, "INT"}};

// A signal handler can reach nothing else.
volatile std::sig_atomic_t arrived = 0;

bool is_blocked(int number) {
  sigset_t mask;
  sigemptyset(&mask);
  return ::sigprocmask(SIG_BLOCK, nullptr, &mask) == 0 && sigismember(&mask, number) == 1;
}

bool makes_round_trip(int number) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int signal) { arrived = signal; };
  arrived = 0;
  if (::sigaction(number, &action, &before) != 0) return false;
  std::raise(number);
  ::sigaction(number, &before, nullptr);
  return arrived == number;
}

}  // namespace

Check check_signals() {
  Check check;
  check.name = "signals";
  std::string reached, lost;
  for (const auto& [number, name] : watched) {
    auto& list = !is_blocked(number) && makes_round_trip(number) ? reached : lost;
    list += (list.empty() ? "" : " ") + std::string(name);
  }
  check.found = reached.empty() ? "none arrives" : reached + " arrive";
  if (lost.empty()) return check;
  check.verdict = Verdict::fail;
  check.found += ", blocked: " + lost;
  check.remedy = "what starts moesweep blocks them: without USR2 it cannot stop before the limit";
  return check;
}

}  // namespace moesweep::launch
