#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moesweep/engine/store/lock.hpp>

namespace moesweep::store {
namespace {

TEST(Owner, ThisProcessLives) {
  const auto self = this_process();
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_GT(self.start_ticks, 0);
  EXPECT_FALSE(self.host.empty());
  EXPECT_FALSE(self.boot_id.empty());
  EXPECT_EQ(liveness_of(self), Liveness::alive);
}

TEST(Owner, AReusedPidIsNotTheOldProcess) {
  auto owner = this_process();
  --owner.start_ticks;
  EXPECT_EQ(liveness_of(owner), Liveness::dead);
}

TEST(Owner, AnotherBootOrPidNamespaceCannotBeSeen) {
  auto elsewhere = this_process();
  elsewhere.boot_id = "another";
  EXPECT_EQ(liveness_of(elsewhere), Liveness::unknown);
  auto contained = this_process();
  contained.pid_namespace = "pid:[1]";
  EXPECT_EQ(liveness_of(contained), Liveness::unknown);
  auto nowhere = this_process();
  nowhere.boot_id = "";
  EXPECT_EQ(liveness_of(nowhere), Liveness::unknown);
}

TEST(Owner, AZombieIsDead) {
  int tell[2];
  ASSERT_EQ(::pipe(tell), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto self = this_process();
    const auto written = ::write(tell[1], &self.start_ticks, sizeof self.start_ticks);
    ::_exit(written == sizeof self.start_ticks ? 0 : 1);
  }
  auto owner = this_process();
  owner.pid = child;
  ASSERT_EQ(::read(tell[0], &owner.start_ticks, sizeof owner.start_ticks),
            static_cast<ssize_t>(sizeof owner.start_ticks));
  siginfo_t ended;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(liveness_of(owner), Liveness::dead) << "still in the process table, but ended";
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(liveness_of(owner), Liveness::dead);
  ::close(tell[0]);
  ::close(tell[1]);
}

}  // namespace
}  // namespace moesweep::store
