#include "compressed_tensors_config.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>

namespace moesweep::found {
namespace {

using nlohmann::json;

json group_of(const std::vector<std::string>& targets, int bits) {
  return {{"targets", targets}, {"weights", {{"num_bits", bits}}}};
}

json config_of(const json& groups, const std::vector<std::string>& ignored = {}) {
  return {{"quantization_config", {{"config_groups", groups}, {"ignore", ignored}}}};
}

std::vector<std::string> patterns(int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back("re:p" + std::to_string(i) + "$");
  return texts;
}

std::string refusal(const json& config) {
  try {
    const CompressedTensorsConfig read(config);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    return error.what();
  }
  return "it was read";
}

TEST(CompressedTensorsConfig, NamesComeBeforePatternsBeforeClasses) {
  const CompressedTensorsConfig config(config_of({{"a", group_of({"Linear"}, 8)},
                                                  {"b", group_of({"re:model.*up", "x.up"}, 4)},
                                                  {"c", group_of({"model.up", "x.up"}, 2)}},
                                                 {"lm_head", "re:.*gate$"}));
  EXPECT_EQ(config.scheme_of("model.up")->group, "c");
  EXPECT_EQ(config.scheme_of("x.up")->group, "b");
  EXPECT_EQ(config.scheme_of("model.2.up")->group, "b");
  EXPECT_EQ(config.scheme_of("model.down")->group, "a");
  EXPECT_TRUE(config.targets_by_name("model.2.up"));
  EXPECT_TRUE(config.targets_by_name("x.up"));
  EXPECT_FALSE(config.targets_by_name("model.down"));
  EXPECT_TRUE(config.ignores("lm_head"));
  EXPECT_TRUE(config.ignores("model.gate"));
  EXPECT_FALSE(config.ignores("model.up"));
  EXPECT_THAT(config.exact_names(), testing::ElementsAre("x.up", "model.up", "x.up", "lm_head"));
}

TEST(CompressedTensorsConfig, WithoutAClassOtherModulesHaveNoScheme) {
  const CompressedTensorsConfig config(config_of({{"a", group_of({"model.up"}, 8)}}));
  EXPECT_FALSE(config.scheme_of("model.down"));
}

TEST(CompressedTensorsConfig, PatternsCountOverAllLists) {
  const auto most = static_cast<int>(most_patterns);
  const auto two_groups = [&](int more) {
    return json{{"a", group_of(patterns(most / 2), 4)},
                {"b", group_of(patterns(most / 2 - 10 + more), 8)}};
  };
  EXPECT_EQ(refusal(config_of(two_groups(0), patterns(10))), "it was read");
  EXPECT_THAT(refusal(config_of(two_groups(1), patterns(10))),
              testing::HasSubstr("more than 1024 patterns in all its lists"));
  EXPECT_THAT(refusal(config_of(two_groups(0), patterns(11))),
              testing::HasSubstr("more than 1024"));
}

TEST(CompressedTensorsConfig, ManyGroupsOfNamesAreLookedUpNotSearched) {
  constexpr int modules = 20'000;
  auto groups = json::object();
  for (int i = 0; i < modules; ++i) {
    const auto name = std::to_string(i);
    groups["g" + name] = group_of({"model." + name}, 4);
  }
  const auto begin = std::chrono::steady_clock::now();
  const CompressedTensorsConfig config(config_of(groups));
  for (int i = 0; i < modules; ++i) {
    const auto name = std::to_string(i);
    ASSERT_EQ(config.scheme_of("model." + name)->group, "g" + name);
    ASSERT_FALSE(config.targets_by_name("other." + name));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace moesweep::found
