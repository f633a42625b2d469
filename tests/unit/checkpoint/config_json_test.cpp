#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/companion.hpp>
#include <moesweep/model/checkpoint/config_json.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;

TEST(ConfigJson, IsBelowAFolderOrBesideAFile) {
  const test::TemporaryDirectory folder;
  EXPECT_EQ(config_text(folder.path()), "");
  publish_file(folder.path() / "config.json", std::string_view("{}"));
  publish_file(folder.path() / "model.safetensors", std::string_view("x"));
  EXPECT_EQ(config_text(folder.path()), "{}");
  EXPECT_EQ(config_text(folder.path() / "model.safetensors"), "{}");
}

TEST(ConfigJson, BeyondAnyModelsIsRefusedUnread) {
  const test::TemporaryDirectory folder;
  const auto file = folder.path() / "config.json";
  publish_file(file, std::string_view("{}"));
  fs::resize_file(file, most_companion_text + 1);
  EXPECT_THROW(config_text(folder.path()), Error);
  EXPECT_THROW(config_text_of_file(file), Error);
}

TEST(ConfigJson, IsAnObjectWithPythonsNumbers) {
  EXPECT_TRUE(parse_config("").empty());
  EXPECT_EQ(parse_config(R"({"a": Infinity, "layers": 3})").at("layers"), 3);
  for (const auto* text : {"[]", "3", "{", "null"}) {
    try {
      parse_config(text, {.file = "model/config.json", .remedy = "mend it"});
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_EQ(error.where(), "model/config.json");
    }
  }
  const auto ordered = parse_ordered_config(R"({"z": 1, "a": 2})", {.file = "c"});
  EXPECT_EQ(ordered.dump(), R"({"z":1,"a":2})");
}

TEST(CheckpointName, IsThatOfTheModelNotOfItsPlace) {
  EXPECT_EQ(name_of("/home/me/models/tiny-moe"), "tiny-moe");
  EXPECT_EQ(name_of("/home/me/models/tiny-moe/"), "tiny-moe");
  EXPECT_EQ(name_of("models/../tiny.safetensors"), "tiny.safetensors");
  EXPECT_EQ(name_of("/m/tiny/model.safetensors.index.json"), "tiny");
  EXPECT_EQ(name_of("/hub/models--owner--some-name"), "owner/some-name");
  EXPECT_EQ(name_of("/hub/models--owner--some-name/snapshots/0123abcd"), "owner/some-name");
  EXPECT_EQ(name_of(fs::path(".")), fs::current_path().filename().string());
}

}  // namespace
}  // namespace moesweep::checkpoint
