#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/temporary_directory.hpp>
#include <sys/resource.h>

#include <moesweep/app/tables/export.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/units.hpp>
#include <moesweep/engine/store/results.hpp>

#include "every_type.hpp"

namespace moesweep::test {

std::vector<std::string> exported_lines(const records::Tables& tables, const std::string& format) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "table";
  tables::export_tables(tables, {format, file, {tables.begin()->first}, false});
  std::ifstream in(file, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

namespace {

using tables::export_tables;
using tables::ExportOptions;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

class Export : public testing::Test {
 protected:
  Export() {
    append_row(tables_, EveryTypeRow{.text = "a"});
    append_row(tables_, NoteRow{"n"});
    append_row(tables_, NoteRow{"m"});
  }
  void expect_refused(const ExportOptions& options, ExitCode code, const std::string& message) {
    try {
      export_tables(tables_, options);
      FAIL() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }

  TemporaryDirectory directory_;
  std::filesystem::path out_ = directory_.path() / "out";
  records::Tables tables_;
};

TEST_F(Export, OfAllTablesIsOneFileATableInANewFolder) {
  const auto report = export_tables(tables_, {"csv", out_ / "deep", {}, false});
  EXPECT_THAT(names_in(out_ / "deep"), UnorderedElementsAre("every_type.csv", "notes.csv"));
  ASSERT_EQ(report.size(), 2U);
  EXPECT_EQ(report[1].table, "notes");
  EXPECT_EQ(report[1].rows, 2);
  EXPECT_EQ(report[1].file, out_ / "deep" / "notes.csv");
}

TEST_F(Export, OfOneNamedTableIsTheFileItself) {
  export_tables(tables_, {"jsonl", out_, {"notes"}, false});
  EXPECT_EQ(read_text_file(out_), "{\"note\":\"n\"}\n{\"note\":\"m\"}\n");
}

TEST_F(Export, OfOneNamedTableGoesIntoAnExistingFolderAndIntoOneNamedWithASlash) {
  std::filesystem::create_directory(out_);
  export_tables(tables_, {"csv", out_, {"notes"}, false});
  EXPECT_EQ(read_text_file(out_ / "notes.csv"), "note\nn\nm\n");
  export_tables(tables_, {"csv", directory_.path() / "new" / "", {"notes"}, false});
  EXPECT_EQ(read_text_file(directory_.path() / "new" / "notes.csv"), "note\nn\nm\n");
}

TEST_F(Export, OfATableNamedTwiceWritesItOnce) {
  EXPECT_EQ(export_tables(tables_, {"csv", out_, {"notes", "notes"}, false}).size(), 1U);
  EXPECT_EQ(read_text_file(out_), "note\nn\nm\n");
}

TEST_F(Export, OfAnUnknownTableNamesTheNearest) {
  expect_refused({"csv", out_, {"evry/type"}, false}, ExitCode::bad_usage,
                 "table \"evry/type\": is unknown; did you mean \"every/type\"?");
  expect_refused({"csv", out_, {"notes", "zzzzzzzzzzzz"}, false}, ExitCode::bad_usage,
                 "there are every/type, notes");
  EXPECT_FALSE(std::filesystem::exists(out_));
}

TEST_F(Export, OfATableThatThisRunDidNotMakeSaysSo) {
  expect_refused({"csv", out_, {"failures"}, false}, ExitCode::bad_usage,
                 "is not in the results of this run");
}

TEST_F(Export, OfResultsWithoutTablesIsRefused) {
  tables_.clear();
  expect_refused({"csv", out_, {}, false}, ExitCode::bad_input, "hold no table");
}

TEST_F(Export, WithoutAnOutputIsRefused) {
  expect_refused({"csv", "", {}, false}, ExitCode::bad_usage, "no output path");
}

TEST_F(Export, NeverReplacesAFileUnasked) {
  std::filesystem::create_directory(out_);
  publish_file(out_ / "notes.csv", "mine");
  expect_refused({"csv", out_, {}, false}, ExitCode::bad_usage, "notes.csv: exists already");
  EXPECT_EQ(read_text_file(out_ / "notes.csv"), "mine");
  EXPECT_THAT(names_in(out_), ElementsAre("notes.csv"));
}

TEST_F(Export, ReplacesAFileWhenAsked) {
  publish_file(out_, "mine");
  export_tables(tables_, {"csv", out_, {"notes"}, true});
  EXPECT_EQ(read_text_file(out_), "note\nn\nm\n");
}

TEST_F(Export, NeverReplacesALinkEvenWhenAsked) {
  publish_file(directory_.path() / "target", "mine");
  std::filesystem::create_symlink("target", out_);
  expect_refused({"csv", out_, {"notes"}, true}, ExitCode::bad_usage, "not a regular file");
  EXPECT_EQ(read_text_file(directory_.path() / "target"), "mine");
}

TEST_F(Export, OfSeveralTablesIntoAFileIsRefused) {
  publish_file(out_, "mine");
  expect_refused({"csv", out_, {}, true}, ExitCode::bad_usage, "is not a folder");
  EXPECT_EQ(read_text_file(out_), "mine");
}

TEST_F(Export, ToAFileInAMissingFolderIsRefused) {
  expect_refused({"csv", out_ / "a.csv", {"notes"}, false}, ExitCode::bad_usage, "create it first");
}

TEST_F(Export, ToAFolderThatCannotBeCreatedIsAnIoError) {
  expect_refused({"csv", "/proc/moesweep/out", {}, false}, ExitCode::io_error, "cannot be created");
}

TEST_F(Export, OfTablesThatWouldTakeOneNameIsRefused) {
  records::TableInfo twin = records::table_info<EveryTypeRow>();
  twin.name = "Every_type";
  tables_.emplace(twin.name, records::Table(twin));
  expect_refused({"csv", out_, {}, false}, ExitCode::bad_input, "same name");
  EXPECT_FALSE(std::filesystem::exists(out_));
}

/// Lets no file grow beyond `bytes` for the scope: a disk that fills up, without one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(Export, ThatFailsHalfWayLeavesNoFile) {
  std::filesystem::create_directory(out_);
  for (int i = 0; i < 20'000; ++i) append_row(tables_, NoteRow{"a text of some length"});
  std::vector<std::string> formats = {"csv", "jsonl"};
#ifdef MOESWEEP_HAS_SQLITE
  formats.push_back("sqlite");
#endif
  for (const auto& format : formats) {
    const auto output = format == "sqlite" ? out_ / "results.db" : out_;
    const FileSizeLimit limit(100'000);
    expect_refused({format, output, {}, false}, ExitCode::io_error, out_.string());
    EXPECT_THAT(names_in(out_), testing::IsEmpty());
  }
}

TEST_F(Export, OfManyRowsLosesNone) {
  constexpr int rows = 200'000;
  tables_.clear();
  for (int i = 0; i < rows; ++i) append_row(tables_, EveryTypeRow{.text = "t", .middle = i});
  const auto lines = exported_lines(tables_, "csv");
  ASSERT_EQ(lines.size(), rows + 1U);
  for (int i = 0; i < rows; ++i) {
    ASSERT_EQ(lines[static_cast<std::size_t>(i) + 1],
              "t,0,0x0000000000000000,0," + std::to_string(i) + ",0");
  }
}

TEST_F(Export, WritesWhatAResultsFileHolds) {
  records::Tables tables;
  append_row(tables, records::DistortionRow{"experts.0", -1, "affine", 4, 64, 4.5, 0.25, 4, 0.25});
  append_row(tables, records::FailureRow{"key", "=cmd|'/c calc'!A1"});
  store::write_results(directory_.path() / "results.h5", tables, {});
  const auto results = store::read_results(directory_.path() / "results.h5");
  export_tables(results.tables, {"csv", out_, {}, false});
  EXPECT_EQ(read_text_file(out_ / "sensitivity_distortion.csv"),
            "tensor,slice,quantizer,bits,group_size,bits_per_weight,sse,sum_squares,nrmse\n"
            "experts.0,-1,affine,4,64,4.5,0.25,4,0.25\n");
  EXPECT_EQ(read_text_file(out_ / "failures.csv"), "key,error\nkey,'=cmd|'/c calc'!A1\n");
}

TEST(Format, IsFoundByItsName) {
  for (const auto& name : tables::format_names()) EXPECT_NO_THROW(tables::require_format(name));
}

TEST(Format, UnknownNamesTheNearest) {
  try {
    tables::require_format("sqlit");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_usage);
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"sqlite\"?"));
  }
}

}  // namespace
}  // namespace moesweep::test
