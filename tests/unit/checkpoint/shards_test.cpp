#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/checkpoint/shards.hpp>

#include "index.hpp"

namespace moesweep::checkpoint {
namespace {

using testing::ElementsAre;

std::vector<std::size_t> ends(const std::vector<std::int64_t>& bytes, std::int64_t file_bytes) {
  return shard_ends(bytes, file_bytes);
}

TEST(Shards, AreFullWhenTheNextDoesNotFit) {
  EXPECT_THAT(ends({4, 4, 4}, 8), ElementsAre(2, 3));
  EXPECT_THAT(ends({4, 4, 4}, 12), ElementsAre(3));
  EXPECT_THAT(ends({4, 4, 4}, 1), ElementsAre(1, 2, 3));
  EXPECT_THAT(ends({1, 100, 1}, 10), ElementsAre(1, 2, 3));
  EXPECT_THAT(ends({100, 0, 1}, 10), ElementsAre(1, 3));
  EXPECT_THAT(ends({0, 100}, 10), ElementsAre(2));
  EXPECT_THAT(ends({}, 10), ElementsAre(0));
}

TEST(Shards, OfTheLargestSizesDoNotOverflow) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(ends({most, most}, most), ElementsAre(1, 2));
  EXPECT_THAT(ends({1, most}, most), ElementsAre(1, 2));
}

TEST(Shards, HaveTheNamesThatLoadersExpect) {
  EXPECT_EQ(shard_name(0, 4), "model-00001-of-00004.safetensors");
  EXPECT_EQ(shard_name(11, 123), "model-00012-of-00123.safetensors");
}

TEST(Shards, IndexHasTotalSizeAndAWeightMapInOrderOfNames) {
  // Byte for byte: of twins with 1 space, of written checkpoints with 4.
  const std::map<std::string, std::string> files = {{"b", "model-00002-of-00002.safetensors"},
                                                    {"a\"", "model-00001-of-00002.safetensors"}};
  EXPECT_EQ(index_json(files, 12, 1),
            "{\n"
            " \"metadata\": {\n"
            "  \"total_size\": 12\n"
            " },\n"
            " \"weight_map\": {\n"
            "  \"a\\\"\": \"model-00001-of-00002.safetensors\",\n"
            "  \"b\": \"model-00002-of-00002.safetensors\"\n"
            " }\n"
            "}\n");
  EXPECT_EQ(index_json({{"a", lone_shard_name}}, 3, 4),
            "{\n"
            "    \"metadata\": {\n"
            "        \"total_size\": 3\n"
            "    },\n"
            "    \"weight_map\": {\n"
            "        \"a\": \"model.safetensors\"\n"
            "    }\n"
            "}\n");
}

TEST(Shards, IndexReadsBack) {
  const auto text = index_json({{"a", "x.safetensors"}, {"b", "y.safetensors"}}, 1, 4);
  const auto entries = parse_index(std::as_bytes(std::span(text)), "index");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].tensor, "b");
  EXPECT_EQ(entries[1].shard, "y.safetensors");
}

}  // namespace
}  // namespace moesweep::checkpoint
