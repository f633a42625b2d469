#include <gtest/gtest.h>

#include <moesweep/engine/comm/comm.hpp>

namespace moesweep::comm {
namespace {

Bytes one_byte(int value) {
  return {static_cast<std::byte>(value)};
}

TEST(LocalComm, IsOneRankThatCoordinates) {
  const auto comm = make_local_comm();
  EXPECT_EQ(comm->size(), 1);
  EXPECT_EQ(comm->rank(), coordinator_rank);
}

TEST(LocalComm, DeliversInTheOrderSentWhateverTheVerb) {
  const auto comm = make_local_comm();
  comm->send(coordinator_rank, one_byte(1));
  comm->broadcast(one_byte(2));
  comm->send(coordinator_rank, one_byte(3));
  for (int expected = 1; expected <= 3; ++expected) {
    const auto envelope = comm->receive();
    ASSERT_TRUE(envelope);
    EXPECT_EQ(envelope->from, coordinator_rank);
    EXPECT_EQ(envelope->message, one_byte(expected));
  }
  EXPECT_FALSE(comm->receive());
}

TEST(LocalComm, ReceivesNothingBeforeSomethingWasSent) {
  EXPECT_FALSE(make_local_comm()->receive());
}

TEST(LocalComm, ClockNeverGoesBack) {
  const auto comm = make_local_comm();
  double last = comm->now();
  for (int i = 0; i < 1000; ++i) {
    const double now = comm->now();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(LocalCommDeathTest, SendingToAnotherRankIsABug) {
  const auto comm = make_local_comm();
  EXPECT_DEATH(comm->send(Rank{1}, one_byte(1)), "one rank");
}

}  // namespace
}  // namespace moesweep::comm
