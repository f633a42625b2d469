#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/unfinished.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const auto recipe = "twin --seed 1";

// By a process that ends without finishing.
void begin_and_die(const fs::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    begin_folder(folder, recipe);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

TEST(UnfinishedFolder, IsNewUntilItIsFinished) {
  const test::TemporaryDirectory parent;
  const auto folder = parent.path() / "deep" / "out";
  EXPECT_FALSE(begin_folder(folder, recipe));
  EXPECT_EQ(unfinished_recipe(folder), recipe);
  finish_folder(folder);
  EXPECT_EQ(unfinished_recipe(folder), "");
  EXPECT_TRUE(fs::is_empty(folder));
}

// A temporary file whose removal failed once.
TEST(UnfinishedFolder, IsHandedOverWithoutTemporaryFiles) {
  const test::TemporaryDirectory folder;
  begin_folder(folder.path(), recipe);
  publish_file(folder.path() / "config.json", "{}");
  publish_file(folder.path() / temporary_name(), "of this process");
  publish_file(folder.path() / ".tmp.notes", "of a user");
  finish_folder(folder.path());
  EXPECT_THAT(names_in_folder(folder.path()), ::testing::ElementsAre(".tmp.notes", "config.json"));
}

TEST(UnfinishedFolder, GoesOnAfterAKill) {
  const test::TemporaryDirectory folder;
  begin_and_die(folder.path());
  publish_file(folder.path() / "model-00001-of-00002.safetensors", "whole");
  EXPECT_TRUE(begin_folder(folder.path(), recipe));
  EXPECT_TRUE(fs::exists(folder.path() / "model-00001-of-00002.safetensors"));
}

TEST(UnfinishedFolder, OfAnotherRecipeOrALivingWriterIsRefused) {
  const test::TemporaryDirectory folder;
  begin_folder(folder.path(), recipe);
  EXPECT_THAT([&] { begin_folder(folder.path(), "twin --seed 2"); },
              ThrowsMessage<Error>(HasSubstr("\"twin --seed 1\" and not finished")));
  EXPECT_THAT([&] { begin_folder(folder.path(), recipe); },
              ThrowsMessage<Error>(HasSubstr("is being written by another process")));
}

TEST(UnfinishedFolder, OneThatIsNotOursIsLeftAlone) {
  const test::TemporaryDirectory folder;
  publish_file(folder.path() / "thesis.tex", "mine");
  EXPECT_THAT([&] { begin_folder(folder.path(), recipe); },
              ThrowsMessage<Error>(HasSubstr("is not empty")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(UnfinishedFolder, WithADamagedMarkerIsOfNoRecipe) {
  const test::TemporaryDirectory folder;
  for (const char* text : {"", "{", "[]", R"({"recipe": 3, "writer": ""})"}) {
    std::ofstream(folder.path() / ".moesweep-unfinished") << text;
    EXPECT_THROW(begin_folder(folder.path(), recipe), Error) << text;
    EXPECT_FALSE(unfinished_recipe(folder.path()).empty()) << text;
  }
}

TEST(UnfinishedFolder, IsNoCheckpoint) {
  const test::TemporaryDirectory folder;
  begin_folder(folder.path(), recipe);
  EXPECT_THAT([&] { open_checkpoint(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("is not finished: \"twin --seed 1\"")));
}

}  // namespace
}  // namespace moesweep::checkpoint
