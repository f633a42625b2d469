#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>

#include "support/temporary_directory.hpp"

namespace moesweep {
namespace {

using test::TemporaryDirectory;

TEST(PublishFile, ReplacesAtomicallyAndLeavesNoTemporary) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "a";
  publish_file(path, std::string_view("one"));
  publish_file(path, std::string_view("two"));
  EXPECT_EQ(read_text_file(path), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST(PublishFileExclusively, OneOfTwoSucceeds) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(publish_file_exclusively(directory.path() / "epoch", "first"));
  EXPECT_FALSE(publish_file_exclusively(directory.path() / "epoch", "second"));
  EXPECT_EQ(read_text_file(directory.path() / "epoch"), "first");
}

TEST(PublishFile, IntoAMissingDirectoryIsAnIoErrorNamingIt) {
  try {
    publish_file("/nonexistent/a", std::string_view("x"));
    FAIL() << "published";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::io_error);
    EXPECT_NE(error.where().find("/nonexistent"), std::string::npos);
  }
}

TEST(FilePublisher, ShowsNothingBeforePublishAndAllPiecesAfter) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "a";
  FilePublisher file(path);
  file.write(std::as_bytes(std::span(std::string_view("one "))));
  EXPECT_FALSE(std::filesystem::exists(path));
  file.write(std::as_bytes(std::span(std::string_view("two"))));
  file.publish();
  EXPECT_EQ(read_text_file(path), "one two");
}

TEST(FilePublisher, PutsPiecesWhereTheyBelong) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "f";
  FilePublisher file(path);
  file.write_at(3, std::as_bytes(std::span("def", 3)));
  file.write_at(0, std::as_bytes(std::span("abc", 3)));
  file.publish();
  EXPECT_EQ(read_text_file(path), "abcdef");
}

TEST(FilePublisher, LeavesNothingWhenItIsNotPublished) {
  const TemporaryDirectory directory;
  {
    FilePublisher file(directory.path() / "a");
    file.write(std::as_bytes(std::span(std::string_view("half"))));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(ReadExactly, PastTheEndIsBadInput) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "short";
  publish_file(path, std::string_view("abc"));
  const auto file = open_for_reading(path);
  std::vector<std::byte> out(4);
  EXPECT_THROW(read_exactly(file, 0, out, path), Error);
}

TEST(ReadTextFile, RefusesMoreThanItsReaderTakes) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "a";
  publish_file(path, std::string_view("1234"));
  EXPECT_EQ(read_text_file(path, 4), "1234");
  const auto refuse = [&](auto... limit) {
    try {
      read_text_file(path, limit...);
      ADD_FAILURE() << "it was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
      EXPECT_EQ(error.where(), path.string());
      EXPECT_NE(error.problem().find("more than"), std::string::npos);
    }
  };
  refuse(std::uint64_t{3});
  std::filesystem::resize_file(path, largest_text_file + 1);  // of holes
  refuse();
}

TEST(OpenForReading, RefusesAFifoWithoutWaiting) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THROW(open_for_reading(path), Error);
}

TEST(IoErrorOf, NamesThePathAndTheSystemsReason) {
  const auto full = std::make_error_code(std::errc::no_space_on_device);
  const auto error = io_error_of(std::filesystem::filesystem_error("mkdir", "/full/run", full));
  EXPECT_EQ(error.exit_code(), ExitCode::io_error);
  EXPECT_EQ(error.where(), "/full/run");
  EXPECT_NE(error.problem().find("No space left"), std::string::npos);
  EXPECT_FALSE(error.remedy().empty());
}

TEST(IoErrorOf, BlamesTheWorkingDirectoryWhereThereIsNoPath) {
  const auto gone = std::make_error_code(std::errc::no_such_file_or_directory);
  EXPECT_EQ(io_error_of(std::filesystem::filesystem_error("cwd", gone)).where(),
            "working directory");
}

TEST(OverwriteFile, KeepsTheSpaceThatIsThere) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "reserved";
  publish_file(path, std::string(6, '\n'));
  overwrite_file(path, "abc");
  EXPECT_EQ(read_text_file(path), "abc\n\n\n");
  rename_durably(path, directory.path() / "end");
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(read_text_file(directory.path() / "end"), "abc\n\n\n");
}

TEST(AppendLine, AddsToTheEnd) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "log";
  append_line(path, "one");
  append_line(path, "two");
  EXPECT_EQ(read_text_file(path), "one\ntwo\n");
}

}  // namespace
}  // namespace moesweep
