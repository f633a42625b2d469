#include <array>
#include <random>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/found/gguf_header.hpp>

#include "gguf_writer.hpp"

namespace moesweep::found {
namespace {

using test::GgufWriter;
using testing::ElementsAre;
using testing::HasSubstr;

GgufHeader parse(const std::string& file) {
  const GgufBytes bytes{
      file.size(), [&](std::uint64_t offset, std::span<std::byte> out) {
        ASSERT_LE(offset + out.size(), file.size());
        std::copy_n(std::as_bytes(std::span(file)).begin() + static_cast<std::ptrdiff_t>(offset),
                    out.size(), out.begin());
      }};
  return parse_gguf(bytes, "model.gguf");
}

std::string bytes_of(std::initializer_list<std::pair<std::uint64_t, int>> values) {
  std::string bytes;
  for (const auto& [value, width] : values) GgufWriter::append(bytes, value, width);
  return bytes;
}

/// Every type of value, arrays of numbers, texts and arrays, and two tensors.
GgufWriter full() {
  GgufWriter writer;
  writer.text("general.architecture", "qwen3moe").text("general.name", "x");
  constexpr std::array<int, 13> width = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  for (std::uint32_t type = 0; type < width.size(); ++type) {
    if (width[type] > 0) writer.number("n" + std::to_string(type), type, 1, width[type]);
  }
  writer.raw("numbers", 9, bytes_of({{4, 4}, {2, 8}, {7, 4}, {8, 4}}));
  auto texts = bytes_of({{8, 4}, {2, 8}});
  GgufWriter::append_text(texts, "<s>");
  GgufWriter::append_text(texts, "");
  writer.raw("texts", 9, texts);
  writer.raw("nested", 9, bytes_of({{9, 4}, {1, 8}, {0, 4}, {3, 8}, {5, 1}, {6, 1}, {7, 1}}));
  writer.raw("empty", 9, bytes_of({{8, 4}, {0, 8}}));
  writer.tensor("token_embd.weight", {256, 4}, 14, 4 * 210);
  writer.tensor("output_norm.weight", {256}, 0, 1024);
  return writer;
}

void expect_refused(const std::string& file, const std::string& why) {
  EXPECT_THAT([&] { parse(file); }, testing::Throws<Error>(testing::AllOf(
                                        testing::Property(&Error::exit_code, ExitCode::bad_input),
                                        testing::Property(&Error::where, "model.gguf"),
                                        testing::Property(&Error::problem, HasSubstr(why)))));
}

TEST(GgufHeader, IsReadWithEveryTypeOfValue) {
  const auto writer = full();
  const auto header = parse(writer.file());
  EXPECT_EQ(header.version, 3U);
  EXPECT_EQ(header.architecture, "qwen3moe");
  EXPECT_EQ(header.alignment, 32U);
  ASSERT_EQ(header.tensors.size(), 2U);
  EXPECT_EQ(header.tensors[0].name, "token_embd.weight");
  EXPECT_THAT(header.tensors[0].shape, ElementsAre(4, 256));
  EXPECT_EQ(header.tensors[0].type->name, "q6_k");
  EXPECT_EQ(header.tensors[0].byte_begin % 32, 0U);
  EXPECT_EQ(header.tensors[0].byte_end - header.tensors[0].byte_begin, 840U);
  EXPECT_EQ(header.tensors[1].byte_end, writer.file().size());
}

TEST(GgufHeader, Version2IsReadAndOthersAreRefused) {
  auto writer = full();
  writer.version = 2;
  EXPECT_EQ(parse(writer.file()).tensors.size(), 2U);
  for (const std::uint32_t version : {0U, 1U, 4U}) {
    writer.version = version;
    EXPECT_THROW(parse(writer.file()), Error) << version;
  }
  writer.version = 0x03000000;
  expect_refused(writer.file(), "big-endian");
}

TEST(GgufHeader, TruncationAtEveryByteIsRefused) {
  const auto file = full().file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW(parse(file.substr(0, size)), Error) << size;
  }
}

TEST(GgufHeader, AnyByteMayBeAnything) {
  const auto file = full().file();
  const auto header = full().header().size();
  int refused = 0;
  for (std::size_t at = 0; at < header; ++at) {
    for (const int value : {0x00, 0x01, 0x09, 0x7F, 0x80, 0xFF}) {
      auto damaged = file;
      damaged[at] = static_cast<char>(value);
      try {
        std::ignore = parse(damaged);
      } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(GgufHeader, GarbageBehindTheMagicIsRefused) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string file = "GGUF";
    GgufWriter::append(file, 3, 4);
    GgufWriter::append(file, random() % 4, 8);
    GgufWriter::append(file, 1 + random() % 4, 8);
    for (int i = 0; i < 200; ++i) file.push_back(static_cast<char>(random() % 16));
    EXPECT_THROW(parse(file), Error);
  }
}

TEST(GgufHeader, CountsBeyondTheFileAreRefused) {
  const auto file = full().file();
  for (const std::size_t at : {8U, 16U}) {
    for (const std::uint64_t count : {std::uint64_t{1} << 20U, ~std::uint64_t{0}}) {
      std::string bytes;
      GgufWriter::append(bytes, count, 8);
      auto damaged = file;
      damaged.replace(at, 8, bytes);
      expect_refused(damaged, "can't be in");
    }
  }
  GgufWriter array;
  array.raw("a", 9, bytes_of({{12, 4}, {~std::uint64_t{0} / 8 + 1, 8}}));
  expect_refused(array.file(), "can't be in");
  GgufWriter text;
  text.raw("t", 8, bytes_of({{~std::uint64_t{0}, 8}}));
  expect_refused(text.file(), "can't be in");
}

TEST(GgufHeader, ArraysAreNotNestedWithoutEnd) {
  std::string nested;
  for (int depth = 0; depth < 1000; ++depth) nested += bytes_of({{9, 4}, {1, 8}});
  GgufWriter writer;
  writer.raw("a", 9, nested);
  expect_refused(writer.file(), "too deep");
}

TEST(GgufHeader, UnknownTypesAreRefused) {
  GgufWriter value;
  value.raw("key", 13, "12345678");
  expect_refused(value.file(), "unknown type 13");
  GgufWriter array;
  array.raw("key", 9, bytes_of({{77, 4}, {0, 8}}));
  expect_refused(array.file(), "unknown type 77");
  for (const std::uint32_t type : {4U, 9U, 31U, 41U, 0xFFFFFFFFU}) {
    GgufWriter tensor;
    tensor.tensor("t", {256}, type, 1024);
    expect_refused(tensor.file(), "\"t\" has the unknown type");
  }
}

TEST(GgufHeader, AlignmentMovesTheData) {
  GgufWriter writer;
  writer.alignment = 128;
  writer.number("general.alignment", 4, 128, 4).tensor("t", {32, 2}, 8, 68);
  EXPECT_EQ(parse(writer.file()).tensors[0].byte_begin % 128, 0U);
  for (const std::uint64_t alignment : {0U, 3U, 1U << 21U}) {
    GgufWriter wrong;
    wrong.number("general.alignment", 4, alignment, 4);
    expect_refused(wrong.file(), "general.alignment");
  }
  GgufWriter text;
  text.text("general.alignment", "32");
  expect_refused(text.file(), "no integer");
}

TEST(GgufHeader, TensorsThatDoNotFitAreRefusedByName) {
  GgufWriter partial;
  partial.tensor("blk.0.ffn_up.weight", {100, 2}, 12, 1024);
  expect_refused(partial.file(), "\"blk.0.ffn_up.weight\" has rows of 100 weights");
  GgufWriter behind;
  behind.tensor("t", {256, 4}, 12, 4 * 144 - 64);
  expect_refused(behind.file(), "ends behind the file");
  GgufWriter huge;
  huge.tensor("t", {std::uint64_t{1} << 40U, std::uint64_t{1} << 40U}, 0, 1024);
  expect_refused(huge.file(), "beyond 2^63");
  GgufWriter negative;
  negative.tensor("t", {~std::uint64_t{0}}, 0, 1024);
  expect_refused(negative.file(), "beyond 2^63");
  GgufWriter dimensions;
  dimensions.tensor("t", {1, 1, 1, 1, 1}, 0, 4);
  expect_refused(dimensions.file(), "5 dimensions");
  GgufWriter unaligned;
  unaligned.tensor("t", {8}, 0, 1024).tensors[0].offset = 4;
  expect_refused(unaligned.file(), "not aligned");
  GgufWriter far;
  far.tensor("t", {8}, 0, 32).tensors[0].offset = ~std::uint64_t{0} - 31;
  expect_refused(far.file(), "ends behind the file");
}

TEST(GgufHeader, OverlapsAndDuplicatesAreRefused) {
  GgufWriter overlap;
  overlap.tensor("a", {64}, 0, 256).tensor("b", {64}, 0, 256).tensors[1].offset = 32;
  expect_refused(overlap.file(), "\"b\" overlaps \"a\"");
  GgufWriter twice;
  twice.tensor("a", {64}, 0, 256).tensor("a", {64}, 0, 256);
  expect_refused(twice.file(), "\"a\" is there twice");
  GgufWriter keys;
  keys.text("k", "v").text("k", "w");
  expect_refused(keys.file(), "\"k\" twice");
}

TEST(GgufHeader, NamesThatDriveATerminalAreRefused) {
  GgufWriter control;
  control.tensor("a\x1b[2J", {64}, 0, 256);
  expect_refused(control.file(), "control characters");
  GgufWriter empty;
  empty.tensor("", {64}, 0, 256);
  expect_refused(empty.file(), "empty");
  GgufWriter large;
  large.tensor(std::string(5000, 'n'), {64}, 0, 256);
  expect_refused(large.file(), "5000 bytes long");
}

// Sizes of ggml's blocks, GGUF specification.
TEST(GgmlTypes, HaveTheBlocksOfGgml) {
  const auto bits_per_weight = [](std::uint32_t id) {
    const auto* const type = formats::ggml_type(id);
    return 8.0 * static_cast<double>(type->bytes) / static_cast<double>(type->length);
  };
  EXPECT_EQ(bits_per_weight(8), 8.5);
  EXPECT_EQ(bits_per_weight(14), 6.5625);
  EXPECT_EQ(bits_per_weight(13), 5.5);
  EXPECT_EQ(bits_per_weight(12), 4.5);
  EXPECT_EQ(bits_per_weight(11), 3.4375);
  EXPECT_EQ(bits_per_weight(10), 2.625);
  EXPECT_EQ(bits_per_weight(39), 4.25);
  EXPECT_EQ(bits_per_weight(30), 16);
  EXPECT_EQ(formats::ggml_type(5), nullptr);
}

}  // namespace
}  // namespace moesweep::found
