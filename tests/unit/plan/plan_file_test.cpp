#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/csv.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/plans/handoff/export_plan.hpp>
#include <moesweep/plans/plan/plan_file.hpp>

#include "plan_samples.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::plan {
namespace {

using records::Plan;
using testing::HasSubstr;

Plan sample() {
  auto plan = test::plan_of({test::plan_row("a.weight", "64x128", {"affine", 4, 64}),
                             test::plan_row("b \"quoted\" \\.weight", "", {})});
  plan.rows[0].role = "expert";
  plan.rows[0].module = "a";
  plan.rows[0].params = 8192;
  plan.rows[0].bytes = 4608;
  plan.rows[0].sse = 0.1;
  plan.rows[0].sum_squares = 1e300;
  plan.rows[0].term = "a";
  plan.rows[0].alpha = 50.0;
  plan.prior = "role";
  plan.rows[1].reason = "a norm is kept";
  plan.layers = 60;
  plan.experts = 512;
  plan.tied_embeddings = false;
  plan.expert_patterns = std::vector<std::string>{"experts", "moe"};
  plan.source = {.name = "owner/name", .model_type = "qwen3_5_moe", .params = 1000, .bytes = 2000};
  plan.made = {.command = "moesweep allocate run --target '5 bpw'",
               .version = "0.4.0",
               .date = "2026-11-30T12:03:19Z"};
  return plan;
}

TEST(PlanFile, ReadsBackAsItWas) {
  const auto plan = sample();
  const auto text = plan_json(plan);
  const auto read = parse_plan(text, "plan.json");
  EXPECT_EQ(plan_json(read), text);
  EXPECT_EQ(read.method, plan.method);
  EXPECT_EQ(read.runtime, plan.runtime);
  EXPECT_EQ(read.architecture, plan.architecture);
  EXPECT_EQ(read.source_headers, plan.source_headers);
  EXPECT_EQ(read.bytes, plan.bytes);
  EXPECT_EQ(read.prior, "role");
  EXPECT_EQ(read.layers, 60);
  EXPECT_EQ(read.experts, 512);
  EXPECT_EQ(read.tied_embeddings, false);
  EXPECT_EQ(read.expert_patterns, plan.expert_patterns);
  EXPECT_EQ(read.source.name, "owner/name");
  EXPECT_EQ(read.source.model_type, "qwen3_5_moe");
  EXPECT_EQ(read.source.params, 1000);
  EXPECT_EQ(read.source.bytes, 2000);
  EXPECT_EQ(read.made.command, plan.made.command);
  EXPECT_EQ(read.made.version, "0.4.0");
  EXPECT_EQ(read.made.date, "2026-11-30T12:03:19Z");
  EXPECT_EQ(read.rows[0].term, "a");
  EXPECT_EQ(read.rows[0].alpha, 50.0);
  ASSERT_EQ(read.rows.size(), 2U);
  EXPECT_EQ(read.rows[0].sse, 0.1);
  EXPECT_EQ(read.rows[0].sum_squares, 1e300);
  EXPECT_EQ(read.rows[1].tensor, plan.rows[1].tensor);
  EXPECT_TRUE(std::isnan(read.rows[1].sse));
}

TEST(PlanFile, OnesOf02AreReadWithoutPriorAndAlpha) {
  const auto plan = parse_plan(
      R"({"schema": 1, "method": "budget", "runtime": "mlx", "architecture": "llama",
          "source_headers": "", "bytes": 4608, "rows": [
          {"tensor": "a.weight", "shape": "64x128", "dtype": "BF16", "role": "mlp", "module": "a",
           "action": "quantize", "quantizer": "affine", "bits": 4, "group_size": 64,
           "params": 8192, "bytes": 4608, "sse": 0.1, "sum_squares": 1.0, "reason": ""}]})",
      "plan.json");
  EXPECT_EQ(plan.prior, "");
  ASSERT_EQ(plan.rows.size(), 1U);
  EXPECT_EQ(plan.rows[0].term, "");
  EXPECT_TRUE(std::isnan(plan.rows[0].alpha));
}

TEST(PlanFile, OnesOfRowsAloneAreReadAndSayNothingElse) {
  const auto plan = parse_plan(
      R"({"schema": 2, "method": "budget", "runtime": "mlx", "architecture": "llama",
          "source_headers": "", "prior": "none", "bytes": 4608, "rows": [
          {"tensor": "a.weight", "shape": "64x128", "dtype": "BF16", "role": "mlp", "module": "a",
           "action": "quantize", "quantizer": "affine", "bits": 4, "group_size": 64,
           "params": 8192, "bytes": 4608, "sse": 0.1, "sum_squares": 1.0, "term": "a",
           "alpha": 2.0, "reason": ""}]})",
      "plan.json");
  EXPECT_EQ(plan.prior, "none");
  EXPECT_EQ(plan.rows.at(0).alpha, 2.0);
  EXPECT_EQ(plan.layers, 0);
  EXPECT_EQ(plan.experts, 0);
  EXPECT_EQ(plan.tied_embeddings, std::nullopt);
  EXPECT_EQ(plan.expert_patterns, std::nullopt);
  EXPECT_EQ(plan.source.name + plan.source.model_type + plan.made.command + plan.made.date, "");
  EXPECT_EQ(plan_json(parse_plan(plan_json(plan), "again")), plan_json(plan));
}

