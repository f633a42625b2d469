#include "name_pattern.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moesweep::found {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& pattern) {
  try {
    const NamePattern read(pattern);
  } catch (const UnreadablePattern& error) {
    return error.what();
  }
  return "it was read";
}

// What Python's re.match says of the same patterns and names.
TEST(NamePattern, MatchesAsPythonsReMatchDoes) {
  const std::string name = "model.layers.12.mlp.gate_proj";
  for (const auto* pattern : {"model",
                              "model.*gate",
                              ".*gate_proj$",
                              R"(model\.layers\.\d+\.mlp\.(gate|up)_proj$)",
                              R"(model\.layers\.(0|12|3)\.mlp)",
                              "^model",
                              R"(.*layers\.1[0-9]\.)",
                              "(?:model|lm_head)",
                              "(?P<m>model)",
                              "(?i)MODEL",
                              "(?i:MODEL)\\.",
                              "",
                              "model|nothing",
                              "[^]]odel",
                              "[]m]odel",
                              R"(model\b)",
                              R"(\Amodel)",
                              R"(\w+\.layers\.\d{1,3}\.\S+)",
                              ".*proj.?$",
                              "m{1}odel"}) {
    EXPECT_TRUE(NamePattern(pattern).matches(name)) << pattern;
  }
  for (const auto* pattern :
       {"layers", "gate_proj$", "model$", "Model", R"(model\.layers\.1\.)", "^layers",
        R"(model\.layers\.\d\.)", "(lm_head|up_proj)", "model..layers{2}x", "[]x]odel"}) {
    EXPECT_FALSE(NamePattern(pattern).matches(name)) << pattern;
  }
}

TEST(NamePattern, NestedRepetitionTakesLinearTime) {
  const auto begin = std::chrono::steady_clock::now();
  const auto names = {std::string(4000, 'a') + "!",
                      "model.layers.0." + std::string(4000, 'a') + "!"};
  for (const auto* pattern : {"(a+)+$", "model.layers.0.(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*)*x$",
                              "((a|b)|(c|d))*x", "(a?){500}a{500}!!"}) {
    const NamePattern read(pattern);
    for (const auto& name : names) EXPECT_FALSE(read.matches(name)) << pattern;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(NamePattern, SyntaxThatIsNotMatchedInLinearTimeIsRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"(?=a)", "(?="},      {"a(?!b)", "(?!"},          {"(?<=a)b", "(?<="}, {"(?<!a)b", "(?<!"},
      {R"((a)\1)", R"(\1)"}, {"(?P<n>a)(?P=n)", "(?P="}, {"(?>a)", "(?>"},    {"(?#note)a", "(?#"},
      {"(?x)a b", "(?x"},    {"(?(1)a|b)", "(?("},       {"a++", "++"},       {"a**", "**"},
      {"a{1001}", "{1001}"}};
  for (const auto& [pattern, syntax] : refused) {
    EXPECT_THAT(refusal(pattern), HasSubstr("uses \"" + syntax)) << pattern;
  }
}

TEST(NamePattern, SyntaxThatPythonReadsInAnotherWayIsRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {R"(\pL)", R"(\p)"},   {R"(\Qa.b\E)", R"(\Q)"}, {R"(a\z)", R"(\z)"}, {R"(\x{41})", R"(\x)"},
      {"[[:alpha:]]", "[:"}, {"a{,5}", "{,"},         {"a(?i)b", "(?i"},   {"(?U)a", "(?U"},
      {R"(\C)", R"(\C)"},    {"(?i-s)a", "(?i"}};
  for (const auto& [pattern, syntax] : refused) {
    EXPECT_THAT(refusal(pattern), HasSubstr("uses \"" + syntax)) << pattern;
  }
  EXPECT_EQ(refusal(R"([{,}]\{,5\}\\pL)"), "it was read") << "escaped, or in a class";
}

TEST(NamePattern, WhatIsNoPatternSaysWhy) {
  for (const auto* pattern : {"(", ")", "[a", "a\\", "*a", "[z-a]", "(?P<a"}) {
    EXPECT_THAT(refusal(pattern), testing::AnyOf(HasSubstr("is not a regular expression"),
                                                 HasSubstr("which is not supported")))
        << pattern;
  }
}

TEST(NamePattern, LongDeepAndLargePatternsAreRefused) {
  EXPECT_THAT(refusal(std::string(100'000, '(') + "a" + std::string(100'000, ')')),
              HasSubstr("more than the 65536"));
  EXPECT_NE(refusal(std::string(30'000, '(') + "a" + std::string(30'000, ')')), "");
  EXPECT_THAT(refusal("((a{100}){100}){100}"), testing::Not("it was read"));
  EXPECT_THAT(refusal("((((.{10}){10}){10}){10}){10}"), testing::Not("it was read"));
}

TEST(NamePattern, ControlCharactersOfAPatternAreNotRepeated) {
  EXPECT_EQ(refusal("(?\x1b[2J)").find('\x1b'), std::string::npos);
  EXPECT_EQ(refusal("[\x1b").find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace moesweep::found
