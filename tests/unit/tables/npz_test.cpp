#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/temporary_directory.hpp>

#include <moesweep/core/arrays/zip_writer.hpp>
#include <moesweep/core/base/file.hpp>

#include "every_type.hpp"

namespace moesweep::test {
namespace {

bool numpy_agrees(const std::filesystem::path& file, std::string_view kind) {
  const auto command = fmt::format("'{}' '{}' '{}' {}", MOESWEEP_NUMPY_PYTHON, MOESWEEP_CHECK_NPZ,
                                   file.string(), kind);
  return std::system(command.c_str()) == 0;
}

records::Tables two_tables() {
  records::Tables tables;
  append_row(tables, EveryTypeRow{"plain", not_a_number, ~std::uint64_t{0},
                                  std::numeric_limits<std::int64_t>::min(),
                                  std::numeric_limits<std::int32_t>::min(),
                                  std::numeric_limits<std::int8_t>::min()});
  append_row(tables, EveryTypeRow{"\xc3\xa9", infinity, 0, 1, 3, 5});
  append_row(tables, EveryTypeRow{std::string("a\0", 2), -0.0, 7, 2, 4, 6});
  append_row(tables, NoteRow{""});
  return tables;
}

std::vector<std::byte> exported(const records::Tables& tables, const std::filesystem::path& file) {
  tables::export_tables(tables, {.format = "npz", .output = file, .tables = {}});
  return read_file(file);
}

TEST(Npz, NumpyReadsEveryColumnOfAllTables) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "out.npz";
  exported(two_tables(), file);
  EXPECT_TRUE(numpy_agrees(file, "tables"));
}

TEST(Npz, EqualTablesGiveEqualBytes) {
  const TemporaryDirectory directory;
  EXPECT_EQ(exported(two_tables(), directory.path() / "a.npz"),
            exported(two_tables(), directory.path() / "b.npz"));
}

TEST(ZipWriter, MembersBeyondFourGigabytesTakeZip64Fields) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "a.zip";
  FilePublisher file(path);
  arrays::ZipWriter zip(file, 0);  // every size counts as too large
  zip.begin("a");
  const std::string text(100'000, 'x');
  zip.add(std::as_bytes(std::span(text)));
  zip.end();
  zip.begin("b/c");
  zip.end();
  zip.finish();
  file.publish();
  EXPECT_TRUE(numpy_agrees(path, "zip64"));
}

}  // namespace
}  // namespace moesweep::test
