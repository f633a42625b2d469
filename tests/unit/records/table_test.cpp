#include <array>
#include <set>

#include <gtest/gtest.h>

#include <moesweep/core/records/catalog.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/table.hpp>
#include <moesweep/core/records/units.hpp>

namespace moesweep::records {
namespace {

TEST(Table, RowsSurviveTheTripThroughColumns) {
  Tables tables;
  append_row(tables, DistortionRow{"a", 3, "rtn", 4, 128, 4.5, 1.25, 2.5, 0.7});
  append_row(tables, DistortionRow{"b", -1, "affine", 2, 32, 3.0, 0.5, 1.0, 0.7});
  const auto rows = rows_of<DistortionRow>(tables);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].tensor, "a");
  EXPECT_EQ(rows[0].slice, 3);
  EXPECT_EQ(rows[1].quantizer, "affine");
  EXPECT_EQ(rows[1].sse, 0.5);
}

TEST(Table, AppendsColumnsOfTheSameRecord) {
  Tables a;
  append_row(a, FailureRow{"x", "e"});
  Tables b;
  append_row(b, FailureRow{"y", "f"});
  append_row(b, DistortionRow{});
  append(a, b);
  EXPECT_EQ(a.at("failures").rows(), 2U);
  EXPECT_EQ(a.at("sensitivity/distortion").rows(), 1U);
}

TEST(Table, KeepsTheRowsNamedInTheirOrder) {
  Table table(table_info<FailureRow>());
  for (const auto* key : {"a", "b", "c"}) append_row(table, FailureRow{key, "e"});
  keep_rows(table, std::array<std::uint32_t, 2>{2, 0});
  const auto rows = rows_of<FailureRow>(table);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].key, "c");
  EXPECT_EQ(rows[1].key, "a");
}

TEST(Table, IsJoinedFromPiecesInTheOrderGiven) {
  std::vector<Table> pieces(2, Table(table_info<FailureRow>()));
  for (const auto* key : {"a", "b"}) append_row(pieces[0], FailureRow{key, "e"});
  for (const auto* key : {"c", "d"}) append_row(pieces[1], FailureRow{key, "f"});
  const auto order = std::to_array<PieceRow>({{1, 1}, {0, 0}, {1, 0}});
  const auto rows = rows_of<FailureRow>(joined(std::move(pieces), order));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].key, "d");
  EXPECT_EQ(rows[1].key, "a");
  EXPECT_EQ(rows[1].error, "e");
  EXPECT_EQ(rows[2].key, "c");
}

TEST(Catalog, NamesAreUniqueAndEveryColumnIsDescribed) {
  std::set<std::string> names;
  for (const auto* table : all_tables()) {
    EXPECT_TRUE(names.insert(table->name).second) << table->name;
    EXPECT_EQ(find_table(table->name), table);
    std::set<std::string> columns;
    for (const auto& column : table->columns) {
      EXPECT_TRUE(columns.insert(column.name).second) << table->name << "/" << column.name;
      EXPECT_FALSE(column.description.empty()) << table->name << "/" << column.name;
    }
  }
  EXPECT_EQ(find_table("nothing"), nullptr);
}

}  // namespace
}  // namespace moesweep::records
