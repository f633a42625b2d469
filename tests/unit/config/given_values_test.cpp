// Settings from the values that a program has, on a table of its own.

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/complaint.hpp>

#include <moesweep/core/config/settings.hpp>

namespace moesweep::config {
namespace {

using ::testing::StartsWith;

std::vector<Option> table() {
  return {{.key = "kind", .help = "What is done.", .choices = {"copy"}},
          {.key = "copy.from", .type = ValueType::path, .help = "What is copied."},
          {.key = "copy.bytes",
           .type = ValueType::size,
           .default_value = std::int64_t{4096},
           .minimum = 1},
          {.key = "copy.names",
           .type = ValueType::text_list,
           .default_value = TextList{},
           .may_repeat = false},
          {.key = "copy.parts",
           .type = ValueType::integer_list,
           .default_value = IntegerList{},
           .maximum = 8},
          {.key = "copy.shares", .type = ValueType::number_list, .default_value = NumberList{}},
          {.key = "copy.rate", .type = ValueType::number, .default_value = 1.0},
          {.key = "copy.deep", .type = ValueType::boolean, .default_value = false}};
}

/// `more` after what the table asks for.
Settings settled(const std::vector<GivenValue>& more) {
  const auto options = table();
  std::vector<GivenValue> given = {{"kind", std::string("copy"), "a program"},
                                   {"copy.from", std::string("/a \"b\""), "FROM"}};
  given.insert(given.end(), more.begin(), more.end());
  return settings_of(options, given, "a program");
}

std::string complaint_about(const GivenValue& value) {
  return test::complaint([&] { settled({value}); });
}

TEST(GivenValues, GiveWhatAFileThatSaysThemGives) {
  const auto options = table();
  const auto settings = settled({{"copy.bytes", std::string("4KiB"), "--bytes"},
                                 {"copy.names", TextList{"x", "y.z"}, "--name"},
                                 {"copy.parts", IntegerList{8, 1}, "--part"},
                                 {"copy.shares", NumberList{0.1, 2.0}, "--share"},
                                 {"copy.rate", 0.25, "--rate"},
                                 {"copy.deep", true, "--deep"}});
  const auto file = parse_settings(options,
                                   "kind = \"copy\"\n[copy]\nfrom = \"/a \\\"b\\\"\"\nbytes = "
                                   "\"4KiB\"\nnames = [\"x\", \"y.z\"]\nparts = [8, 1]\nshares = "
                                   "[0.1, 2]\nrate = 0.25\ndeep = true\n",
                                   "job.toml");
  EXPECT_EQ(settings.values(), file.values());
}

TEST(GivenValues, RememberWhoGaveThem) {
  const auto settings = settled({{"copy.bytes", std::int64_t{7}, "--bytes"}});
  EXPECT_EQ(settings.integer("copy.bytes"), 7);
  EXPECT_EQ(settings.place_of("copy.bytes"), "--bytes");
  EXPECT_EQ(settings.place_of("copy.from"), "FROM");
  EXPECT_EQ(settings.place_of("copy.rate"), "default");
}

TEST(GivenValues, RelativePathsAreOfTheWorkingDirectory) {
  const auto options = table();
  const std::vector<GivenValue> given = {{"kind", std::string("copy"), "a program"},
                                         {"copy.from", std::string("x"), "FROM"}};
  EXPECT_EQ(settings_of(options, given, "a program").path("copy.from"),
            std::filesystem::current_path() / "x");
}

TEST(GivenValues, MistakesAreThoseOfAFileAtTheirPlace) {
  EXPECT_THAT(complaint_about({"copy.bytes", std::string("lots"), "--bytes"}),
              StartsWith("78 --bytes: copy.bytes is not a size: \"lots\"; write bytes or "));
  EXPECT_EQ(complaint_about({"copy.bytes", std::int64_t{0}, "--bytes"}),
            "78 --bytes: copy.bytes must be at least 1, not 0");
  EXPECT_EQ(complaint_about({"copy.names", TextList{"a", "a"}, "--name"}),
            "78 --name: copy.names holds a twice");
  EXPECT_EQ(complaint_about({"copy.parts", IntegerList{1, 9}, "--part"}),
            "78 --part: copy.parts[1] must be at most 8, not 9");
  EXPECT_THAT(complaint_about({"copy.rate", std::string("fast"), "--rate"}),
              StartsWith("78 --rate: copy.rate must be a number, not the text \"fast\""));
  EXPECT_EQ(complaint_about({"copy.rates", 1.0, "--rates"}),
            "78 --rates: unknown key \"copy.rates\"; did you mean \"copy.rate\"?");
  EXPECT_EQ(complaint_about({"copy.names", std::string("\xff"), "--name"}),
            "78 --name: the value of copy.names is not UTF-8");
}

TEST(GivenValues, WhatIsMissingIsNamed) {
  const auto options = table();
  const std::vector<GivenValue> given = {{"kind", std::string("copy"), "a program"}};
  EXPECT_EQ(test::complaint([&] { settings_of(options, given, "a program"); }),
            "78 a program: copy.from is missing; What is copied.");
}

}  // namespace
}  // namespace moesweep::config
