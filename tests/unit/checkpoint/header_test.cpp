#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/model/checkpoint/header.hpp>

#include "safetensors_bytes.hpp"

namespace moesweep::checkpoint {
namespace {

using test::bytes_of;
using test::header_of;
using test::length_prefix;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<TensorEntry> parse(std::string_view json, std::uint64_t data_bytes) {
  const auto header = header_of(json);
  return parse_header(bytes_of(header), header.size() + data_bytes, "f.safetensors");
}

std::string refused(std::string_view json, std::uint64_t data_bytes) {
  return test::refusal([&] { parse(json, data_bytes); });
}

std::string u8(std::string_view name, std::uint64_t begin, std::uint64_t end) {
  return "\"" + std::string(name) + R"(":{"dtype":"U8","shape":[)" + std::to_string(end - begin) +
         R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

std::vector<std::string> names_of(const std::vector<TensorEntry>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

TEST(ParseHeader, GivesTensorsWithOffsetsInTheFile) {
  const std::string json = R"({"__metadata__":{"format":"pt"},)"
                           R"("w":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
                           R"("s":{"data_offsets":[0,4],"shape":[],"dtype":"F32"}}   )";
  const auto entries = parse(json, 16);
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].name, "s");
  EXPECT_EQ(entries[0].dtype, Dtype::f32);
  EXPECT_TRUE(entries[0].shape.empty());
  EXPECT_EQ(entries[0].byte_begin, 8 + json.size());
  EXPECT_EQ(entries[1].name, "w");
  EXPECT_EQ(entries[1].dtype, Dtype::bf16);
  EXPECT_THAT(entries[1].shape, ElementsAre(2, 3));
  EXPECT_EQ(entries[1].byte_begin, 8 + json.size() + 4);
  EXPECT_EQ(entries[1].byte_end, 8 + json.size() + 16);
}

TEST(ParseHeader, SortsByOffsetThenName) {
  EXPECT_THAT(names_of(parse("{" + u8("z", 0, 4) + "," + u8("c", 4, 4) + "," + u8("b", 4, 4) + "," +
                                 u8("a", 4, 8) + "}",
                             8)),
              ElementsAre("z", "b", "c", "a"));
}

TEST(ParseHeader, AcceptsAHeaderWithoutTensors) {
  EXPECT_TRUE(parse("{}", 0).empty());
  EXPECT_TRUE(parse(R"({"__metadata__":{}})", 0).empty());
}

TEST(ParseHeader, ZeroSizeTensorsAreLegal) {
  const auto entries =
      parse(R"({"e":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},)" + u8("a", 0, 3) + "}", 3);
  EXPECT_THAT(names_of(entries), ElementsAre("e", "a"));
  EXPECT_THAT(entries[0].shape, ElementsAre(0, 5));
}

TEST(ParseHeader, AnEmptyTensorInsideAnotherIsAnOverlap) {
  EXPECT_THAT(refused("{" + u8("a", 0, 4) + "," + u8("e", 2, 2) + "}", 4),
              AllOf(HasSubstr("'e'"), HasSubstr("overlaps")));
}

TEST(ParseHeader, DotDotInANameIsOnlyAName) {
  EXPECT_THAT(names_of(parse("{" + u8("../../etc/passwd", 0, 1) + "}", 1)),
              ElementsAre("../../etc/passwd"));
}

TEST(ParseHeader, NamesAreUnescapedUtf8) {
  EXPECT_THAT(names_of(parse("{" + u8(R"(\u00e9\"\ud83d\ude00)", 0, 1) + "}", 1)),
              ElementsAre("\xc3\xa9\"\xf0\x9f\x98\x80"));
}

TEST(ParseHeader, ReadsOnlyTheHeaderOfALongerBuffer) {
  const auto file = header_of("{" + u8("a", 0, 4) + "}") + "data";
  EXPECT_EQ(parse_header(bytes_of(file), file.size(), "f").size(), 1);
}

TEST(HeaderBytes, CountsThePrefix) {
  EXPECT_EQ(header_bytes(bytes_of(length_prefix(100)), 108, "f"), 108);
  EXPECT_EQ(header_bytes(bytes_of(length_prefix(max_header_bytes)), max_header_bytes + 8, "f"),
            max_header_bytes + 8);
}

TEST(HeaderBytes, LengthZeroTooLargeOrPastTheFileIsRefused) {
  const auto refused_length = [](std::uint64_t length, std::uint64_t file_bytes) {
    return test::refusal([&] { header_bytes(bytes_of(length_prefix(length)), file_bytes, "f"); });
  };
  EXPECT_THAT(refused_length(0, 100), HasSubstr("f: has an empty header"));
  EXPECT_THAT(refused_length(93, 100), HasSubstr("does not fit"));
  EXPECT_THAT(refused_length(max_header_bytes + 1, ~std::uint64_t{0}), HasSubstr("limit"));
  EXPECT_THAT(refused_length(~std::uint64_t{0}, ~std::uint64_t{0}), HasSubstr("limit"));
}

TEST(HeaderBytes, AFileShorterThanThePrefixIsRefused) {
  EXPECT_THAT(test::refusal([] { header_bytes(bytes_of("1234567"), 7, "f"); }),
              HasSubstr("shorter than the 8 bytes"));
}

TEST(ParseHeader, TruncatedFileIsRefusedNamingTensorAndRemedy) {
  EXPECT_THAT(refused("{" + u8("a", 0, 4) + "}", 3),
              AllOf(HasSubstr("f.safetensors: tensor 'a'"), HasSubstr("bytes 0 to 4"),
                    HasSubstr("truncated, copy or download it again")));
}

TEST(ParseHeader, TrailingBytesAreRefused) {
  EXPECT_THAT(refused("{" + u8("a", 0, 4) + "}", 5), HasSubstr("1 trailing bytes"));
  EXPECT_THAT(refused("{}", 5), HasSubstr("5 trailing bytes"));
}

TEST(ParseHeader, HolesAndOverlapsAreRefusedNamingTheTensor) {
  EXPECT_THAT(refused("{" + u8("a", 0, 4) + "," + u8("b", 5, 8) + "}", 8),
              AllOf(HasSubstr("'b'"), HasSubstr("belong to no tensor")));
  EXPECT_THAT(refused("{" + u8("a", 1, 4) + "}", 4), HasSubstr("belong to no tensor"));
  EXPECT_THAT(refused("{" + u8("a", 0, 4) + "," + u8("b", 3, 8) + "}", 8),
              AllOf(HasSubstr("'b'"), HasSubstr("overlaps")));
  EXPECT_THAT(refused("{" + u8("a", 0, 4) + "," + u8("b", 0, 4) + "}", 4), HasSubstr("overlaps"));
}

TEST(ParseHeader, DuplicateKeysAreRefusedEverywhere) {
  EXPECT_THAT(refused("{" + u8("a", 0, 4) + "," + u8("b", 4, 6) + "," + u8("a", 6, 8) + "}", 8),
              HasSubstr("tensor 'a' appears twice"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("dtype appears twice"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[2],"shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("shape appears twice"));
  EXPECT_THAT(refused(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("appears twice"));
  EXPECT_THAT(refused(R"({"__metadata__":{"k":"1","j":"","k":"2"}})", 0),
              HasSubstr("'k' appears twice"));
}

TEST(ParseHeader, MetadataMustMapTextToText) {
  for (const auto* value : {"1", "null", "true", "[]", "{}", "-1", "1.5"}) {
    SCOPED_TRACE(value);
    EXPECT_THAT(refused(R"({"__metadata__":{"k":)" + std::string(value) + "}}", 0),
                HasSubstr("__metadata__: unexpected"));
  }
  EXPECT_THAT(refused(R"({"__metadata__":"pt"})", 0), HasSubstr("unexpected string"));
}

TEST(ParseHeader, UnknownDtypesAndKeysAreRefused) {
  EXPECT_THAT(refused(R"({"a":{"dtype":"F5","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("tensor 'a': dtype 'F5' is not supported"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}})", 1),
              HasSubstr("unknown key 'strides'"));
}

TEST(ParseHeader, MissingFieldsAreRefused) {
  EXPECT_THAT(refused(R"({"a":{}})", 0), HasSubstr("must have dtype, shape and data_offsets"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[0]}})", 0), HasSubstr("must have"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}})", 0),
              HasSubstr("two numbers"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}})", 0),
              HasSubstr("two numbers"));
}

TEST(ParseHeader, SizesMustBeNonNegativeIntegers) {
  for (const auto* side : {"-1", "1.0", "1e0", "\"1\"", "null", "true", "[1]", "{}",
                           "18446744073709551616", "9223372036854775808"}) {
    SCOPED_TRACE(side);
    EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[)" + std::string(side) +
                            R"(],"data_offsets":[0,1]}})",
                        1),
                HasSubstr("tensor 'a': "));
  }
  for (const auto* offset : {"-0.0", "1.0", "\"1\"", "-1", "18446744073709551616"}) {
    SCOPED_TRACE(offset);
    EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,)" +
                            std::string(offset) + "]}}",
                        1),
                HasSubstr("tensor 'a': "));
  }
}

