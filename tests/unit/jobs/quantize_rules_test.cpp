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
