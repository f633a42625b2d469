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
  return plan;
}

TEST(handoff::PlanFile, ReadsBackAsItWas) {
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
  EXPECT_EQ(read.rows[0].term, "a");
  EXPECT_EQ(read.rows[0].alpha, 50.0);
  ASSERT_EQ(read.rows.size(), 2U);
  EXPECT_EQ(read.rows[0].sse, 0.1);
  EXPECT_EQ(read.rows[0].sum_squares, 1e300);
  EXPECT_EQ(read.rows[1].tensor, plan.rows[1].tensor);
  EXPECT_TRUE(std::isnan(read.rows[1].sse));
}

TEST(handoff::PlanFile, OnesOf02AreReadWithoutPriorAndAlpha) {
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

TEST(handoff::PlanFile, GlobsOfQuantizableNamesReadBack) {
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

TEST(handoff::PlanFile, EmptyPlansReadBack) {
  EXPECT_TRUE(parse_plan(plan_json(test::plan_of({})), "plan.json").rows.empty());
}

TEST(handoff::PlanFile, WholeInventoriesReadBack) {
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

TEST(handoff::PlanFile, WhatIsNoPlanIsRefusedByPlace) {
  const auto text = plan_json(sample());
  expect_refused(text, "\"schema\": 2", "\"schema\": 3", "schema");
  expect_refused(text, "\"schema\": 2,", "", "schema");
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

TEST(handoff::PlanFile, TornAndForeignTextsAreRefused) {
  const auto text = plan_json(sample());
  for (const auto& broken : {std::string(), std::string("[]"), std::string("null"),
                             text.substr(0, text.size() / 2), text + text}) {
    EXPECT_THROW(parse_plan(broken, "plan.json"), Error) << broken.substr(0, 20);
  }
}

TEST(handoff::PlanFile, FilesBeyondAnyPlanAreRefusedUnread) {
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

TEST(handoff::PlanFile, DeepPlansAreRefusedNotFollowed) {
  const auto deep = "{\"rows\": " + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  try {
    parse_plan(deep, "plan.json");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("plan.json: is JSON that is nested deeper than 100"));
  }
}

TEST(handoff::PlanFile, MalformedShapesAreRefusedByTensor) {
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

TEST(handoff::PlanFile, CsvHasALineATensor) {
  const auto made = handoff::export_plan(sample(), test::qwen35, "csv", false);
  ASSERT_EQ(made.files.size(), 1U);
  EXPECT_EQ(made.files[0].name, "plan.csv");
  CsvRecords csv(made.files[0].text, "plan.csv");
  EXPECT_EQ(csv.next()->at(0), "tensor");
  EXPECT_EQ(csv.next()->at(6), "affine");
  EXPECT_EQ(csv.next()->at(0), "b \"quoted\" \\.weight");
  EXPECT_FALSE(csv.next().has_value());
}

TEST(handoff::PlanFile, JsonExportIsTheFileThatIsRead) {
  const auto made = handoff::export_plan(sample(), test::qwen35, "json", false);
  ASSERT_EQ(made.files.size(), 1U);
  EXPECT_EQ(parse_plan(made.files[0].text, "plan.json").rows.size(), 2U);
}

}  // namespace
}  // namespace moesweep::plan
