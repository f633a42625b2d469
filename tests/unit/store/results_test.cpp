#include <random>
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/results.hpp>

#include "checksum_block.hpp"
#include "support/temporary_directory.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using records::Tables;

TEST(Results, TablesAndAttributesSurviveTheTrip) {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "results.h5";
  Tables tables;
  for (int i = 0; i < 1000; ++i)
    records::append_row(tables, test::distortion("t" + std::to_string(i), i));
  records::append_row(tables, records::FailureRow{"key", std::string(20'000, 'e')});
  write_results(path, tables, {{"digest", "0123"}, {"empty", ""}});
  const auto read = read_results(path);
  EXPECT_EQ(digest_of(read.tables), digest_of(tables));
  EXPECT_EQ(records::rows_of<records::FailureRow>(read.tables).at(0).error.size(), 20'000U);
  EXPECT_EQ(read.attributes.at("digest"), "0123");
  EXPECT_EQ(read.attributes.at("empty"), "");
  EXPECT_EQ(read.attributes.at("schema_version"), results_schema_version);
}

TEST(Results, TablesWithoutRowsAndNoTablesAtAllSurvive) {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "results.h5";
  const auto& info = records::table_info<records::DistortionRow>();
  Tables tables;
  tables.emplace(info.name, records::Table(info));
  write_results(path, tables, {});
  EXPECT_EQ(read_results(path).tables.at(info.name).rows(), 0U);
  write_results(path, {}, {});
  EXPECT_TRUE(read_results(path).tables.empty());
}

TEST(Results, AreReplacedAsAWhole) {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "results.h5";
  Tables tables;
  records::append_row(tables, test::distortion("t", 1.0));
  write_results(path, tables, {{"run", "first"}});
  write_results(path, {}, {{"run", "second"}});
  const auto read = read_results(path);
  EXPECT_TRUE(read.tables.empty());
  EXPECT_EQ(read.attributes.at("run"), "second");
}

TEST(Results, ColumnsAreChunkedShuffledDeflatedAndDescribed) {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "results.h5";
  Tables tables;
  records::append_row(tables, test::distortion("t", 1.0));
  write_results(path, tables, {});
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t dataset = H5Dopen2(file, "sensitivity/distortion/sse", H5P_DEFAULT);
  ASSERT_GE(dataset, 0);
  const hid_t properties = H5Dget_create_plist(dataset);
  EXPECT_EQ(H5Pget_layout(properties), H5D_CHUNKED);
  EXPECT_EQ(H5Pget_nfilters(properties), 2);
  EXPECT_GT(H5Aexists(dataset, "description"), 0);
  EXPECT_GT(H5Aexists(dataset, "unit"), 0);
  H5Pclose(properties);
  H5Dclose(dataset);
  H5Fclose(file);
}

/// The file with its bytes changed: what reading it throws, or an empty text.
class DamagedFile : public ::testing::Test {
 protected:
  DamagedFile() {
    Tables tables;
    for (int i = 0; i < 20; ++i) records::append_row(tables, test::distortion("t", i));
    write_results(path_, tables, {{"run", "sound"}});
    whole_ = read_file(path_);
  }

  std::string problem_of(std::span<const std::byte> bytes) {
    test::write_bytes(path_, bytes);
    try {
      read_results(path_);
    } catch (const DamagedResults& damaged) {
      EXPECT_EQ(damaged.exit_code(), ExitCode::bad_input);
      EXPECT_EQ(damaged.where(), path_.string());
      EXPECT_THAT(damaged.remedy(),
                  ::testing::HasSubstr("moesweep aggregate " + folder_.path().string()));
      return damaged.problem();
    }
    return {};
  }

  std::string problem_with_flipped(std::size_t bit) {
    auto bytes = whole_;
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
    return problem_of(bytes);
  }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "results.h5";
  std::vector<std::byte> whole_;
};

TEST_F(DamagedFile, EveryBitOfTheBlockInFrontCounts) {
  ASSERT_EQ(problem_of(whole_), "");
  for (std::size_t bit = 0; bit < 8 * checksum_block_bytes; ++bit) {
    auto bytes = whole_;
    bytes[bit / 8] ^= std::byte{1} << bit % 8;
    ASSERT_FALSE(matches_checksum_block(bytes)) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * checksum_block_bytes; bit += 61) {
    ASSERT_EQ(problem_with_flipped(bit), "does not match its checksum") << bit;
  }
}

TEST_F(DamagedFile, AFlippedBitAnywhereBehindItIsFound) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200; ++i) {
    const auto bit =
        8 * checksum_block_bytes + random() % (8 * (whole_.size() - checksum_block_bytes));
    ASSERT_EQ(problem_with_flipped(bit), "does not match its checksum") << bit;
  }
}

TEST_F(DamagedFile, CutOffOrLengthenedIsFound) {
  const std::span all(whole_);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, checksum_block_bytes - 1,
                                 checksum_block_bytes, all.size() / 2, all.size() - 1}) {
    EXPECT_EQ(problem_of(all.first(size)), "does not match its checksum") << size;
  }
  auto longer = whole_;
  longer.push_back(std::byte{0});
  EXPECT_EQ(problem_of(longer), "does not match its checksum");
  std::filesystem::remove(path_);
  EXPECT_THROW(read_results(path_), DamagedResults);
}

TEST_F(DamagedFile, AnOlderFileWithoutAChecksumIsRefusedWithTheRemedy) {
  test::write_bytes(path_, std::span(whole_).subspan(checksum_block_bytes));
  try {
    read_results(path_);
    FAIL() << "it was read";
  } catch (const DamagedResults&) {
    FAIL() << "it is not damaged, and another version's results are not replaced unasked";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("has no checksum"));
    EXPECT_THAT(error.remedy(), ::testing::HasSubstr("moesweep aggregate"));
  }
}

TEST_F(DamagedFile, TheBlockIsTextThatNamesLengthAndHash) {
  const auto contents = std::span(whole_).subspan(checksum_block_bytes);
  const std::string text(reinterpret_cast<const char*>(whole_.data()), checksum_block_bytes);
  EXPECT_EQ(text.substr(0, text.find('\0')), "moesweep results 1\nbytes " +
                                                 std::to_string(contents.size()) + "\nxxh3-128 " +
                                                 hash128(contents).hex() + "\n");
}

TEST(Results, AnUnwritableFolderIsAnErrorThatNamesIt) {
  try {
    write_results("no/such/folder/results.h5", {}, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::io_error);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no/such/folder"));
  }
}

}  // namespace
}  // namespace moesweep::store
