// JSON Schema and Markdown of small tables; those of the job's are in tests/unit/jobs.

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/config/settings.hpp>

namespace moesweep::config {
namespace {

using Json = nlohmann::json;

TEST(JsonSchema, RequiredKeyOfOneKindAmongOthersIsOptional) {
  const std::vector<Option> options = {
      {.key = "kind", .choices = {"sensitivity", "heads"}},
      {.key = "heads.epochs", .type = ValueType::integer, .kinds = {"heads"}}};
  const auto schema = Json::parse(json_schema(options, "t"));
  EXPECT_EQ(schema["required"], Json({"kind"}));
}

TEST(MarkdownReference, EscapesTheColumnSeparator) {
  const std::vector<Option> options = {{.key = "a", .help = "x|y."}};
  EXPECT_THAT(markdown_reference(options),
              ::testing::HasSubstr("| `a` | text | required | x\\|y. |"));
}

}  // namespace
}  // namespace moesweep::config