TEST(ParseHeader, ShapeMustMatchTheRange) {
  EXPECT_THAT(refused(R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,6]}})", 6),
              HasSubstr("shape x dtype is 24 bytes but data_offsets span 6"));
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,1]}})", 1),
              HasSubstr("0 bytes"));
}

TEST(HeaderBytes, FilesOfOtherKindsAreNamed) {
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {std::string("GGUF\3\0\0\0 and more", 17), "is a GGUF file"},
           {"version https://git-lfs.github.com/spec/v1", "git lfs pull"},
           {"<!DOCTYPE html><html>", "is an HTML page"},
           {"<html lang=en>", "is an HTML page"},
           {"\n<!doctype html>", "is an HTML page"},
           {"<HTML><HEAD>", "is an HTML page"},
           {"\xef\xbb\xbf<!DOCTYPE html>", "is an HTML page"},
           {"\xef\xbb\xbf<html>", "is an HTML page"},
           {"\xef\xbb\xbfNot found", "is text that begins with \"Not f\", not safetensors"},
           {"<?xml version=\"1.0\"?><Error><Code>AccessDenied", "is an XML page"},
           {"{\"error\":\"Repository not found\"}", "is an error message of a server"},
           {"Entry not found", "is text that begins with \"Entry no\", not safetensors"},
           {std::string("\0\5\26\7\0\2\0\0Mac OS X", 16), "is what macOS writes beside a file"},
           {"\200\2\212\12l\374\234F\371 and more", "is a PyTorch file"},
           {"\x89HDF\r\n\x1a\n and more", "is an HDF5 file"},
           {std::string("\x93NUMPY\1\0v\0", 10), "is a NumPy array"},
           {std::string("PK\3\4\0\0\10\10 and more", 16), "is a zip archive"}}) {
    SCOPED_TRACE(text);
    const auto bytes = test::bytes_of(text);
    EXPECT_THAT(test::refusal([&] { header_bytes(bytes, bytes.size(), "m.safetensors"); }),
                HasSubstr(what));
  }
}

