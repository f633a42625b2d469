#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/engine/capacity/cluster.hpp>

namespace moesweep::jobs {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

bool holds(config::ValueType type, const config::Value& value) {
  switch (type) {
    case config::ValueType::boolean:
      return std::holds_alternative<bool>(value);
    case config::ValueType::integer:
    case config::ValueType::size:
      return std::holds_alternative<std::int64_t>(value);
    case config::ValueType::number:
      return std::holds_alternative<double>(value);
    case config::ValueType::text:
    case config::ValueType::path:
      return std::holds_alternative<std::string>(value);
    case config::ValueType::integer_list:
      return std::holds_alternative<config::IntegerList>(value);
    case config::ValueType::number_list:
      return std::holds_alternative<config::NumberList>(value);
    case config::ValueType::text_list:
      return std::holds_alternative<config::TextList>(value);
  }
  return false;
}

void expect_sound(std::span<const config::Option> options) {
  std::set<std::string> keys;
  for (const auto& option : options) {
    EXPECT_TRUE(keys.insert(option.key).second) << option.key << " is there twice";
    EXPECT_THAT(option.help, ::testing::EndsWith(".")) << option.key;
    if (option.default_value) {
      EXPECT_TRUE(holds(option.type, *option.default_value)) << option.key;
    }
  }
}

TEST(Options, AreSoundTables) {
  expect_sound(job_options());
  expect_sound(capacity::cluster_options());
}

TEST(Options, OnlyPathsAndWhatCannotChangeAResultAreLeftOutOfTheFingerprint) {
  std::set<std::string> left_out;
  for (const auto& option : job_options()) {
    if (!option.in_fingerprint) left_out.insert(option.key);
  }
  EXPECT_EQ(left_out, (std::set<std::string>{"name", "checkpoint.path", "checkpoint.twin.inventory",
                                             "checkpoint.allow_incomplete", "cache.dir",
                                             "generation.file", "quality.matrix", "quality.samples",
                                             "quality.heads_run", "quantize.plan", "quantize.out",
                                             "resources.memory", "resources.threads",
                                             "resources.reads_per_file", "output.flush_seconds"}));
}

TEST(MarkdownReference, HasOneRowAKey) {
  const auto text = config::markdown_reference(job_options());
  EXPECT_THAT(text, StartsWith("| key | type | default | help |\n|---|---|---|---|\n"));
  EXPECT_THAT(text, HasSubstr("| `checkpoint.path` | a path | none | Folder or file"));
  EXPECT_THAT(text, HasSubstr("| `sensitivity.group_sizes` | a list of integers of 32, 64, 128 | "
                              "`[32, 64, 128]` | Weights that share a scale"));
  EXPECT_THAT(text, HasSubstr("| `resources.memory` | a size, at least 0 | `0` |"));
  const auto rows = std::count(text.begin(), text.end(), '\n');
  EXPECT_EQ(rows, static_cast<std::ptrdiff_t>(job_options().size()) + 2);
}

}  // namespace
}  // namespace moesweep::jobs
