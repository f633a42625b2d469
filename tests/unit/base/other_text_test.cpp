#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/json.hpp>
#include <moesweep/core/base/other_text.hpp>

namespace moesweep {
namespace {

using testing::HasSubstr;

TEST(OtherText, IsKnownBehindMarksAndBlanksInAnyCase) {
  for (const auto* text : {"<!DOCTYPE html>", "\xef\xbb\xbf<!doctype", "\n\t <HTML>",
                           "\xef\xbb\xbf\r\n<head>", "<!doc"}) {
    const auto* const found = other_text(text);
    ASSERT_NE(found, nullptr) << text;
    EXPECT_STREQ(found->what, "is an HTML page");
  }
  EXPECT_STREQ(other_text("version https://git-lfs")->remedy,
               "fetch the files with `git lfs pull`");
  for (const auto* text : {"", "\xef\xbb\xbf", "   ", "{\"model_type\": \"llama\"}", "versions"}) {
    EXPECT_EQ(other_text(text), nullptr) << text;
  }
}

TEST(ParseJson, SaysWhatStandsInThePlaceOfJson) {
  const auto refusal = [](std::string_view text) -> std::string {
    try {
      parse_json(text, {"config.json", "mend it"});
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_THAT(
      refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
      HasSubstr("config.json: is a Git LFS pointer, not the file that it stands for; fetch"));
  EXPECT_THAT(refusal("\xef\xbb\xbf<html></html>"), HasSubstr("config.json: is an HTML page"));
  EXPECT_THAT(refusal("{\"a\": }"), HasSubstr("is not valid JSON at character"));
  EXPECT_EQ(refusal("{\"error\": 1}"), "");  // valid: whoever needs its keys says what is missing
}

}  // namespace
}  // namespace moesweep
