#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/core/records/units.hpp>
#include <moesweep/engine/store/digest.hpp>

#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using records::DistortionRow;
using records::Tables;

Tables with_sse(double sse) {
  Tables tables;
  records::append_row(tables, test::distortion("t", sse));
  return tables;
}

double nan_with(std::uint64_t payload) {
  const std::uint64_t bits = 0x7ff8000000000000U | payload;
  double value = 0.0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

TEST(Digest, AllNansAreOneNan) {
  EXPECT_EQ(digest_of(with_sse(nan_with(0))), digest_of(with_sse(nan_with(0x8000000000001234U))));
  EXPECT_EQ(digest_of(with_sse(std::numeric_limits<double>::signaling_NaN())),
            digest_of(with_sse(nan_with(0))));
  EXPECT_NE(digest_of(with_sse(nan_with(0))), digest_of(with_sse(0.0)));
}

TEST(Digest, MinusZeroIsZero) {
  EXPECT_EQ(digest_of(with_sse(-0.0)), digest_of(with_sse(0.0)));
  EXPECT_NE(digest_of(with_sse(std::numeric_limits<double>::denorm_min())),
            digest_of(with_sse(0.0)));
}

TEST(Digest, OneBitOfOneValueChangesIt) {
  EXPECT_NE(digest_of(with_sse(1.0)),
            digest_of(with_sse(1.0 + std::numeric_limits<double>::epsilon())));
}

TEST(Digest, OrderOfRowsCounts) {
  Tables ab = with_sse(1.0);
  records::append(ab, with_sse(2.0));
  Tables ba = with_sse(2.0);
  records::append(ba, with_sse(1.0));
  EXPECT_NE(digest_of(ab), digest_of(ba));
}

TEST(Digest, TablesWithoutRowsCountAsAbsent) {
  Tables tables = with_sse(1.0);
  const auto before = digest_of(tables);
  const auto& slices = records::table_info<records::SliceRow>();
  tables.emplace(slices.name, records::Table(slices));
  EXPECT_EQ(digest_of(tables), before);
}

TEST(Digest, UnitsAndFailuresTakeNoPart) {
  Tables tables = with_sse(1.0);
  const auto before = digest_of(tables);
  records::append_row(tables, records::UnitRow{});
  records::append_row(tables, records::FailureRow{"k", "e"});
  EXPECT_EQ(digest_of(tables), before);
}

TEST(Digest, EveryTableThatTakesPartChangesIt) {
  Tables tables = with_sse(1.0);
  const auto before = digest_of(tables);
  records::append_row(tables, records::SliceRow{});
  const auto with_slices = digest_of(tables);
  EXPECT_NE(with_slices, before);
  records::append_row(tables, records::TensorRow{});
  EXPECT_NE(digest_of(tables), with_slices);
}

TEST(Digest, NeighbouringTextsDoNotRunTogether) {
  Tables one;
  records::append_row(one, DistortionRow{"ab", 0, "c", 0, 0, 0.0, 0.0, 0.0, 0.0});
  Tables other;
  records::append_row(other, DistortionRow{"a", 0, "bc", 0, 0, 0.0, 0.0, 0.0, 0.0});
  EXPECT_NE(digest_of(one), digest_of(other));
}

// Printed by `verify` and compared between machines: it may change only with the schema version.
TEST(Digest, OfAKnownTableIsWhatItWas) {
  EXPECT_EQ(digest_of(with_sse(1.0)).hex(), "ec61617256198df67306f0bd2cd5e63b");
  EXPECT_EQ(digest_of({}).hex(), "99aa06d3014798d86001c324468d497f");
}

}  // namespace
}  // namespace moesweep::store
