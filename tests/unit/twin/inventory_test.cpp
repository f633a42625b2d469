#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>

#include "measured.hpp"
#include "support.hpp"

namespace moesweep::twin {
namespace {

using ::testing::HasSubstr;

std::string complaint(const std::string& lines) {
  try {
    parse_inventory(test::header + lines, "i.csv");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Inventory, DamagedLinesAreRefusedByNumber) {
  EXPECT_THAT(complaint("a,2x3,BF16,0,\n"), HasSubstr("i.csv:2: has 5 cells"));
  EXPECT_THAT(complaint("a,2x3,BF16,0,,\nb,2x,BF16,0,,\n"), HasSubstr("i.csv:3: the shape"));
  EXPECT_THAT(complaint("a,0x3,BF16,0,,\n"), HasSubstr("the shape"));
  EXPECT_THAT(complaint("a,9223372036854775807x3,BF16,0,,\n"), HasSubstr("the shape"));
  EXPECT_THAT(complaint("a,2x3,F8_E4M3,0,,\n"), HasSubstr("dtype"));
  EXPECT_THAT(complaint("a,2x3,BF16,1,1,\n"), HasSubstr("analysed"));
  EXPECT_THAT(complaint("a,2x3,BF16,0,1,0.5\n"), HasSubstr("analysed"));
  EXPECT_THAT(complaint("a,2x3,BF16,1,nan,0.5\n"), HasSubstr("kurtosis"));
  EXPECT_THAT(complaint("a,2x3,BF16,1,-2.5,0.5\n"), HasSubstr("kurtosis"));
  EXPECT_THAT(complaint("a,2x3,BF16,1,1,1.5\n"), HasSubstr("concentration"));
  EXPECT_THAT(complaint("a b,2x3,BF16,0,,\n"), HasSubstr("name"));
  EXPECT_THAT(complaint("a,2x3,BF16,0,,\na,2x3,BF16,0,,\n"), HasSubstr("lists tensor a twice"));
  EXPECT_THAT(complaint(""), HasSubstr("lists no tensors"));
}

TEST(Inventory, AnotherHeaderIsRefused) {
  EXPECT_THROW(parse_inventory("name,shape\na,2\n", "i.csv"), Error);
}

TEST(Inventory, OfTheReferenceCaseHasItsPublishedTotals) {
  const auto inventory = read_inventory(test::inventory_file);
  const auto twin = open_twin(inventory, {});
  EXPECT_EQ(twin.tensors.size(), 2924U);
  EXPECT_EQ(twin.params(), 403'397'928'944);
  EXPECT_EQ(std::count_if(inventory.tensors.begin(), inventory.tensors.end(),
                          [](const auto& tensor) { return tensor.statistics.has_value(); }),
            2347);
}

TEST(TwinShape, SidesAreDividedNotBelow32AndExpertsAreKept) {
  const auto text = test::header +
                    "a.experts.w,48x2048x4096,BF16,1,1,0.2\nb,12288x1x4,BF16,1,1,0.6\n"
                    "c,4304x512,BF16,1,1,0.3\nd,20,BF16,0,,\n";
  const auto twin = open_twin(parse_inventory(text, "i.csv"), {.scale = 32, .seed = 0});
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(twin.tensors[0].shape, (Shape{48, 64, 128}));
  EXPECT_EQ(twin.tensors[1].shape, (Shape{384, 1, 4}));
  EXPECT_EQ(twin.tensors[2].shape, (Shape{134, 32}));
  EXPECT_EQ(twin.tensors[3].shape, (Shape{20}));
}

TEST(OpenTwin, IdentityCoversInventoryScaleAndSeed) {
  const auto inventory = test::varied_inventory();
  auto renamed = inventory;
  renamed.hash.bytes[0] ^= 1;
  const auto identity = [](const Inventory& of, const TwinOptions& options) {
    return open_twin(of, options).shards.at(0).header_hash;
  };
  const auto base = identity(inventory, {});
  EXPECT_EQ(identity(inventory, {}), base);
  EXPECT_NE(identity(renamed, {}), base);
  EXPECT_NE(identity(inventory, {.scale = 2, .seed = 0}), base);
  EXPECT_NE(identity(inventory, {.scale = 1, .seed = 1}), base);
}

}  // namespace
}  // namespace moesweep::twin
