#include <algorithm>
#include <array>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/file.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/write.hpp>

#include "safetensors_bytes.hpp"
#include "support/temporary_directory.hpp"

namespace moesweep::checkpoint {
namespace {

namespace fs = std::filesystem;
using moesweep::test::TemporaryDirectory;
using testing::ElementsAre;
using testing::Pair;

TensorSource constant(std::string name, std::vector<std::int64_t> shape, char value) {
  return {.name = std::move(name),
          .dtype = Dtype::bf16,
          .shape = std::move(shape),
          .fill = [value](std::uint64_t, std::span<std::byte> out) {
            std::fill(out.begin(), out.end(), static_cast<std::byte>(value));
          }};
}

TEST(SafetensorsBytes, AreThoseOfTheWrittenFile) {
  const std::vector tensors = {constant("b", {2, 3}, 'B'), constant("a\"", {}, 'A')};
  const std::vector<TensorShape> shapes = {{"b", Dtype::bf16, {2, 3}}, {"a\"", Dtype::bf16, {}}};
  const auto bytes = encode_safetensors(tensors);
  EXPECT_EQ(safetensors_bytes(shapes), static_cast<std::int64_t>(bytes.size()));
  EXPECT_EQ(static_cast<std::int64_t>(safetensors_header(shapes).size()),
            safetensors_bytes(shapes) - 14);
}

TEST(SafetensorsHeader, NamesTheFormat) {
  const std::vector<TensorShape> shapes = {{"a", Dtype::u32, {1}}};
  EXPECT_THAT(safetensors_header(shapes, "mlx"),
              testing::HasSubstr(R"({"__metadata__":{"format":"mlx"},"a":{"dtype":"U32")"));
}

TEST(WriteSafetensors, GivesTheBytesOfTheFormat) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  write_safetensors(path, std::vector{constant("b", {2}, 'B'), constant("a\"", {}, 'A')});
  std::string json = R"({"__metadata__":{"format":"pt"},)"
                     R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                     R"("a\"":{"dtype":"BF16","shape":[],"data_offsets":[4,6]}})";
  json.resize((json.size() + 7) / 8 * 8, ' ');
  EXPECT_EQ(read_text_file(path), test::header_of(json) + "BBBBAA");
}

TEST(WriteSafetensors, WhatIsWrittenIsReadBack) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  write_safetensors(path, std::vector{constant("w", {3, 2}, 'w'), constant("empty", {0, 4}, 'e'),
                                      constant("../\xc3\xa9", {1}, 'n')});
  const auto checkpoint = open_checkpoint(path);
  ASSERT_EQ(checkpoint.tensors.size(), 3);
  EXPECT_EQ(checkpoint.tensors[0].name, "../\xc3\xa9");
  EXPECT_EQ(checkpoint.tensors[1].params(), 0);
  EXPECT_THAT(checkpoint.tensors[2].shape, ElementsAre(3, 2));
  std::string data(12, '?');
  TensorReader(checkpoint).read(checkpoint.tensors[2], 0, std::as_writable_bytes(std::span(data)));
  EXPECT_EQ(data, std::string(12, 'w'));
}

TEST(WriteSafetensors, NoTensorsGiveAValidFile) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  write_safetensors(path, {});
  EXPECT_EQ(read_text_file(path).size() % 8, 0);
}

TEST(WriteSafetensors, TheHeaderIsPaddedByLessThan8Bytes) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  for (std::size_t length = 1; length <= 8; ++length) {
    write_safetensors(path, std::vector{constant(std::string(length, 'n'), {0}, ' ')});
    const auto text = read_text_file(path);
    EXPECT_EQ(text.size() % 8, 0);
    EXPECT_LT(text.size() - 1 - text.find_last_of('}'), 8);
  }
}

TEST(WriteSafetensors, EqualInputGivesEqualBytes) {
  const TemporaryDirectory directory;
  const std::vector tensors = {constant("b", {2}, 'B'), constant("a", {3}, 'A')};
  write_safetensors(directory.path() / "1", tensors);
  write_safetensors(directory.path() / "2", tensors);
  EXPECT_EQ(read_text_file(directory.path() / "1"), read_text_file(directory.path() / "2"));
}

TEST(WriteSafetensors, AsksForPiecesOfAtMost8MiBInOrderAndNeverForAnEmptyTensor) {
  const TemporaryDirectory directory;
  constexpr std::uint64_t piece = 8 << 20;
  std::vector<std::pair<std::uint64_t, std::size_t>> pieces;
  const auto record = [&pieces](std::uint64_t offset, std::span<std::byte> out) {
    pieces.emplace_back(offset, out.size());
    std::fill(out.begin(), out.end(), static_cast<std::byte>(pieces.size()));
  };
  const auto path = directory.path() / "m.safetensors";
  write_safetensors(path, std::vector{TensorSource{"big", Dtype::u8, {2 * piece + 3}, record},
                                      TensorSource{"empty", Dtype::u8, {0}, record}});
  EXPECT_THAT(pieces, ElementsAre(Pair(0, piece), Pair(piece, piece), Pair(2 * piece, 3)));
  const auto checkpoint = open_checkpoint(path);
  std::array<std::byte, 3> ends{};
  const TensorReader reader(checkpoint);
  for (std::size_t i = 0; i < 3; ++i) {
    reader.read(checkpoint.tensors[0], i * piece, std::span(ends).subspan(i, 1));
  }
  EXPECT_THAT(ends, ElementsAre(std::byte{1}, std::byte{2}, std::byte{3}));
}

TEST(WriteSafetensors, AFillThatThrowsLeavesTheOldFileAndNothingElse) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  publish_file(path, std::string_view("old"));
  const TensorSource failing{"a", Dtype::u8, {1}, [](std::uint64_t, std::span<std::byte>) {
                               throw std::runtime_error("source");
                             }};
  EXPECT_THROW(write_safetensors(path, std::vector{failing}), std::runtime_error);
  EXPECT_EQ(read_text_file(path), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(WriteSafetensors, IntoAMissingDirectoryIsAnIoError) {
  try {
    write_safetensors("/nonexistent/m.safetensors", {});
    FAIL() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::io_error);
  }
}

TEST(WriteSafetensorsDeathTest, NamesThatParseHeaderRefusesAreBugs) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "m.safetensors";
  const auto write = [&path](const std::string& name) {
    write_safetensors(path, std::vector{constant(name, {1}, 'a')});
  };
  EXPECT_DEATH(
      write_safetensors(path, std::vector{constant("a", {1}, 'a'), constant("a", {1}, 'b')}),
      "written twice");
  EXPECT_DEATH(write(""), "bad name");
  EXPECT_DEATH(write("a\x1b"), "bad name");
  EXPECT_DEATH(write("__metadata__"), "bad name");
  EXPECT_DEATH(write(std::string(1025, 'n')), "bad name");
  EXPECT_DEATH(write("\xff"), "not UTF-8");
}

TEST(WriteSafetensorsDeathTest, ShapesThatOverflowAreBugs) {
  const TemporaryDirectory directory;
  const auto write = [&directory](std::vector<std::int64_t> shape) {
    write_safetensors(directory.path() / "m", std::vector{constant("a", std::move(shape), 'a')});
  };
  EXPECT_DEATH(write({std::int64_t{1} << 62, 4}), "too large");
  EXPECT_DEATH(write({-1}), "loses bits");
}

}  // namespace
}  // namespace moesweep::checkpoint
