#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/plans/found/found.hpp>

#include "gguf_writer.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::found {
namespace {

using moesweep::test::TemporaryDirectory;
using test::GgufWriter;
using testing::ElementsAre;
using testing::HasSubstr;

class FoundGguf : public testing::Test {
 protected:
  void write(const std::string& name, const GgufWriter& writer) {
    publish_file(folder_.path() / name, writer.file());
  }
  void write_split(int number, int count, const std::string& tensor) {
    GgufWriter writer;
    writer.number("split.no", 2, static_cast<std::uint64_t>(number - 1), 2)
        .number("split.count", 2, static_cast<std::uint64_t>(count), 2)
        .tensor(tensor, {256, 2}, 12, 288);
    write(fmt::format("m-{:05}-of-{:05}.gguf", number, count), writer);
  }

  TemporaryDirectory folder_;
};

TEST_F(FoundGguf, TypesAreOurBlockFormats) {
  GgufWriter writer;
  writer.tensor("blk.0.ffn_up_exps.weight", {256, 8, 4}, 12, 256 * 32 / 256 * 144)
      .tensor("blk.0.ffn_norm.weight", {256}, 0, 1024)
      .tensor("blk.0.ssm_a", {16}, 30, 32);
  write("m.gguf", writer);
  const auto found = find_modules(folder_.path() / "m.gguf");
  EXPECT_EQ(found.format, Format::gguf);
  ASSERT_EQ(found.modules.size(), 3U);
  EXPECT_EQ(found.modules[0].name, "blk.0.ffn_norm");
  EXPECT_EQ(found.modules[0].encoding.bits, 32);
  EXPECT_FALSE(found.modules[0].is_quantized());
  EXPECT_EQ(found.modules[1].name, "blk.0.ffn_up_exps");
  EXPECT_EQ(found.modules[1].encoding.quantizer, "q4_k");
  EXPECT_EQ(found.modules[1].encoding.bits, 4);
  EXPECT_EQ(found.modules[1].encoding.group_size, 256);
  EXPECT_THAT(found.modules[1].shape, ElementsAre(4, 8, 256));
  EXPECT_EQ(found.modules[1].bytes, 32 * 144);
  EXPECT_EQ(found.modules[2].name, "blk.0.ssm_a");
  EXPECT_EQ(found.bytes, static_cast<std::int64_t>(writer.file().size()));
}

TEST_F(FoundGguf, SplitFilesAreOneModelWhicheverIsNamed) {
  for (int number = 1; number <= 3; ++number) write_split(number, 3, fmt::format("t{}", number));
  for (const auto* name : {"m-00001-of-00003.gguf", "m-00003-of-00003.gguf", ""}) {
    EXPECT_EQ(find_modules(folder_.path() / name).modules.size(), 3U) << name;
  }
}

TEST_F(FoundGguf, AMissingFileOfASplitIsNamed) {
  write_split(1, 2, "a");
  EXPECT_THAT([&] { find_modules(folder_.path()); },
              testing::ThrowsMessage<Error>(HasSubstr("m-00002-of-00002.gguf")));
}

TEST_F(FoundGguf, ATensorInTwoFilesIsRefused) {
  write_split(1, 2, "a");
  write_split(2, 2, "a");
  EXPECT_THAT([&] { find_modules(folder_.path()); },
              testing::ThrowsMessage<Error>(HasSubstr("\"a\" is also in another file")));
}

TEST_F(FoundGguf, AFileOfAnotherSplitIsRefused) {
  write_split(1, 2, "a");
  write_split(1, 3, "b");
  std::filesystem::rename(folder_.path() / "m-00001-of-00003.gguf",
                          folder_.path() / "m-00002-of-00002.gguf");
  EXPECT_THAT([&] { find_modules(folder_.path()); },
              testing::ThrowsMessage<Error>(HasSubstr("its name says 2 of 2")));
}

TEST_F(FoundGguf, AFolderWithTwoModelsIsRefused) {
  write("a.gguf", {});
  write("b.gguf", {});
  EXPECT_THAT([&] { find_modules(folder_.path()); },
              testing::ThrowsMessage<Error>(HasSubstr("several")));
}

}  // namespace
}  // namespace moesweep::found