TEST(ParseHeader, PackedDtypesTakeTheirBits) {
  const auto entries = parse(R"({"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]},)"
                             R"("b":{"dtype":"F8_E8M0","shape":[2],"data_offsets":[3,5]},)"
                             R"("c":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[5,8]},)"
                             R"("d":{"dtype":"C64","shape":[1],"data_offsets":[8,16]}})",
                             16);
  ASSERT_EQ(entries.size(), 4);
  EXPECT_EQ(entries[0].dtype, Dtype::f4);
  EXPECT_THAT(refused(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1),
              HasSubstr("do not fill whole bytes"));
}

TEST(ParseHeader, OverflowingShapesAreRefusedWhereverAZeroStands) {
  // 2^32 * 2^32 is 0 modulo 2^64, and 2^61 * 8 as well.
  for (const auto* shape :
       {"4294967296,4294967296", "2305843009213693952", "0,4294967296,4294967296",
        "4294967296,0,4294967296", "4294967296,4294967296,0", "9223372036854775807,2"}) {
    SCOPED_TRACE(shape);
    EXPECT_THAT(refused(R"({"a":{"dtype":"F64","shape":[)" + std::string(shape) +
                            R"(],"data_offsets":[0,0]}})",
                        0),
                HasSubstr("shape is too large"));
  }
}

TEST(ParseHeader, SizesBetweenTwoToThe63AndTwoToThe64AreRefused) {
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[4611686018427387904,3,0],)"
                      R"("data_offsets":[0,0]}})",
                      0),
              HasSubstr("shape is too large"));
}

TEST(ParseHeader, OffsetsNearTwoToThe64AreRefused) {
  EXPECT_THAT(refused(R"({"a":{"dtype":"U8","shape":[1],)"
                      R"("data_offsets":[18446744073709551614,18446744073709551615]}})",
                      1),
              HasSubstr("truncated"));
  EXPECT_THAT(
      refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]}})", 1),
      HasSubstr("run backwards"));
}