TEST(PlanFile, WhatNobodySaidStaysUnknown) {
  auto plan = sample();
  plan.tied_embeddings = std::nullopt;
  EXPECT_THAT(plan_json(plan), HasSubstr("\"tied_embeddings\": null"));
  EXPECT_EQ(parse_plan(plan_json(plan), "plan.json").tied_embeddings, std::nullopt);
}

TEST(PlanFile, IsTheSameWheneverItWasMade) {
  const auto plan = sample();
  auto later = plan;
  later.made = {.command = "moesweep allocate run -q", .version = "9", .date = ""};
  EXPECT_TRUE(is_same_plan(plan, later));
  later.rows[0].bits = 3;
  EXPECT_FALSE(is_same_plan(plan, later));
  later = plan;
  later.source.name = "another";
  EXPECT_FALSE(is_same_plan(plan, later));
}

TEST(PlanFile, ControlCharactersOfACommandDoNotMakeItUnreadable) {
  auto plan = sample();
  plan.made.command = "moesweep allocate 'a\nb' \x1b[2J \xff";
  plan.source.name = "\xc2\x9b";
  plan.expert_patterns = std::vector<std::string>{"a\tb"};
  const auto read = parse_plan(plan_json(plan), "plan.json");
  EXPECT_THAT(read.made.command, HasSubstr("a\\x0ab"));
  EXPECT_EQ(read.source.name, "\\x9b");
  EXPECT_EQ(read.expert_patterns.value().at(0), "a\\x09b");
}

TEST(PlanFile, GlobsOfQuantizableNamesReadBack) {
  auto plan = sample();
  EXPECT_EQ(plan_json(plan).find("quantizable"), std::string::npos);
  plan.quantizable = {"*.experts.*", "a \"b\""};
  const auto text = plan_json(plan);
  const auto read = parse_plan(text, "plan.json");
  EXPECT_EQ(read.quantizable, plan.quantizable);
  EXPECT_EQ(plan_json(read), text);
  for (const auto* damage : {"\"quantizable\": 3", "\"quantizable\": [3]"}) {
    auto broken = text;
    const auto begin = broken.find("\"quantizable\"");
    broken.replace(begin, broken.find(']', begin) + 1 - begin, damage);
    EXPECT_THROW(parse_plan(broken, "plan.json"), Error) << damage;
  }
}

TEST(PlanFile, EmptyPlansReadBack) {
  EXPECT_TRUE(parse_plan(plan_json(test::plan_of({})), "plan.json").rows.empty());
}

TEST(PlanFile, WholeInventoriesReadBack) {
  const std::vector<test::Setting> settings = {{"affine", 4, 64}};
  const auto plan = test::random_plan(names::Runtime::mlx, settings, 1);
  EXPECT_EQ(parse_plan(plan_json(plan), "p").rows.size(), 2924U);
}

void expect_refused(std::string text, const std::string& from, const std::string& to,
                    const std::string& place) {
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  try {
    parse_plan(text, "plan.json");
    FAIL() << from << " -> " << to;
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.where(), HasSubstr("plan.json"));
    EXPECT_THAT(error.what(), HasSubstr(place));
  }
}

