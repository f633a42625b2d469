// What jobs/, cluster/ and schemas/ hold is valid, and agrees with the option tables.

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/engine/capacity/cluster.hpp>

#include "schema_files.hpp"

namespace moesweep::jobs {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

const fs::path source = MOESWEEP_SOURCE_DIR;

std::set<std::string> toml_files(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") names.insert(entry.path().filename().string());
  }
  return names;
}

TEST(CommittedFiles, EveryJobIsValidAndNamesItsSchema) {
  const auto names = toml_files(source / "jobs");
  EXPECT_THAT(names,
              IsSupersetOf({"demo.toml", "sensitivity.toml", "qwen35-397b-sensitivity.toml"}));
  for (const auto& name : names) {
    EXPECT_NO_THROW(load_job(source / "jobs" / name)) << name;
    EXPECT_THAT(read_text_file(source / "jobs" / name),
                StartsWith("#:schema ../schemas/job.schema.json\n"));
  }
}

TEST(CommittedFiles, EveryClusterProfileIsValidAndNamesItsSchema) {
  const auto names = toml_files(source / "cluster");
  EXPECT_THAT(names, IsSupersetOf({"local.toml", "slurm-generic.toml", "slurm-test.toml",
                                   "cray-srun.toml", "infiniband-mpirun.toml"}));
  for (const auto& name : names) {
    EXPECT_NO_THROW(capacity::load_cluster(source / "cluster" / name)) << name;
    EXPECT_THAT(read_text_file(source / "cluster" / name),
                StartsWith("#:schema ../schemas/cluster.schema.json\n"));
  }
}

TEST(CommittedFiles, SensitivityJobShowsEveryKeyWithItsDefault) {
  const auto job = load_job(source / "jobs/sensitivity.toml");
  for (const auto& option : job_options()) {
    if (option.may_be_absent || !job.has(option.key)) continue;
    EXPECT_NE(job.place_of(option.key), "default") << option.key << " is not in the file";
    if (!option.default_value || option.key == "name") continue;
    EXPECT_EQ(job.values().find(option.key)->second, *option.default_value) << option.key;
  }
}

TEST(CommittedFiles, DemoMeasuresEverythingWithinOneGibibyte) {
  const auto job = load_job(source / "jobs/demo.toml");
  EXPECT_EQ(job.path("checkpoint.path").lexically_normal(), source / "tests/data/use-lite");
  EXPECT_EQ(job.integer("resources.memory"), 1LL << 30);
  EXPECT_THAT(job.texts("sensitivity.metrics"),
              ElementsAre("moments", "noise", "error", "spectrum"));
}

TEST(CommittedFiles, ClusterProfileShowsEveryKey) {
  const auto cluster = capacity::load_cluster(source / "cluster/local.toml");
  for (const auto& option : capacity::cluster_options()) {
    if (option.may_be_absent) continue;
    EXPECT_NE(cluster.place_of(option.key), "default") << option.key << " is not in the file";
  }
  EXPECT_EQ(cluster.integer("cpus_per_task"), 2);
}

TEST(CommittedFiles, RatesOfTheLocalProfileAreTheDefaults) {
  const auto cluster = capacity::load_cluster(source / "cluster/local.toml");
  int rates = 0;
  for (const auto& option : capacity::cluster_options()) {
    if (!option.key.starts_with("rates.")) continue;
    EXPECT_EQ(cluster.values().find(option.key)->second, *option.default_value) << option.key;
    ++rates;
  }
  EXPECT_EQ(rates, 8);
}

TEST(CommittedFiles, SchemasAreWhatTheTablesGive) {
  for (const auto& file : schema_files()) {
    EXPECT_EQ(read_text_file(source / "schemas" / file.name), file.text)
        << "run moesweep_schemas schemas";
  }
}

}  // namespace
}  // namespace moesweep::jobs