TEST(ParseHeader, DeepJsonIsRefused) {
  const std::string open(1'000'000, '[');
  EXPECT_THAT(refused("{\"a\":" + open, 0), HasSubstr("unexpected array"));
  EXPECT_THAT(refused(R"({"a":{"shape":)" + open, 0), HasSubstr("unexpected array"));
  EXPECT_THAT(refused(R"({"a":{"b":{"c":{)", 0), HasSubstr("unknown key 'b'"));
  EXPECT_THAT(refused(R"({"a":{"dtype":{)", 0), HasSubstr("nested too deep"));
}

TEST(ParseHeader, MoreThanTheLargestRankIsRefused) {
  const auto json = [](std::size_t rank) {
    std::string shape = "1";
    for (std::size_t i = 1; i < rank; ++i) shape += ",1";
    return R"({"a":{"dtype":"U8","shape":[)" + shape + R"(],"data_offsets":[0,1]}})";
  };
  EXPECT_EQ(parse(json(max_rank), 1).size(), 1);
  EXPECT_THAT(refused(json(max_rank + 1), 1), HasSubstr("more than 64 dimensions"));
}

TEST(ParseHeader, ControlCharactersInNamesAreRefusedAndNotPrinted) {
  for (const auto* escape : {"\\u0000", "\\u001b[2J", "\\n", "\\u007f", "\\u009b2J"}) {
    SCOPED_TRACE(escape);
    const auto message = refused("{" + u8("a" + std::string(escape), 0, 1) + "}", 1);
    EXPECT_THAT(message, HasSubstr("control characters"));
    EXPECT_THAT(message, testing::Each(testing::Ge(' ')));
  }
}

TEST(ParseHeader, RawControlCharactersAndBadUtf8AreRefused) {
  EXPECT_THAT(refused("{" + u8("a\x1b", 0, 1) + "}", 1), HasSubstr("not valid JSON"));
  EXPECT_THAT(refused("{" + u8("a\xff", 0, 1) + "}", 1), HasSubstr("not valid JSON"));
  EXPECT_THAT(refused("{" + u8("a\\ud800", 0, 1) + "}", 1), HasSubstr("not valid JSON"));
}

TEST(ParseHeader, EmptyAndOverlongNamesAreRefusedInAShortMessage) {
  EXPECT_THAT(refused("{" + u8("", 0, 1) + "}", 1), HasSubstr("empty name"));
  EXPECT_EQ(parse("{" + u8(std::string(max_name_bytes, 'n'), 0, 1) + "}", 1).size(), 1);
  const auto message = refused("{" + u8(std::string(1'000'000, 'n'), 0, 1) + "}", 1);
  EXPECT_THAT(message, HasSubstr("longer than 1024 bytes"));
  EXPECT_LT(message.size(), 500);
}

TEST(ParseHeader, WhatIsNotOneJsonObjectIsRefused) {
  for (const std::string_view json :
       {" ", " {}", "[]", "1", "\"a\"", "{", "{}{}", "{} x", "{,}", R"({"a"})", R"({"a":1})",
        R"({"a":[]})", R"({"a":null})", "\xef\xbb\xbf{}", "/**/{}", "{}//"}) {
    SCOPED_TRACE(json);
    EXPECT_THAT(refused(json, 0), HasSubstr("f.safetensors: "));
  }
}

TEST(ParseHeader, ANulByteDoesNotEndTheHeader) {
  EXPECT_THAT(refused(std::string_view("{}\0garbage", 10), 0), HasSubstr("NUL"));
}

TEST(ParseHeader, AHugeNumberIsRefusedInAShortMessage) {
  const auto message =
      refused(R"({"a":{"dtype":"U8","shape":[)" + std::string(1'000'000, '9') + "]}}", 0);
  EXPECT_THAT(message, HasSubstr("tensor 'a': "));
  EXPECT_LT(message.size(), 500);
}

TEST(ParseHeader, AMillionTensorsAreParsed) {
  constexpr std::size_t count = 1'000'000;
  std::string json = "{";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) json += ',';
    json += u8("model.layers.0.mlp.experts." + std::to_string(i), i, i + 1);
  }
  json += '}';
  ASSERT_LT(json.size(), max_header_bytes);
  const auto entries = parse(json, count);
  ASSERT_EQ(entries.size(), count);
  EXPECT_EQ(entries.back().name, "model.layers.0.mlp.experts.999999");
}

TEST(ParseHeaderDeathTest, AnIncompleteHeaderIsABugOfTheCaller) {
  const auto header = header_of("{}");
  EXPECT_DEATH(parse_header(bytes_of(header).first(9), header.size(), "f"), "whole header");
}

}  // namespace
}  // namespace moesweep::checkpoint
