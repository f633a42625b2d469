#include "events.hpp"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include <moesweep/core/base/file.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::run {
namespace {

TEST(Events, AreReadBackInOrder) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "events.jsonl";
  EXPECT_TRUE(read_events(file).whole.empty());
  append_event(file, "started", {{"epoch", 1}});
  append_event(file, "ended", {{"epoch", 1}});
  const auto events = read_events(file);
  ASSERT_EQ(events.whole.size(), 2U);
  EXPECT_EQ(events.whole[1]["event"], "ended");
  EXPECT_EQ(events.torn, 0);
  EXPECT_EQ(std::ranges::count(read_text_file(file), '\n'), 2);
}

TEST(Events, ATornLineIsSkippedAndTheNextIsWhole) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "events.jsonl";
  append_event(file, "started", {{"epoch", 1}});
  const auto whole = read_text_file(file);
  for (std::size_t bytes = 1; bytes < whole.size(); bytes += 7) {
    std::ofstream(file) << whole << whole.substr(0, bytes);
    append_event(file, "started", {{"epoch", 2}});
    const auto events = read_events(file);
    const bool only_the_newline_was_torn = bytes + 1 == whole.size();
    ASSERT_EQ(events.whole.size(), only_the_newline_was_torn ? 3U : 2U) << bytes;
    EXPECT_EQ(events.whole.back()["epoch"], 2);
    EXPECT_EQ(events.torn, only_the_newline_was_torn ? 0 : 1);
  }
}

TEST(Events, LinesThatAreNoEventsAreCounted) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "events.jsonl";
  std::ofstream(file) << "\n[]\n{\"event\":\"x\"}\nnull\n{\"time\":1}\n";
  EXPECT_EQ(read_events(file).whole.size(), 1U);
  EXPECT_EQ(read_events(file).torn, 4);
}

TEST(Events, ALineThatIsNestedTooDeepIsTorn) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "events.jsonl";
  const std::string deep(200'000, '[');
  std::ofstream(file) << R"({"event":"started","epoch":1,"record":)" << deep
                      << std::string(deep.size(), ']') << "}\n";
  EXPECT_TRUE(read_events(file).whole.empty());
  EXPECT_EQ(read_events(file).torn, 1);
}

}  // namespace
}  // namespace moesweep::run
