#include "hdf5_table.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "hdf5_image.hpp"

namespace moesweep::store {
namespace {

using records::ColumnType;
using records::Table;
using records::TableInfo;

const TableInfo& every_type() {
  static const TableInfo info{"deep/in/every_type",
                              "",
                              true,
                              {{"int8", ColumnType::int8, "", ""},
                               {"int32", ColumnType::int32, "", ""},
                               {"int64", ColumnType::int64, "", ""},
                               {"uint64", ColumnType::uint64, "", ""},
                               {"float64", ColumnType::float64, "", ""},
                               {"text", ColumnType::text, "", ""}}};
  return info;
}

Table extremes() {
  Table table(every_type());
  table.columns[0] = std::vector<std::int8_t>{-128, 127};
  table.columns[1] = std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min(), 1};
  table.columns[2] = std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 1};
  table.columns[3] = std::vector<std::uint64_t>{std::numeric_limits<std::uint64_t>::max(), 0};
  table.columns[4] = std::vector<double>{-0.0, std::numeric_limits<double>::infinity()};
  table.columns[5] = std::vector<std::string>{"", std::string(100'000, 'x')};
  return table;
}

Table round_trip(const Table& table, Packing packing) {
  const auto image =
      build_image([&](hid_t file) { write_table(file, table.info->name, table, packing); });
  std::optional<Table> read;
  with_image(image, "image", [&](hid_t file) { read = read_table(file, *table.info, "image"); });
  EXPECT_TRUE(read);
  return *read;
}

TEST(Hdf5Table, EveryColumnTypeSurvivesTheTrip) {
  for (const auto packing : {Packing::contiguous, Packing::compressed}) {
    EXPECT_EQ(round_trip(extremes(), packing).columns, extremes().columns);
  }
}

TEST(Hdf5Table, TablesWithoutRowsSurvive) {
  for (const auto packing : {Packing::contiguous, Packing::compressed}) {
    EXPECT_EQ(round_trip(Table(every_type()), packing).rows(), 0U);
  }
}

TEST(Hdf5Table, HighlyCompressibleColumnsAreNotTakenForAnAttack) {
  Table table(every_type());
  constexpr std::size_t rows = 1'000'000;
  table.columns[0] = std::vector<std::int8_t>(rows, 1);
  table.columns[1] = std::vector<std::int32_t>(rows, 1);
  table.columns[2] = std::vector<std::int64_t>(rows, 1);
  table.columns[3] = std::vector<std::uint64_t>(rows, 1);
  table.columns[4] = std::vector<double>(rows, 0.0);
  table.columns[5] = std::vector<std::string>(rows, "abcdefghabcdefgh");
  EXPECT_EQ(round_trip(table, Packing::compressed).columns, table.columns);
}

TEST(Hdf5Table, AMissingGroupIsNoTable) {
  const auto image = build_image([](hid_t) {});
  with_image(image, "image",
             [](hid_t file) { EXPECT_FALSE(read_table(file, every_type(), "image")); });
}

TEST(Hdf5Attribute, TextsSurviveAndMissingOnesAreNothing) {
  const auto image = build_image([](hid_t file) {
    write_attribute(file, "some", "text");
    write_attribute(file, "none", "");
  });
  with_image(image, "image", [](hid_t file) {
    EXPECT_EQ(read_attribute(file, "some"), "text");
    EXPECT_EQ(read_attribute(file, "none"), "");
    EXPECT_FALSE(read_attribute(file, "other"));
  });
}

}  // namespace
}  // namespace moesweep::store
