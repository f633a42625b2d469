#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include <moesweep/core/base/signal_stack.hpp>

namespace moesweep {
namespace {

constexpr int overflow_code = 3;
constexpr int other_code = 4;

void on_fault(int, siginfo_t* fault, void*) {
  ::_exit(is_below_this_stack(fault->si_addr) ? overflow_code : other_code);
}

void handle_faults() {
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSEGV, &action, nullptr);
  use_signal_stack();
}

/// Needs its array after the next call has returned, so that no frame can be reused.
int overflow(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  if (depth < 0) return 0;  // never, but the compiler must not know
  return overflow((depth + 1) % 1000) + frame[0];
}

class SignalStack : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};
using SignalStackDeathTest = SignalStack;

TEST_F(SignalStackDeathTest, HandlerOfAnOverflowRunsAndKnowsIt) {
  EXPECT_EXIT(
      {
        handle_faults();
        overflow(0);
      },
      testing::ExitedWithCode(overflow_code), "");
}

TEST_F(SignalStackDeathTest, InAnotherThreadToo) {
  EXPECT_EXIT(
      {
        handle_faults();
        std::thread(on_own_signal_stack([] { overflow(0); })).join();
      },
      testing::ExitedWithCode(overflow_code), "");
}

TEST_F(SignalStackDeathTest, AnotherFaultIsNone) {
  EXPECT_EXIT(
      {
        handle_faults();
        std::raise(SIGSEGV);
      },
      testing::ExitedWithCode(other_code), "");
}

}  // namespace
}  // namespace moesweep
