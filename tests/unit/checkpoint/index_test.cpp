#include "index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "safetensors_bytes.hpp"

namespace moesweep::checkpoint {
namespace {

using testing::HasSubstr;

std::vector<IndexEntry> parse(std::string_view text) {
  return parse_index(test::bytes_of(text), "index.json");
}

std::string refused(std::string_view text) {
  return test::refusal([&] { parse(text); });
}

TEST(ParseIndex, SortsByTensorAndSkipsOtherKeys) {
  const auto entries = parse(
      R"({"metadata":{"total_size":1.5e3,"weight_map":{"x":1},"a":[1,-2,null,true,{"b":[]}]},)"
      R"("weight_map":{"b":"2.safetensors","a":"1.safetensors"},"more":"text"})");
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].tensor, "a");
  EXPECT_EQ(entries[0].shard, "1.safetensors");
  EXPECT_EQ(entries[1].tensor, "b");
  EXPECT_EQ(entries[1].shard, "2.safetensors");
}

TEST(ParseIndex, AWeightMapThatIsNotTextToTextIsRefused) {
  for (const auto* map : {R"([])", R"("a")", "1", "-1", "1.5", "null", "true", R"({"a":1})",
                          R"({"a":["s"]})", R"({"a":{"b":"s"}})", R"({"a":null})"}) {
    SCOPED_TRACE(map);
    EXPECT_THAT(refused(R"({"weight_map":)" + std::string(map) + "}"),
                HasSubstr("index.json: weight_map must map"));
  }
}

TEST(ParseIndex, NoOrAnEmptyWeightMapIsRefused) {
  EXPECT_THAT(refused("{}"), HasSubstr("no weight_map with tensors"));
  EXPECT_THAT(refused(R"({"weight_map":{}})"), HasSubstr("no weight_map with tensors"));
}

TEST(ParseIndex, DuplicatesAreRefused) {
  EXPECT_THAT(refused(R"({"weight_map":{"a":"1"},"weight_map":{"a":"2"}})"),
              HasSubstr("weight_map appears twice"));
  EXPECT_THAT(refused(R"({"weight_map":{"a":"1","b":"1","a":"2"}})"),
              HasSubstr("tensor 'a' is listed twice"));
}

TEST(ParseIndex, DeepJsonIsRefused) {
  EXPECT_THAT(refused(R"({"metadata":)" + std::string(1'000'000, '[')), HasSubstr("too deep"));
  std::string objects = R"({"metadata":)";
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  EXPECT_THAT(refused(objects), HasSubstr("too deep"));
}

TEST(ParseIndex, WhatIsNotOneJsonObjectIsRefused) {
  for (const std::string_view text : {"", "[]", "{", R"({"weight_map":{"a":"1"}} x)"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(refused(text), HasSubstr("JSON"));
  }
}

}  // namespace
}  // namespace moesweep::checkpoint
