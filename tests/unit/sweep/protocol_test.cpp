#include <gtest/gtest.h>

#include <moesweep/engine/sweep/protocol.hpp>

namespace moesweep::sweep {
namespace {

template <typename Kind>
Kind round_trip(const Kind& message) {
  const auto decoded = decode(encode(message));
  EXPECT_TRUE(std::holds_alternative<Kind>(decoded));
  return std::get<Kind>(decoded);
}

const std::vector<UnitIndex> some_units = {0, 7, 4'294'967'295U};

TEST(Protocol, FieldsSurviveTheTrip) {
  EXPECT_EQ(round_trip(Work{some_units}).units, some_units);
  EXPECT_EQ(round_trip(Finish{ExitCode::some_failed}).exit_code, ExitCode::some_failed);
  const auto hello = round_trip(Hello{128, std::string("node\0017", 6)});
  EXPECT_EQ(hello.threads, 128);
  EXPECT_EQ(hello.host, std::string("node\0017", 6));
  const auto computed = round_trip(Computed{9, true, 0.125, std::int64_t{1} << 40});
  EXPECT_EQ(computed.unit, 9U);
  EXPECT_TRUE(computed.failed);
  EXPECT_EQ(computed.seconds, 0.125);
  EXPECT_EQ(computed.bytes_read, std::int64_t{1} << 40);
  const auto durable = round_trip(Durable{"e0001-r0000-s000001-0.h5", some_units});
  EXPECT_EQ(durable.segment, "e0001-r0000-s000001-0.h5");
  EXPECT_EQ(durable.units, some_units);
  EXPECT_EQ(round_trip(HandedBack{some_units}).units, some_units);
  EXPECT_TRUE(round_trip(StopRequested{true}).leave_now);
  EXPECT_FALSE(round_trip(StopRequested{false}).leave_now);
  const auto broken = round_trip(Broken{ExitCode::io_error, "disk full"});
  EXPECT_EQ(broken.exit_code, ExitCode::io_error);
  EXPECT_EQ(broken.error, "disk full");
}

TEST(Protocol, MessagesWithoutFieldsKeepTheirKind) {
  round_trip(QueueEmpty{});
  round_trip(Drain{});
  round_trip(Leave{});
  round_trip(Drained{});
  round_trip(Goodbye{});
}

TEST(Protocol, EmptyListsAndTextsSurvive) {
  EXPECT_TRUE(round_trip(Work{}).units.empty());
  EXPECT_TRUE(round_trip(Durable{}).segment.empty());
}

TEST(ProtocolDeathTest, EveryTruncationIsABug) {
  const auto whole = encode(Durable{"segment", {1, 2, 3}});
  for (std::size_t size : {std::size_t{0}, std::size_t{3}, whole.size() / 2, whole.size() - 1}) {
    const comm::Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_DEATH(decode(part), "bug: message");
  }
}

TEST(ProtocolDeathTest, TrailingBytesAndUnknownKindsAreBugs) {
  auto longer = encode(Drained{});
  longer.push_back(std::byte{0});
  EXPECT_DEATH(decode(longer), "longer than its fields");
  EXPECT_DEATH(decode({std::byte{200}}), "unknown type");
}

}  // namespace
}  // namespace moesweep::sweep
