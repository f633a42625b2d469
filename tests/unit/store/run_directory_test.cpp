#include <gtest/gtest.h>

#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/store/run_directory.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

namespace fs = std::filesystem;

ExitCode code_of(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    return error.exit_code();
  }
  return ExitCode::complete;
}

TEST(RunDirectory, IsCreatedWithItsParentsAndAgainWithoutHarm) {
  const test::TemporaryDirectory folder;
  const RunDirectory run{folder.path() / "deep" / "run"};
  create_run_directory(run);
  test::write_bytes(run.segments() / "kept", {});
  create_run_directory(run);
  EXPECT_TRUE(fs::is_directory(run.lock()));
  EXPECT_TRUE(fs::is_directory(run.artifacts()));
  EXPECT_TRUE(fs::exists(run.segments() / "kept"));
}

TEST(RunDirectory, AnEmptyFolderIsTaken) {
  const test::TemporaryDirectory folder;
  EXPECT_NO_THROW(create_run_directory({folder.path()}));
}

TEST(RunDirectory, AFolderThatHoldsSomethingElseIsRefusedAndLeftAlone) {
  const test::TemporaryDirectory folder;
  test::write_bytes(folder.path() / "thesis.tex", {});
  EXPECT_EQ(code_of([&] { create_run_directory({folder.path()}); }), ExitCode::run_directory);
  EXPECT_FALSE(fs::exists(folder.path() / "lock"));
}

TEST(RunDirectory, AFileInItsPlaceIsRefused) {
  const test::TemporaryDirectory folder;
  const std::byte content{'x'};
  for (const std::size_t size : {0U, 1U}) {
    test::write_bytes(folder.path() / "file", std::span(&content, size));
    EXPECT_EQ(code_of([&] { create_run_directory({folder.path() / "file"}); }),
              ExitCode::run_directory);
    EXPECT_EQ(code_of([&] { create_run_directory({folder.path() / "file" / "run"}); }),
              ExitCode::run_directory);
  }
}

TEST(RunDirectory, OnlyAFolderWithAJobIsARun) {
  const test::TemporaryDirectory folder;
  const RunDirectory run{folder.path() / "run"};
  EXPECT_EQ(code_of([&] { require_run_directory(run); }), ExitCode::run_directory);
  create_run_directory(run);
  EXPECT_EQ(code_of([&] { require_run_directory(run); }), ExitCode::run_directory);
  test::write_bytes(run.job(), {});
  EXPECT_NO_THROW(require_run_directory(run));
}

TEST(RunDirectory, LeftoversOfKilledWritersAreRemovedAndNothingElse) {
  const test::TemporaryDirectory directory;
  const RunDirectory run{directory.path() / "run"};
  create_run_directory(run);
  publish_file(run.segments() / ".tmp.0123", std::string_view("half a segment"));
  publish_file(run.segments() / "kept", std::string_view("x"));
  publish_file(run.lock() / ".tmp.4567", std::string_view("x"));
  remove_leftovers(run);
  EXPECT_FALSE(std::filesystem::exists(run.segments() / ".tmp.0123"));
  EXPECT_FALSE(std::filesystem::exists(run.lock() / ".tmp.4567"));
  EXPECT_TRUE(std::filesystem::exists(run.segments() / "kept"));
}

}  // namespace
}  // namespace moesweep::store
