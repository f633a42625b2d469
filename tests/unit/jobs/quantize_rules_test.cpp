#include <gtest/gtest.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/error.hpp>

#include "job_text.hpp"

namespace moesweep::jobs {
namespace {

constexpr auto head = "schema = 1\nkind = \"quantize\"\n";
constexpr auto source = "[checkpoint]\npath = \"m\"\n";
constexpr auto what = "[quantize]\nplan = \"p.json\"\nto = \"mlx\"\nout = \"o\"\n";

config::Settings parse(const std::string& toml) {
  return parse_job(toml, "/jobs/job.toml");
}

std::string complaint_about(const std::string& toml) {
  return test::complaint([&] { parse(toml); });
}

TEST(QuantizeRules, PlanFormatAndFolderAreNeeded) {
  EXPECT_EQ(complaint_about(std::string(head) + source + what), "accepted");
  EXPECT_EQ(
      complaint_about(std::string(head) + source + "[quantize]\nplan = \"p\"\nto = \"mlx\"\n"),
      "78 /jobs/job.toml: quantize.out is missing; Folder that the checkpoint is written to.");
}

TEST(QuantizeRules, CheckpointIsNeeded) {
  EXPECT_EQ(complaint_about(std::string(head) + what),
            "78 /jobs/job.toml:2: neither checkpoint.path nor checkpoint.twin.inventory is given; "
            "name a safetensors checkpoint, or the inventory of one whose twin is swept");
}

TEST(QuantizeRules, HoldForValuesAsForAFile) {
  std::vector<config::GivenValue> given = {{"schema", std::int64_t{1}, "a program"},
                                           {"kind", std::string("quantize"), "a program"},
                                           {"quantize.plan", std::string("/jobs/p.json"), "--plan"},
                                           {"quantize.to", std::string("mlx"), "--to"},
                                           {"quantize.out", std::string("/jobs/o"), "OUT"}};
  EXPECT_EQ(test::complaint([&] { job_of(given, "a program"); }),
            "78 a program: neither checkpoint.path nor checkpoint.twin.inventory is given; name a "
            "safetensors checkpoint, or the inventory of one whose twin is swept");
  given.push_back({"checkpoint.path", std::string("/jobs/m"), "RUN"});
  const auto job = job_of(given, "a program");
  EXPECT_EQ(job.values(), parse(std::string(head) + source + what).values());
  EXPECT_EQ(job.place_of("quantize.to"), "--to");
}

TEST(QuantizeRules, FilesHaveFourGibibytesUnlessTold) {
  EXPECT_EQ(parse(std::string(head) + source + what).integer("quantize.shard_bytes"),
            std::int64_t{4} << 30);
  EXPECT_EQ(parse(std::string(head) + source + what + "shard_bytes = \"1GiB\"\n")
                .integer("quantize.shard_bytes"),
            std::int64_t{1} << 30);
}

TEST(QuantizeRules, FoldersDoNotChangeTheFingerprintButWhatIsWrittenDoes) {
  const auto fingerprint = [](const std::string& toml) {
    return job_fingerprint(parse(toml), {}).hex();
  };
  const auto base = std::string(head) + source + what;
  auto elsewhere = base;
  elsewhere.replace(elsewhere.find("\"o\""), 3, "\"elsewhere\"");
  EXPECT_EQ(fingerprint(elsewhere), fingerprint(base));
  EXPECT_NE(fingerprint(base + "shard_bytes = 1000\n"), fingerprint(base));
  EXPECT_NE(fingerprint(base + "architecture = \"generic\"\n"), fingerprint(base));
}

}  // namespace
}  // namespace moesweep::jobs
