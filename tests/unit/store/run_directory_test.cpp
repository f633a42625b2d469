#include <chrono>

#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/engine/store/run_directory.hpp>

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

TEST(RunDirectory, OnlyAFolderWithALockIsARun) {
  const test::TemporaryDirectory folder;
  const RunDirectory run{folder.path() / "run"};
  EXPECT_EQ(code_of([&] { require_run_directory(run); }), ExitCode::run_directory);
  create_run_directory(run);
  EXPECT_NO_THROW(require_run_directory(run));
  fs::remove(run.lock());
  EXPECT_EQ(code_of([&] { require_run_directory(run); }), ExitCode::run_directory);
}

TEST(RunDirectory, LeftoversOfKilledWritersAreRemovedAndNothingElse) {
  const test::TemporaryDirectory directory;
  const RunDirectory run{directory.path() / "run"};
  create_run_directory(run);
  // The pid of this process, and a start time that is not its own.
  auto dead = temporary_name();
  dead.insert(dead.rfind('-'), "0");
  const std::vector<fs::path> gone = {run.root / dead, run.segments() / dead, run.lock() / dead,
                                      run.artifacts() / dead,
                                      run.lock() / "e0002-node7-123.reserved"};
  const std::vector<fs::path> kept = {run.segments() / temporary_name(), run.segments() / "kept",
                                      run.lock() / "e0003-node7-123.reserved"};
  for (const auto& path : gone) publish_file(path, std::string_view("x"));
  for (const auto& path : kept) publish_file(path, std::string_view("x"));
  const auto of_an_old_version = run.segments() / ".tmp.0123456789abcdef0000";
  publish_file(of_an_old_version, std::string_view("x"));
  fs::last_write_time(of_an_old_version, fs::file_time_type::clock::now() - std::chrono::hours(25));
  publish_file(run.lock() / "e0003.json", std::string_view("x"));
  remove_leftovers(run, Epoch{3});
  for (const auto& path : gone) EXPECT_FALSE(fs::exists(path)) << path;
  for (const auto& path : kept) EXPECT_TRUE(fs::exists(path)) << path;
  EXPECT_FALSE(fs::exists(of_an_old_version));
}

}  // namespace
}  // namespace moesweep::store
