#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/temporary_directory.hpp>

#include <moesweep/core/base/file.hpp>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ParseJob, CompletesWithTheDefaults) {
  const auto job = test::parse_minimal();
  EXPECT_EQ(job.integer("schema"), 1);
  EXPECT_EQ(job.text("name"), "t");
  EXPECT_THAT(job.texts("checkpoint.include"), ElementsAre("*"));
  EXPECT_THAT(job.texts("checkpoint.exclude"), IsEmpty());
  EXPECT_EQ(job.text("checkpoint.nonfinite"), "fail");
  EXPECT_THAT(job.texts("checkpoint.expert_patterns"), ElementsAre("experts"));
  EXPECT_THAT(job.texts("sensitivity.metrics"),
              ElementsAre("moments", "noise", "error", "spectrum"));
  EXPECT_EQ(job.text("sensitivity.experts"), "all");
  EXPECT_EQ(job.text("sensitivity.estimator"), "exact");
  EXPECT_THAT(job.texts("sensitivity.quantizers"), ElementsAre("rtn", "affine"));
  EXPECT_THAT(job.integers("sensitivity.bits"), ElementsAre(2, 3, 4, 5, 6, 8));
  EXPECT_THAT(job.integers("sensitivity.group_sizes"), ElementsAre(32, 64, 128));
  EXPECT_EQ(job.number("sensitivity.weights.svd"), 0.20);
  EXPECT_EQ(job.number("sensitivity.weights.kurtosis"), 0.45);
  EXPECT_EQ(job.number("sensitivity.weights.noise"), 0.15);
  EXPECT_EQ(job.number("sensitivity.weights.error"), 0.20);
  EXPECT_EQ(job.number("sensitivity.thresholds.bits2"), 0.10);
  EXPECT_EQ(job.number("sensitivity.thresholds.bits8"), 0.65);
  EXPECT_EQ(job.number("sensitivity.thresholds.bits16"), 0.90);
  EXPECT_THAT(job.texts("sensitivity.protected"),
              ElementsAre("embed_tokens", "lm_head", "layernorm", "layer_norm", "norm.weight",
                          "router.weight", "vision_model", "multi_modal_projector",
                          "positional_embedding", "class_embedding", "patch_embedding"));
  EXPECT_THAT(job.texts("sensitivity.sensitive"), IsEmpty());
  EXPECT_EQ(job.integer("resources.memory"), 0);
  EXPECT_EQ(job.integer("resources.unit_bytes"), 256LL << 20);
  EXPECT_EQ(job.integer("resources.threads"), 0);
  EXPECT_EQ(job.text("resources.isa"), "native");
  EXPECT_EQ(job.number("output.flush_seconds"), 20.0);
  for (const auto& option : job_options()) {
    const auto& kinds = option.kinds;
    const bool known = kinds.empty() || std::ranges::count(kinds, "sensitivity") > 0;
    const bool absent = option.may_be_absent && option.key != "checkpoint.path";
    EXPECT_EQ(job.has(option.key), known && !absent) << option.key;
  }
}

TEST(ParseJob, RemembersWhereAKeyWasGiven) {
  const auto job = test::parse_minimal("\n[sensitivity]\nweights = { svd = 0.5 }\n");
  EXPECT_EQ(job.place_of("checkpoint.path"), "job.toml:5");
  EXPECT_EQ(job.place_of("sensitivity.weights.svd"), "job.toml:8");
  EXPECT_EQ(job.place_of("sensitivity.weights.noise"), "default");
}

TEST(ParseJob, InlineDottedAndHeaderTablesAreTheSame) {
  const auto dotted = test::parse_minimal("[sensitivity]\nweights.svd = 0.5\n");
  const auto in_line = test::parse_minimal("[sensitivity]\nweights = { svd = 0.5 }\n");
  const auto header = test::parse_minimal("[sensitivity.weights]\nsvd = 0.5\n");
  EXPECT_EQ(dotted.values(), in_line.values());
  EXPECT_EQ(dotted.values(), header.values());
  EXPECT_EQ(dotted.number("sensitivity.weights.svd"), 0.5);
}

TEST(ParseJob, NumberTakesAnIntegerAndSizeTakesBothForms) {
  const auto job = test::parse_minimal(
      "[output]\nflush_seconds = 7\n[resources]\nmemory = 2000000\nunit_bytes = \"3 MB\"\n");
  EXPECT_EQ(job.number("output.flush_seconds"), 7.0);
  EXPECT_EQ(job.integer("resources.memory"), 2'000'000);
  EXPECT_EQ(job.integer("resources.unit_bytes"), 3'000'000);
}

TEST(ParseJob, PathsAreRelativeToTheFolderOfTheFile) {
  const std::string job = "schema = 1\nkind = \"sensitivity\"\ncheckpoint.path = \"models/x\"\n";
  EXPECT_EQ(parse_job(job, "/a/b/job.toml").path("checkpoint.path"), "/a/b/models/x");
  EXPECT_EQ(parse_job(job, "job.toml").path("checkpoint.path"),
            std::filesystem::current_path() / "models/x");
  EXPECT_EQ(test::parse_minimal().path("checkpoint.path"), "/models/x");
}

TEST(LoadJob, ReadsTheFileAndItsFolder) {
  const test::TemporaryDirectory directory;
  const auto path = directory.path() / "job.toml";
  publish_file(path, "schema = 1\nkind = \"sensitivity\"\ncheckpoint.path = \"m\"\n");
  const auto job = load_job(path);
  EXPECT_EQ(job.path("checkpoint.path"), directory.path() / "m");
  EXPECT_EQ(job.place_of("kind"), path.string() + ":2");
  EXPECT_EQ(job.text("name"), "sweep");
}

TEST(ParseJob, PathThatLeadsOutOfUtf8IsRefused) {
  const auto said = test::complaint([] {
    parse_job("schema = 1\nkind = \"sensitivity\"\ncheckpoint.path = \"m\"\n", "/a\xff/job.toml");
  });
  EXPECT_EQ(
      said,
      "78 /a\xff/job.toml:3: checkpoint.path leads to a path that is not UTF-8 or has control "
      "characters; move the job file or rename the folder");
}

TEST(SettingsDeathTest, KeyOutsideTheTableIsABug) {
  const auto job = test::parse_minimal();
  EXPECT_DEATH(job.integer("resources.cores"), "bug: no such option: resources.cores");
  EXPECT_DEATH(job.place_of("resources.cores"), "bug: no such option: resources.cores");
  EXPECT_DEATH(job.text("resources.memory"), "bug: option is of another type: resources.memory");
  EXPECT_DEATH(job.boolean("resources.memory"), "bug: option is of another type");
}

}  // namespace
}  // namespace moesweep::jobs
