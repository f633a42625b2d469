// Files beside the weights: what is read and published never comes from outside.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <moesweep/model/checkpoint/companion.hpp>

#include "safetensors_bytes.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;
using moesweep::test::TemporaryDirectory;
using test::write_text;
using testing::AllOf;
using testing::HasSubstr;

class CompanionFile : public testing::Test {
 protected:
  CompanionFile() {
    fs::create_directories(folder_);
    write_text(directory_.path() / "secret", "private");
  }
  void link(const fs::path& target, const std::string& name = "vocab.txt") {
    fs::remove(folder_ / name);
    fs::create_symlink(target, folder_ / name);
  }
  std::string refused(const std::string& name = "vocab.txt") {
    return test::refusal([&] { read_companion(folder_, name); });
  }

  TemporaryDirectory directory_;
  fs::path folder_ = directory_.path() / "model";
};

TEST_F(CompanionFile, FilesAndLinksWithinTheFolderAreRead) {
  write_text(folder_ / "config.json", "{}");
  EXPECT_EQ(read_companion(folder_, "config.json"), "{}");
  write_text(folder_ / "files" / "x", "inside");
  link("files/x");
  EXPECT_EQ(read_companion(folder_, "vocab.txt"), "inside");
  fs::create_directory_symlink(folder_, directory_.path() / "linked");
  EXPECT_EQ(read_companion(directory_.path() / "linked", "vocab.txt"), "inside");
}

TEST_F(CompanionFile, LinksThatLeadOutAreRefusedWithTheirTarget) {
  for (const auto& target : {fs::path("../secret"), directory_.path() / "secret"}) {
    link(target);
    EXPECT_THAT(refused(), AllOf(HasSubstr("vocab.txt: leads out of the checkpoint"),
                                 HasSubstr("secret"), HasSubstr("put a copy")));
    const auto found = find_companion(folder_, "vocab.txt");
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->is_inside);
  }
}

TEST_F(CompanionFile, AFolderWhoseNameOnlyBeginsLikeTheCheckpointIsOutside) {
  write_text(directory_.path() / "model-2" / "x", "other");
  link("../model-2/x");
  EXPECT_THAT(refused(), HasSubstr("leads out"));
}

TEST_F(CompanionFile, ALinkThroughALinkedFolderIsRefused) {
  write_text(directory_.path() / "elsewhere" / "x", "other");
  fs::create_directory_symlink(directory_.path() / "elsewhere", folder_ / "sub");
  link("sub/x");
  EXPECT_THAT(refused(), HasSubstr("leads out"));
}

TEST_F(CompanionFile, ASnapshotOfAHuggingFaceCacheMayLinkIntoItsBlobsOnly) {
  const auto repository = directory_.path() / "models--org--name";
  folder_ = repository / "snapshots" / "0123abcd";
  fs::create_directories(folder_);
  write_text(repository / "blobs" / "hash", "blob");
  link("../../blobs/hash");
  EXPECT_EQ(read_companion(folder_, "vocab.txt"), "blob");
  write_text(repository / "blobs-2" / "hash", "other");
  link("../../blobs-2/hash");
  EXPECT_THAT(refused(), HasSubstr("leads out"));
  link("../../../secret");
  EXPECT_THAT(refused(), HasSubstr("leads out"));
  fs::create_symlink(directory_.path() / "secret", repository / "blobs" / "onwards");
  link("../../blobs/onwards");
  EXPECT_THAT(refused(), HasSubstr("leads out"));
  fs::rename(repository / "blobs", directory_.path() / "elsewhere");
  fs::create_directory_symlink(directory_.path() / "elsewhere", repository / "blobs");
  link("../../blobs/hash");
  EXPECT_THAT(refused(), HasSubstr("leads out")) << "blobs itself is a link";
}

TEST_F(CompanionFile, BlobsBesideAnOrdinaryFolderAreOutside) {
  folder_ = directory_.path() / "models" / "m";
  fs::create_directories(folder_);
  write_text(directory_.path() / "blobs" / "hash", "blob");
  link("../../blobs/hash");
  EXPECT_THAT(refused(), HasSubstr("leads out"));
}

TEST_F(CompanionFile, WhatIsNotThereIsNothing) {
  EXPECT_FALSE(read_companion(folder_, "vocab.txt"));
  link("nothing");
  EXPECT_FALSE(read_companion(folder_, "vocab.txt"));
  EXPECT_FALSE(read_companion(directory_.path() / "no" / "folder", "vocab.txt"));
}

TEST_F(CompanionFile, CirclesPipesAndNamesThatStepOutAreRefused) {
  link("vocab.txt");
  EXPECT_THAT(refused(), HasSubstr("cannot be followed"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(refused("pipe"), HasSubstr("is not a regular file"));
  for (const std::string name :
       {"../secret", "/etc/passwd", "", ".", "a\x1b", "sub/../../secret"}) {
    EXPECT_THAT(refused(name), HasSubstr("is not a plain path")) << name;
  }
}

TEST_F(CompanionFile, WhatIsTooLargeForATextIsRefused) {
  write_text(folder_ / "config.json", "{}");
  fs::resize_file(folder_ / "config.json", most_companion_text + 1);
  EXPECT_THAT(refused("config.json"), HasSubstr("is larger than 64 MiB"));
}

}  // namespace
}  // namespace moesweep::checkpoint
