#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

config::Settings with(std::string override_text) {
  return test::parse_minimal({}, std::span(&override_text, 1));
}

Hash128 fingerprint(const config::Settings& job) {
  return job_fingerprint(job, {});
}

TEST(JobFingerprint, LeavesOutWhatCannotChangeAResult) {
  const auto base = fingerprint(test::parse_minimal());
  for (const auto* text : {"name=other", "checkpoint.path=/other", "resources.memory=1GiB",
                           "resources.threads=7", "output.flush_seconds=1"}) {
    EXPECT_EQ(fingerprint(with(text)), base) << text;
  }
}

TEST(JobFingerprint, CoversEverythingElse) {
  const auto base = fingerprint(test::parse_minimal());
  for (const auto* text : {"checkpoint.include=['a']",
                           "checkpoint.exclude=['a']",
                           "checkpoint.nonfinite=skip",
                           "checkpoint.expert_patterns=['e']",
                           "sensitivity.metrics=['noise']",
                           "sensitivity.experts=swan",
                           "sensitivity.estimator=swan",
                           "sensitivity.quantizers=['rtn']",
                           "sensitivity.bits=[2]",
                           "sensitivity.group_sizes=[32]",
                           "sensitivity.weights.svd=0.21",
                           "sensitivity.weights.kurtosis=0.4",
                           "sensitivity.weights.noise=0.1",
                           "sensitivity.weights.error=0.1",
                           "sensitivity.thresholds.bits2=0.2",
                           "sensitivity.thresholds.bits8=0.6",
                           "sensitivity.thresholds.bits16=0.8",
                           "sensitivity.protected=[]",
                           "sensitivity.sensitive=['x']",
                           "resources.unit_bytes=1MiB",
                           "resources.isa=AVX2"}) {
    EXPECT_NE(fingerprint(with(text)), base) << text;
  }
}

TEST(JobFingerprint, DependsOnValuesNotOnHowTheyAreWritten) {
  const auto base = fingerprint(test::parse_minimal());
  for (const auto* text : {"resources.unit_bytes=268435456", "resources.unit_bytes=262144 KiB",
                           "sensitivity.weights.svd=2e-1", "sensitivity.bits=[0x2,3,4,5,6,8]"}) {
    EXPECT_EQ(fingerprint(with(text)), base) << text;
  }
  EXPECT_EQ(fingerprint(with("sensitivity.weights.svd=-0.0")),
            fingerprint(with("sensitivity.weights.svd=0")));
}

TEST(JobFingerprint, SurvivesTheJobFileOfTheRunDirectory) {
  const auto job = with("sensitivity.weights.svd=0.123456789012345678");
  EXPECT_EQ(fingerprint(parse_job(to_toml(job), "/run/job.toml")), fingerprint(job));
}

TEST(JobFingerprint, ListBoundariesCount) {
  EXPECT_NE(fingerprint(with(R"(checkpoint.include=["a", "b"])")),
            fingerprint(with(R"(checkpoint.include=["a\", \"b"])")));
}

TEST(JobFingerprint, CoversNamesHashesAndOrderOfTheInputs) {
  const auto job = test::parse_minimal();
  config::InputHash a{"a.safetensors", {}};
  config::InputHash b{"b.safetensors", {}};
  b.hash.bytes[3] = 1;
  const auto of = [&](std::initializer_list<config::InputHash> inputs) {
    return job_fingerprint(job, std::vector<config::InputHash>(inputs));
  };
  config::InputHash renamed = a;
  renamed.name = "c.safetensors";
  config::InputHash changed = a;
  changed.hash.bytes[15] = 1;
  const std::array hashes = {of({}), of({a}), of({a, b}), of({b, a}), of({renamed}), of({changed})};
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(hashes[i], hashes[j]) << i << " " << j;
  }
}

TEST(JobFingerprint, CoversScaleAndSeedOfATwinNotItsPath) {
  const auto twin = [](const std::string& keys) {
    return fingerprint(parse_job(
        "schema = 1\nkind = \"sensitivity\"\ncheckpoint.twin = { " + keys + " }\n", "job.toml"));
  };
  const auto base = twin("inventory = \"a.csv\", scale = 32, seed = 0");
  EXPECT_EQ(twin("inventory = \"b.csv\", scale = 32, seed = 0"), base);
  EXPECT_NE(twin("inventory = \"a.csv\", scale = 16, seed = 0"), base);
  EXPECT_NE(twin("inventory = \"a.csv\", scale = 32, seed = 1"), base);
}

TEST(JobFingerprint, DoesNotDriftBetweenBuilds) {
  // A change here makes run directories on disk refuse to resume: never by accident.
  EXPECT_EQ(fingerprint(test::parse_minimal()).hex(), "65141d29594b512d94c8f004a85e5f40");
}

TEST(Differences, NameEachKeyWithBothValues) {
  const std::array<std::string, 3> overrides = {
      "sensitivity.bits=[2,4]", "checkpoint.nonfinite=skip", "resources.unit_bytes=1MiB"};
  const auto here = test::parse_minimal({}, overrides);
  EXPECT_THAT(differences(here, with("sensitivity.bits=[2,3]")),
              ElementsAre("checkpoint.nonfinite: \"skip\" here, \"fail\" in the run directory",
                          "sensitivity.bits: [2, 4] here, [2, 3] in the run directory",
                          "resources.unit_bytes: \"1MiB\" here, \"256MiB\" in the run directory"));
}

TEST(Differences, NoneWhereTheFingerprintIsTheSame) {
  const std::array<std::string, 3> overrides = {"name=other", "resources.memory=1GiB",
                                                "checkpoint.path=/moved"};
  EXPECT_THAT(differences(test::parse_minimal({}, overrides), test::parse_minimal()), IsEmpty());
}

}  // namespace
}  // namespace moesweep::jobs
