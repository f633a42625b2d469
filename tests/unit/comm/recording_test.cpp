#include <gtest/gtest.h>

#include <moesweep/engine/comm/recording.hpp>

namespace moesweep::comm {
namespace {

Bytes one_byte(int value) {
  return {static_cast<std::byte>(value)};
}

TEST(RecordingComm, KeepsWhatWasSentOnceAndInOrder) {
  RecordingComm comm(Rank{1}, 3);
  comm.send(Rank{2}, one_byte(7));
  comm.broadcast(one_byte(8));
  const auto sent = comm.take_sent();
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[0].to, Rank{2});
  EXPECT_EQ(sent[0].message, one_byte(7));
  for (int to = 0; to < 3; ++to) {
    EXPECT_EQ(sent[static_cast<std::size_t>(to) + 1].to, Rank{to});
    EXPECT_EQ(sent[static_cast<std::size_t>(to) + 1].message, one_byte(8));
  }
  EXPECT_TRUE(comm.take_sent().empty());
}

TEST(RecordingComm, SendsReachNoInbox) {
  RecordingComm comm(Rank{0}, 1);
  comm.send(Rank{0}, one_byte(1));
  EXPECT_FALSE(comm.receive());
}

TEST(RecordingComm, DeliversInTheOrderTold) {
  RecordingComm comm(Rank{0}, 2);
  comm.deliver(Rank{1}, one_byte(1));
  comm.deliver(Rank{0}, one_byte(2));
  const auto first = comm.receive();
  const auto second = comm.receive();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->from, Rank{1});
  EXPECT_EQ(second->from, Rank{0});
  EXPECT_EQ(second->message, one_byte(2));
}

TEST(RecordingComm, TimeIsWhatItWasTold) {
  RecordingComm comm(Rank{0}, 1);
  EXPECT_EQ(comm.now(), 0.0);
  comm.set_now(12.5);
  EXPECT_EQ(comm.now(), 12.5);
}

}  // namespace
}  // namespace moesweep::comm
