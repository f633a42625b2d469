#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <moesweep/base/error.hpp>
#include <moesweep/records/sensitivity.hpp>
#include <moesweep/store/results.hpp>

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
