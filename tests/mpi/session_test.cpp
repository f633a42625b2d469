#include <cstdlib>
#include <cstring>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpi/ranks.hpp"

namespace moesweep::comm {
namespace {

using test::barrier;
using test::next_message;
using test::rank;
using test::ranks;
using test::session;

Bytes bytes_of(std::uint32_t value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::uint32_t value_of(const Bytes& bytes) {
  std::uint32_t value = 0;
  EXPECT_EQ(bytes.size(), sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

TEST(MpiSession, HasTheRanksOfTheLauncher) {
  ASSERT_TRUE(launched_by_mpi());
  const char* expected = std::getenv("MOESWEEP_TEST_RANKS");
  ASSERT_NE(expected, nullptr);
  EXPECT_EQ(std::to_string(ranks()), expected) << "the launcher belongs to another MPI";
  EXPECT_LT(rank(), ranks());
  EXPECT_FALSE(mpi_version().empty());
}

TEST(MpiSession, NothingArrivesThatWasNotSent) {
  barrier();
  EXPECT_FALSE(session().comm().receive());
  barrier();
}

TEST(MpiSession, AThousandMessagesFromEveryRankToEveryRankKeepTheirOrder) {
  constexpr std::uint32_t messages = 1000;
  auto& comm = session().comm();
  for (std::uint32_t i = 0; i < messages; ++i) {
    for (int to = 0; to < ranks(); ++to) comm.send(Rank{to}, bytes_of(i));
  }
  std::map<Rank, std::uint32_t> received;
  for (std::uint32_t i = 0; i < messages * static_cast<std::uint32_t>(ranks()); ++i) {
    const auto envelope = next_message();
    ASSERT_EQ(value_of(envelope.message), received[envelope.from]++)
        << "from " << envelope.from.value;
  }
  for (int from = 0; from < ranks(); ++from) EXPECT_EQ(received[Rank{from}], messages);
  barrier();
  EXPECT_FALSE(comm.receive());
  barrier();
}

TEST(MpiSession, ConversationsOfTheCoordinatorReachEveryRankInTurn) {
  constexpr std::uint32_t rounds = 200;
  auto& comm = session().comm();
  if (comm.rank() != coordinator_rank) {
    for (std::uint32_t i = 0; i < rounds; ++i) {
      const auto question = next_message();
      ASSERT_EQ(question.from, coordinator_rank);
      comm.send(coordinator_rank, bytes_of(value_of(question.message) + 1));
    }
  } else {
    for (std::uint32_t i = 0; i < rounds; ++i) {
      for (int to = 1; to < ranks(); ++to) comm.send(Rank{to}, bytes_of(i));
      for (int to = 1; to < ranks(); ++to) ASSERT_EQ(value_of(next_message().message), i + 1);
    }
  }
  barrier();
}

TEST(MpiSession, ABroadcastReachesEveryRankTheSenderIncludedAndKeepsItsPlaceInTheOrder) {
  auto& comm = session().comm();
  if (comm.rank() == coordinator_rank) {
    for (int to = 0; to < ranks(); ++to) comm.send(Rank{to}, bytes_of(1));
    comm.broadcast(bytes_of(2));
    for (int to = 0; to < ranks(); ++to) comm.send(Rank{to}, bytes_of(3));
  }
  for (std::uint32_t expected = 1; expected <= 3; ++expected) {
    const auto envelope = next_message();
    EXPECT_EQ(envelope.from, coordinator_rank);
    EXPECT_EQ(value_of(envelope.message), expected);
  }
  barrier();
}

TEST(MpiSession, ARankMaySendToItself) {
  auto& comm = session().comm();
  for (std::uint32_t i = 0; i < 100; ++i) comm.send(comm.rank(), bytes_of(i));
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto envelope = next_message();
    EXPECT_EQ(envelope.from, comm.rank());
    EXPECT_EQ(value_of(envelope.message), i);
  }
  barrier();
}

TEST(MpiSession, LargeMessagesArriveWholeAndTheSenderDoesNotWaitForThem) {
  auto& comm = session().comm();
  const Bytes large(std::size_t{3} << 20, std::byte{0x5a});
  const int to = (rank() + 1) % ranks();
  comm.send(Rank{to}, large);  // all ranks send first: a send that waited would never return
  comm.send(Rank{to}, Bytes{});
  EXPECT_EQ(next_message().message, large);
  EXPECT_TRUE(next_message().message.empty());
  barrier();
}

TEST(MpiSession, GatherGivesRankZeroTheTextsInRankOrderAndTheOthersNothing) {
  const auto mine = std::string(static_cast<std::size_t>(rank()), 'x') + std::to_string(rank());
  const auto all = session().gather(mine);
  if (rank() != 0) {
    EXPECT_TRUE(all.empty());
    return;
  }
  ASSERT_EQ(all.size(), static_cast<std::size_t>(ranks()));
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i], std::string(i, 'x') + std::to_string(i));
}

TEST(MpiSession, ShareGivesEveryRankTheTextOfRankZero) {
  EXPECT_EQ(session().share("from " + std::to_string(rank())), "from 0");
  EXPECT_EQ(session().share(rank() == 0 ? "" : "something"), "");
  const std::string large(std::size_t{1} << 20, 'y');
  EXPECT_EQ(session().share(rank() == 0 ? large : ""), large);
}

TEST(MpiSession, TheClockNeverGoesBack) {
  double last = session().comm().now();
  for (int i = 0; i < 1000; ++i) {
    const double now = session().comm().now();
    EXPECT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace moesweep::comm
