// Keys that only some job kinds know, on a table of its own.

#include <vector>

#include <gtest/gtest.h>
#include <support/complaint.hpp>

#include "reader.hpp"

namespace moesweep::config {
namespace {

std::vector<Option> two_kinds() {
  return {
      {.key = "kind", .choices = {"sensitivity", "heads"}},
      {.key = "sensitivity.bits",
       .type = ValueType::integer,
       .default_value = std::int64_t{4},
       .kinds = {"sensitivity"}},
      {.key = "heads.epochs",
       .type = ValueType::integer,
       .help = "Passes over the data.",
       .kinds = {"heads"}},
      {.key = "heads.early_stop",
       .type = ValueType::boolean,
       .default_value = false,
       .kinds = {"heads"}},
  };
}

std::string complaint_about(std::string_view toml) {
  const auto options = two_kinds();
  return test::complaint([&] { SettingsReader(options).read(toml, "job.toml", {}); });
}

TEST(Kinds, OnlyKeysOfTheJobsKindAreResolved) {
  const auto options = two_kinds();
  const auto job = SettingsReader(options).read(
      "kind = \"heads\"\nheads.epochs = 5\nheads.early_stop = true\n", "job.toml", {});
  EXPECT_EQ(job.integer("heads.epochs"), 5);
  EXPECT_TRUE(job.boolean("heads.early_stop"));
  EXPECT_FALSE(job.values().contains("sensitivity.bits"));
}

TEST(Kinds, KeyOfAnotherKindIsRefusedByName) {
  EXPECT_EQ(complaint_about("kind = \"sensitivity\"\n[heads]\nepochs = 5\n"),
            "78 job.toml:3: heads.epochs is a key of kind heads, this job is of kind "
            "\"sensitivity\"; remove the key");
}

TEST(Kinds, RequiredKeyOfAnotherKindIsNotMissing) {
  EXPECT_EQ(complaint_about("kind = \"sensitivity\"\n"), "accepted");
  EXPECT_EQ(complaint_about("kind = \"heads\"\n"),
            "78 job.toml: heads.epochs is missing; Passes over the data.");
}

TEST(Kinds, SuggestionsAreOfTheJobsKind) {
  EXPECT_EQ(complaint_about("kind = \"heads\"\nheads.epochs = 1\n[x]\nbits = 4\n"),
            "78 job.toml:3: unknown key \"x\"; valid at the top: kind, heads");
}

TEST(Kinds, BooleanWantsTrueOrFalse) {
  EXPECT_EQ(complaint_about("kind = \"heads\"\nheads.epochs = 1\nheads.early_stop = 1\n"),
            "78 job.toml:3: heads.early_stop must be true or false, not the integer 1; for example "
            "early_stop = false");
}

}  // namespace
}  // namespace moesweep::config
