#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/json.hpp>

namespace moesweep {
namespace {

using testing::HasSubstr;

std::string nested(int depth, const std::string& open, const std::string& close) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += "1";
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

std::string refusal(std::string_view text, JsonNumbers numbers = JsonNumbers::finite) {
  try {
    parse_json(text, {"file.json", "mend it"}, numbers);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_EQ(error.where(), "file.json");
    EXPECT_EQ(error.remedy(), "mend it");
    return error.problem();
  }
  return "it was read";
}

TEST(ParseJson, ReadsWhatIsJson) {
  EXPECT_EQ(parse_json(R"({"a": [1, -2.5, null, true, "x"]})", {"f"}).dump(),
            R"({"a":[1,-2.5,null,true,"x"]})");
  EXPECT_EQ(parse_json("\xef\xbb\xbf{}", {"f"}).dump(), "{}");
  EXPECT_EQ(parse_ordered_json(R"({"b": 1, "a": 2})", {"f"}).dump(), R"({"b":1,"a":2})");
  EXPECT_EQ(parse_json(R"({"a": 1, "a": 2})", {"f"}).at("a"), 2);
}

TEST(ParseJson, OfAKeyThatStandsTwiceTheLastValueCountsInTheFirstPlace) {
  const auto* text = R"({"b": [1], "a": 2, "b": {"c": 3, "c": [4, 5]}})";
  EXPECT_EQ(parse_ordered_json(text, {"f"}).dump(), R"({"b":{"c":[4,5]},"a":2})");
  EXPECT_EQ(parse_json(text, {"f"}).dump(), R"({"a":2,"b":{"c":[4,5]}})");
}

// The library's own objects in order take a minute for them.
TEST(ParseJson, TimeGrowsWithTheKeysNotWithTheirSquare) {
  constexpr int keys = 200'000;
  std::string text = "{";
  for (int i = 0; i < keys; ++i) text += "\"key" + std::to_string(i) + "\":" + "1,";
  text.back() = '}';
  const auto begin = std::chrono::steady_clock::now();
  const auto read = parse_ordered_json(text, {"f"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_EQ(read.size(), std::size_t{keys});
  EXPECT_EQ(read.dump(), text);
}

TEST(OrderedObject, KeepsTheOrderInWhichKeysWereFirstSet) {
  OrderedObject object;
  object.set("z", 1);
  object.set("a", {{"x", 2}});
  object.set("z", "three");
  object.set("", nullptr);
  EXPECT_EQ(std::move(object).take().dump(), R"({"z":"three","a":{"x":2},"":null})");
  EXPECT_EQ(OrderedObject().take().dump(), "{}");
}

TEST(ParseJson, DeepDocumentsAreRefused) {
  for (const auto& [open, close] :
       {std::pair("[", "]"), std::pair("{\"a\":", "}"), std::pair("[{\"a\":", "}]")}) {
    const int levels = open[0] == '[' && open[1] != '\0' ? 2 : 1;
    EXPECT_EQ(refusal(nested(deepest_json / levels, open, close)), "it was read");
    EXPECT_THAT(refusal(nested(deepest_json / levels + 1, open, close)),
                HasSubstr("nested deeper than 100"));
    EXPECT_THAT(refusal(nested(200'000, open, close)), HasSubstr("nested deeper than 100"));
    EXPECT_THAT(refusal(nested(200'000, open, ""), JsonNumbers::python),
                HasSubstr("nested deeper than 100"));
  }
}

TEST(ParseJson, WhatIsNotJsonIsRefusedWithItsPosition) {
  EXPECT_EQ(refusal("{\"a\": tru}"), "is not valid JSON at character 10");
  EXPECT_EQ(refusal("{\n\"a\": 1,\n}"), "is not valid JSON at character 11 (line 3)");
  EXPECT_THAT(refusal(""), HasSubstr("is not valid JSON"));
  EXPECT_THAT(refusal("{} {}"), HasSubstr("is not valid JSON"));
  EXPECT_THAT(refusal("{\"a\": 1} // note"), HasSubstr("is not valid JSON"));
  EXPECT_THAT(refusal("\"\xff\""), HasSubstr("is not valid JSON"));
  EXPECT_THAT(refusal("[1e999]"), HasSubstr("beyond the range"));
  EXPECT_THAT(refusal(std::string_view("{}\0{", 4)), HasSubstr("NUL byte at character 3"));
}

TEST(ParseJson, NumbersThatAreNotFiniteAreReadOnlyWherePythonWritesThem) {
  for (const auto* text : {"NaN", "[Infinity]", "{\"a\": -Infinity}"}) {
    EXPECT_THAT(refusal(text), HasSubstr("is not valid JSON"));
    EXPECT_EQ(refusal(text, JsonNumbers::python), "it was read");
  }
  const auto read = parse_json(
      R"({"NaN": "NaN", "a": [NaN, Infinity, -Infinity, "-", "\"Infinity\\", 1], "b\"": NaN})",
      {"f"}, JsonNumbers::python);
  EXPECT_EQ(read.at("NaN"), "NaN");
  const auto& list = read.at("a");
  EXPECT_TRUE(std::isnan(list[0].get<double>()));
  EXPECT_EQ(list[1], HUGE_VAL);
  EXPECT_EQ(list[2], -HUGE_VAL);
  EXPECT_EQ(list[3], "-");
  EXPECT_EQ(list[4], "\"Infinity\\");
  EXPECT_EQ(list[5], 1);
  EXPECT_TRUE(std::isnan(read.at("b\"").get<double>()));
}

TEST(ParseJson, OtherSpellingsOfNoNumberAreRefused) {
  for (const auto* text :
       {"nan", "[inf]", "[+Infinity]", "[-NaN]", "[NaNs]", "[1NaN]", "[NaNNaN]", "{NaN: 1}",
        "{Infinity: 1}", "[--Infinity]", "[Infinit]", "[\"a\"NaN]", "[\"NaN]", "[\"\\"}) {
    EXPECT_THAT(refusal(text, JsonNumbers::python), HasSubstr("is not valid JSON")) << text;
  }
}

TEST(PythonJsonText, WritesFiniteDocumentsAsTheLibraryDoes) {
  const auto document = parse_ordered_json(
      R"({"z": {"b": [1, 2.5, [], {}], "a": "quoted \" \u0001 \u00fc"}, "y": [[1], [{"k": null}]],
          "x": -1e-300, "w": 18446744073709551615, "": true})",
      {"f"});
  EXPECT_EQ(python_json_text(document, 4), document.dump(4));
  EXPECT_EQ(python_json_text(document, 1), document.dump(1));
  EXPECT_EQ(python_json_text(1, 4), "1");
}

TEST(PythonJsonText, WritesNumbersThatAreNotFiniteSoThatTheyAreReadBack) {
  const std::string text = "{\n  \"a\": [\n    NaN,\n    Infinity,\n    -Infinity\n  ]\n}";
  EXPECT_EQ(python_json_text(parse_ordered_json(text, {"f"}, JsonNumbers::python), 2), text);
}

}  // namespace
}  // namespace moesweep