TEST(PlanFile, WhatIsNoPlanIsRefusedByPlace) {
  const auto text = plan_json(sample());
  expect_refused(text, "\"schema\": 3", "\"schema\": 4", "schema: is none of 3, 2 and 1");
  expect_refused(text, "\"schema\": 3,", "", "schema");
  expect_refused(text, "\"layers\": 60,", "", "has no layers");
  expect_refused(text, "\"layers\": 60", "\"layers\": -1", "layers");
  expect_refused(text, "\"layers\": 60", "\"layers\": 1048577", "layers: is too large");
  expect_refused(text, "\"experts\": 512", "\"experts\": \"512\"", "experts");
  expect_refused(text, "\"tied_embeddings\": false", "\"tied_embeddings\": 0", "tied_embeddings");
  expect_refused(text, "\"moe\"", "3", "expert_patterns");
  expect_refused(text, "\"moe\"", "\"\\u001b\"", "expert_patterns: has control characters");
  std::string many;
  for (std::size_t i = 0; i < most_patterns; ++i) many += ",\"x\"";
  expect_refused(text, "\"moe\"", "\"moe\"" + many, "expert_patterns: has 1026 patterns");
  expect_refused(text, "\"source\": {", "\"source\": 1, \"more\": {", "source");
  expect_refused(text, "\"model_type\": \"qwen3_5_moe\"", "\"model_type\": null",
                 "source.model_type");
  expect_refused(text, "\"params\": 1000", "\"params\": -1000", "source.params");
  expect_refused(text, "\"version\": \"0.4.0\",", "", "made");
  expect_refused(text, "2026-11-30", "\\u009b", "made.date: has control characters");
  expect_refused(text, "\"prior\": \"role\"", "\"prior\": 1", "prior");
  expect_refused(text, "\"alpha\":50.0", "\"alpha\":\"much\"", "rows[0].alpha");
  expect_refused(text, "\"method\": \"uniform\"", "\"method\": 3", "method");
  expect_refused(text, "\"bytes\": 1234", "\"bytes\": -1", "bytes");
  expect_refused(text, "\"bytes\": 1234", "\"bytes\": 18446744073709551615", "bytes");
  expect_refused(text, "\"rows\": [", "\"rows\": 3, \"more\": [", "rows");
  expect_refused(text, "\"tensor\":\"a.weight\"", "\"name\":\"a.weight\"", "rows[0]");
  expect_refused(text, "\"action\":\"quantize\"", "\"action\":\"shrink\"", "rows[0].action");
  expect_refused(text, "\"action\":\"quantize\"", "\"action\":\"keep\"", "rows[0].quantizer");
  expect_refused(text, "\"quantizer\":\"affine\"", "\"quantizer\":\"\"", "rows[0].quantizer");
  expect_refused(text, "\"bits\":4", "\"bits\":4.5", "rows[0].bits");
  expect_refused(text, "\"bits\":4", "\"bits\":0", "rows[0].bits");
  expect_refused(text, "\"group_size\":64", "\"group_size\":4294967296", "rows[0].group_size");
  expect_refused(text, "\"sse\":0.1", "\"sse\":\"small\"", "rows[0].sse");
  expect_refused(text, "\"shape\":\"64x128\"", "\"shape\":\"8192\"", "rows[0].shape");
  expect_refused(text, "\"shape\":\"64x128\"", "\"shape\":\"64x64\"", "rows[0].params");
  expect_refused(text, "\"dtype\":\"BF16\"", "\"dtype\":\"BF17\"", "rows[0].dtype");
  expect_refused(text, "a.weight", "z.weight", "rows[1].tensor");
  expect_refused(text, "a.weight", "a\\n.weight", "rows[0].tensor: has control characters");
  expect_refused(text, "a.weight", "a\\u001b]0;x\\u0007", "rows[0].tensor: has control characters");
  expect_refused(text, "a norm is kept", "\\u009b2J", "rows[1].reason: has control characters");
  expect_refused(text, "\"method\": \"uniform\"", "\"method\": \"\\u001b[2J\"", "method");
}

TEST(PlanFile, TornAndForeignTextsAreRefused) {
  const auto text = plan_json(sample());
  for (const auto& broken : {std::string(), std::string("[]"), std::string("null"),
                             text.substr(0, text.size() / 2), text + text}) {
    EXPECT_THROW(parse_plan(broken, "plan.json"), Error) << broken.substr(0, 20);
  }
}

TEST(PlanFile, FilesBeyondAnyPlanAreRefusedUnread) {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "plan.json";
  publish_file(path, std::string_view("{}"));
  std::filesystem::resize_file(path, largest_plan_file + 1);
  try {
    read_plan(path);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), testing::HasSubstr("more than the 256.00 MiB"));
  }
}

TEST(PlanFile, DeepPlansAreRefusedNotFollowed) {
  const auto deep = "{\"rows\": " + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  try {
    parse_plan(deep, "plan.json");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("plan.json: is JSON that is nested deeper than 100"));
  }
}

TEST(PlanFile, MalformedShapesAreRefusedByTensor) {
  for (const auto* shape :
       {"64x", "x64", "64xx64", "64x-1", "64*64", "a", "99999999999999999999x1"}) {
    auto plan = sample();
    plan.rows[0].shape = shape;
    try {
      parse_plan(plan_json(plan), "plan.json");
      ADD_FAILURE() << shape;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_THAT(error.what(), HasSubstr("plan.json: rows[0].shape: a.weight"));
    }
  }
}

TEST(PlanFile, CsvHasALineATensor) {
  const auto made = handoff::export_plan(sample(), test::qwen35, "csv", false);
  ASSERT_EQ(made.files.size(), 1U);
  EXPECT_EQ(made.files[0].name, "plan.csv");
  CsvRecords csv(made.files[0].text, "plan.csv");
  EXPECT_EQ(csv.next()->at(0), "tensor");
  EXPECT_EQ(csv.next()->at(6), "affine");
  EXPECT_EQ(csv.next()->at(0), "b \"quoted\" \\.weight");
  EXPECT_FALSE(csv.next().has_value());
}

TEST(PlanFile, JsonExportIsTheFileThatIsRead) {
  const auto made = handoff::export_plan(sample(), test::qwen35, "json", false);
  ASSERT_EQ(made.files.size(), 1U);
  EXPECT_EQ(parse_plan(made.files[0].text, "plan.json").rows.size(), 2U);
}

}  // namespace
}  // namespace moesweep::plan
