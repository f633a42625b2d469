#include <gtest/gtest.h>

#include <moesweep/core/base/hash.hpp>

namespace moesweep {
namespace {

// Published XXH3 test vectors for the empty input, seed 0 (xxHash's own sanity test).
TEST(Hash, EqualsThePublishedVectorsOfTheEmptyInput) {
  EXPECT_EQ(hash64(std::string_view()), 0x2D06800538D394C2ULL);
  EXPECT_EQ(hash128({}).hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, ParsesItsOwnHexAndNothingElse) {
  const auto hash = hash128({});
  EXPECT_EQ(parse_hash128(hash.hex()), hash);
  for (const std::string text :
       {"", "99aa", "99AA06D3014798D86001C324468D497F", "99aa06d3014798d86001c324468d497f0",
        "zzaa06d3014798d86001c324468d497f", "-9aa06d3014798d86001c324468d497f"}) {
    EXPECT_EQ(parse_hash128(text), std::nullopt) << text;
  }
}

TEST(Hasher128, StreamsToTheSameHashAsOneCall) {
  const std::string text(100'000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  Hasher128 hasher;
  hasher.add(bytes.first(1));
  hasher.add(bytes.subspan(1));
  EXPECT_EQ(hasher.finish(), hash128(bytes));
}

TEST(Hasher128, KeepsTextsApart) {
  Hasher128 a;
  a.add_text("ab");
  a.add_text("c");
  Hasher128 b;
  b.add_text("a");
  b.add_text("bc");
  EXPECT_NE(a.finish(), b.finish());
}

}  // namespace
}  // namespace moesweep
