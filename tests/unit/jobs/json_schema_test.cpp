#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <moesweep/app/jobs/job_file.hpp>

namespace moesweep::jobs {
namespace {

using Json = nlohmann::json;

Json job_schema() {
  return Json::parse(config::json_schema(job_options(), "a job"));
}

/// The schema of a dotted key.
Json at(const Json& schema, std::string_view key) {
  std::string pointer = "/properties/";
  for (const char c : key) pointer += c == '.' ? std::string("/properties/") : std::string(1, c);
  return schema.at(Json::json_pointer(pointer));
}

TEST(JsonSchema, NamesItsDraftAndTitle) {
  EXPECT_EQ(job_schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(job_schema()["title"], "a job");
}

TEST(JsonSchema, EveryKeyIsANestedPropertyWithHelpAndDefault) {
  const auto schema = job_schema();
  for (const auto& option : job_options()) {
    const auto property = at(schema, option.key);
    EXPECT_EQ(property["description"], option.help) << option.key;
    EXPECT_EQ(property.contains("default"), option.default_value.has_value()) << option.key;
  }
}

TEST(JsonSchema, EveryTableRefusesUnknownKeys) {
  const auto schema = job_schema();
  EXPECT_EQ(schema["additionalProperties"], false);
  for (const auto* table : {"checkpoint", "sensitivity", "sensitivity.weights",
                            "sensitivity.thresholds", "resources", "output"}) {
    EXPECT_EQ(at(schema, table)["additionalProperties"], false) << table;
    EXPECT_EQ(at(schema, table)["type"], "object") << table;
  }
}

TEST(JsonSchema, RequiredKeysAreRequiredWithTheirTables) {
  const auto schema = job_schema();
  EXPECT_EQ(schema["required"], Json({"schema", "kind"}));
  EXPECT_FALSE(at(schema, "checkpoint").contains("required"));
  EXPECT_FALSE(at(schema, "sensitivity").contains("required"));
}

TEST(JsonSchema, ConstraintsAreThoseOfTheTable) {
  const auto schema = job_schema();
  EXPECT_EQ(at(schema, "name")["pattern"], "^[A-Za-z0-9._-]+$");
  EXPECT_EQ(at(schema, "checkpoint.nonfinite")["enum"], Json({"fail", "skip"}));
  const auto bits = at(schema, "sensitivity.bits");
  EXPECT_EQ(bits["type"], "array");
  EXPECT_EQ(bits["minItems"], 1);
  EXPECT_EQ(bits["uniqueItems"], true);
  EXPECT_EQ(bits["items"], Json::parse(R"({"type": "integer", "minimum": 2, "maximum": 8,
                                           "enum": [2, 3, 4, 5, 6, 8]})"));
  EXPECT_EQ(bits["default"], Json({2, 3, 4, 5, 6, 8}));
  EXPECT_EQ(at(schema, "output.flush_seconds")["minimum"], 0.01);
  EXPECT_FALSE(at(schema, "checkpoint.exclude").contains("minItems"));
}

TEST(JsonSchema, SizeIsBytesOrAText) {
  const auto memory = at(job_schema(), "resources.memory");
  EXPECT_EQ(memory["default"], 0);
  EXPECT_EQ(memory["oneOf"][0], Json::parse(R"({"type": "integer", "minimum": 0})"));
  EXPECT_EQ(memory["oneOf"][1]["type"], "string");
  EXPECT_EQ(memory["oneOf"][1]["pattern"], "^[0-9]+ *(B|KiB|MiB|GiB|TiB|KB|MB|GB|TB)?$");
}

}  // namespace
}  // namespace moesweep::jobs
