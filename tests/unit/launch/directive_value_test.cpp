#include <gtest/gtest.h>

#include <moesweep/engine/launch/directive_value.hpp>

namespace moesweep::launch {
namespace {

TEST(DirectiveValue, EscapesWhatSbatchWouldRead) {
  EXPECT_EQ(directive_value("--output=/a b/it's \"x\" #1\\%j"),
            R"("--output=/a b/it's \"x\" #1\\%j")");
  EXPECT_EQ(directive_value("\xc3\xbc"), "\xc3\xbc");
}

TEST(DirectiveValueDeathTest, ALineBreakIsABug) {
  EXPECT_DEATH(static_cast<void>(directive_value("a\nb")), "line break");
}

}  // namespace
}  // namespace moesweep::launch
