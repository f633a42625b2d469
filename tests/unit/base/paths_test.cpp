#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/retried.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

template <typename Step>
ExitCode code_of(Step step) {
  try {
    step();
  } catch (const Error& error) {
    return error.exit_code();
  }
  return ExitCode::complete;
}

TEST(Retried, MakesAnInterruptedCallAgainAndGivesAnyOtherErrorBack) {
  int calls = 0;
  const auto interrupted_twice = [&] {
    errno = EINTR;
    return ++calls > 2 ? 7 : -1;
  };
  EXPECT_EQ(retried(interrupted_twice), 7);
  calls = 0;
  const auto broken = [&] {
    ++calls;
    errno = EIO;
    return -1;
  };
  EXPECT_EQ(retried(broken), -1);
  EXPECT_EQ(calls, 1);
}

TEST(RetriedWithCode, MakesTheCallAgainWhileItSaysTryAgain) {
  int calls = 0;
  const auto error = retried_with_code([&](std::error_code& code) {
    if (++calls < 4) code = std::make_error_code(std::errc::resource_unavailable_try_again);
  });
  EXPECT_FALSE(error);
  EXPECT_EQ(calls, 4);
  const auto stale = std::error_code(ESTALE, std::generic_category());
  EXPECT_EQ(retried_with_code([&](std::error_code& code) { code = stale; }), stale);
}

TEST(LinkStatusOf, IsOfTheLinkAndStatusOfIsOfWhatItLeadsTo) {
  const TemporaryDirectory directory;
  const auto link = directory.path() / "link";
  fs::create_symlink("nothing", link);
  EXPECT_EQ(link_status_of(link).type(), fs::file_type::symlink);
  EXPECT_EQ(status_of(link).type(), fs::file_type::not_found);
  EXPECT_EQ(link_status_of(directory.path() / "nothing").type(), fs::file_type::not_found);
}

TEST(SizeOfFileAt, IsOfRegularFilesAlone) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  publish_file(file, std::string_view("abc"));
  fs::create_symlink("file", directory.path() / "link");
  EXPECT_EQ(size_of_file_at(file), 3U);
  EXPECT_EQ(size_of_file_at(directory.path() / "link"), 3U);
  EXPECT_FALSE(size_of_file_at(directory.path()));
  EXPECT_FALSE(size_of_file_at(directory.path() / "nothing"));
  EXPECT_FALSE(size_of_file_at(file / "below a file"));
  ASSERT_EQ(::mkfifo((directory.path() / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(size_of_file_at(directory.path() / "fifo"));
}

TEST(SizeOfFileAt, ALoopOfLinksIsAnErrorWithTheCodeThatWasAskedFor) {
  const TemporaryDirectory directory;
  fs::create_symlink("loop", directory.path() / "loop");
  const auto look = [&] { size_of_file_at(directory.path() / "loop", ExitCode::bad_input); };
  EXPECT_EQ(code_of(look), ExitCode::bad_input);
}

TEST(PathsBelow, AreAllThatAreNoFoldersSorted) {
  const TemporaryDirectory directory;
  make_folders(directory.path() / "b" / "deep");
  make_folders(directory.path() / "empty");
  publish_file(directory.path() / "b" / "deep" / "2", std::string_view("x"));
  publish_file(directory.path() / "a", std::string_view("x"));
  fs::create_directory_symlink("b", directory.path() / "link");  // not entered
  const std::vector<fs::path> expected = {
      directory.path() / "a", directory.path() / "b" / "deep" / "2", directory.path() / "link"};
  EXPECT_EQ(paths_below(directory.path()), expected);
}

TEST(MakeFolders, MakesParentsAndLeavesWhatIsThere) {
  const TemporaryDirectory directory;
  const auto folder = directory.path() / "a" / "b" / "..";
  make_folders(folder / "c" / "");
  publish_file(directory.path() / "a" / "c" / "kept", std::string_view("x"));
  make_folders(directory.path() / "a" / "c");
  EXPECT_TRUE(fs::is_directory(directory.path() / "a" / "b"));
  EXPECT_TRUE(fs::exists(directory.path() / "a" / "c" / "kept"));
}

TEST(MakeFolders, InThePlaceOfAFileHasTheCodeThatWasAskedForAndNamesIt) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  publish_file(file, std::string_view("x"));
  for (const auto& folder : {file, file / "run", file / "run" / "lock"}) {
    try {
      make_folders(folder, ExitCode::run_directory);
      FAIL() << folder;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::run_directory);
      EXPECT_EQ(error.where(), folder.string());
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
      EXPECT_FALSE(error.remedy().empty());
    }
  }
}

TEST(RequireFolderOf, RefusesAMissingFolderAndTakesTheCurrentOne) {
  const TemporaryDirectory directory;
  EXPECT_NO_THROW(require_folder_of("plan.json"));
  EXPECT_NO_THROW(require_folder_of(directory.path() / "plan.json"));
  try {
    require_folder_of(directory.path() / "missing" / "plan.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_usage);
    EXPECT_EQ(error.where(), (directory.path() / "missing").string());
    EXPECT_EQ(error.remedy(), "create it first");
  }
}

}  // namespace
}  // namespace moesweep
