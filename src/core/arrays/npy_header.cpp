#include "npy_header.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::arrays {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
// numpy itself refuses more than 10,000 characters.
constexpr std::uint64_t max_header_bytes = 1 << 16;
constexpr std::size_t max_rank = 32;

// The Python dictionary literal that the header is, of which numpy writes three keys.
class Dictionary {
 public:
  Dictionary(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  struct Content {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::int64_t>> shape;
  };
  Content parse();

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw Error(ExitCode::bad_input, place_, problem, "save the array again with numpy.save");
  }
  void skip_blanks() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void expect_token(std::string_view token) {
    if (!take(token)) refuse(fmt::format("header lacks \"{}\"", token));
  }
  std::string quoted();
  bool boolean();
  std::vector<std::int64_t> tuple();

  std::string_view text_;
  const std::string& place_;
};

std::string Dictionary::quoted() {
  skip_blanks();
  const char quote = text_.empty() ? '\0' : text_[0];
  if (quote == '[') refuse("holds records of several fields");
  if (quote != '\'' && quote != '"') refuse("header has no text where one belongs");
  const auto end = text_.find(quote, 1);
  if (end == std::string_view::npos) refuse("header has a text without end");
  std::string text(text_.substr(1, end - 1));
  text_.remove_prefix(end + 1);
  return text;
}

bool Dictionary::boolean() {
  if (take("True")) return true;
  expect_token("False");
  return false;
}

std::vector<std::int64_t> Dictionary::tuple() {
  std::vector<std::int64_t> sizes;
  expect_token("(");
  while (!take(")")) {
    skip_blanks();
    std::int64_t size = 0;
    const auto [end, failed] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
    if (failed != std::errc{} || size < 0) refuse("header has a shape that is not sizes");
    if (sizes.size() == max_rank) refuse("has too many dimensions");
    sizes.push_back(size);
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    if (take(",")) continue;
    expect_token(")");
    break;
  }
  return sizes;
}

Dictionary::Content Dictionary::parse() {
  Content content;
  expect_token("{");
  while (!take("}")) {
    const auto key = quoted();
    expect_token(":");
    if (key == "descr") {
      content.descr = quoted();
    } else if (key == "fortran_order") {
      content.fortran_order = boolean();
    } else if (key == "shape") {
      content.shape = tuple();
    } else {
      refuse(fmt::format("header has the unknown key \"{}\"", key));
    }
    if (!take(",")) {
      expect_token("}");
      break;
    }
  }
  skip_blanks();
  if (!text_.empty()) refuse("header has more than a dictionary");
  return content;
}

ElementType type_of(std::string_view descr, const std::string& place) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error(ExitCode::bad_input, place, problem, remedy);
  };
  if (descr.starts_with('>')) refuse("is big-endian", "convert it with .astype(\"<f4\") or alike");
  if (descr.starts_with('<') || descr.starts_with('|')) descr.remove_prefix(1);
  std::int64_t size = 0;
  const auto* first = descr.data() + (descr.empty() ? 0 : 1);
  const auto [end, failed] = std::from_chars(first, descr.data() + descr.size(), size);
  const bool whole = failed == std::errc{} && end == descr.data() + descr.size();
  const char kind = descr.empty() ? '\0' : descr[0];
  constexpr std::int64_t max_text = 4096;
  if (whole && kind == 'f' && (size == 2 || size == 4 || size == 8)) {
    return {ElementKind::floating, size};
  }
  if (whole && kind == 'i' && (size == 1 || size == 2 || size == 4 || size == 8)) {
    return {ElementKind::signed_integer, size};
  }
  if (whole && (kind == 'u' || kind == 'b') && size == 1) return {ElementKind::unsigned_integer, 1};
  if (whole && kind == 'S' && size >= 1 && size <= max_text) return {ElementKind::bytes, size};
  if (whole && kind == 'U' && size >= 1 && size <= max_text / 4) {
    return {ElementKind::unicode, size * 4};
  }
  refuse(fmt::format("has elements of type \"{}\"", printable(descr)),
         "convert it to f2 f4 f8 i1 i2 i4 i8 u1 b1 S or U");
  return {};
}

std::uint64_t byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint64_t>(bytes[at]);
}

// Version 1 has two bytes of length, later ones four.
std::size_t bytes_before_dictionary(std::span<const std::byte> prefix) {
  return byte_at(prefix, magic.size()) == 1 ? 10 : 12;
}

}  // namespace

std::uint64_t npy_header_bytes(std::span<const std::byte> prefix, std::uint64_t file_bytes,
                               const std::string& place) {
  const std::string_view text(reinterpret_cast<const char*>(prefix.data()), prefix.size());
  const auto refuse = [&](const std::string& problem) {
    throw Error(ExitCode::bad_input, place, problem, "save the array again with numpy.save");
  };
  if (prefix.size() < npy_prefix_bytes || !text.starts_with(magic)) refuse("is not an .npy array");
  const auto version = byte_at(prefix, magic.size());
  if (version < 1 || version > 3) refuse(fmt::format("has the unknown version {}", version));
  std::uint64_t length = byte_at(prefix, 8) | byte_at(prefix, 9) << 8;
  if (version > 1) length |= byte_at(prefix, 10) << 16 | byte_at(prefix, 11) << 24;
  const auto bytes = bytes_before_dictionary(prefix) + length;
  if (length > max_header_bytes || bytes > file_bytes || bytes < npy_prefix_bytes) {
    refuse(fmt::format("has a header of {} bytes in a file of {}", length, file_bytes));
  }
  return bytes;
}

NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                           const std::string& place) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error(ExitCode::bad_input, place, problem, remedy);
  };
  const auto dictionary = bytes.subspan(bytes_before_dictionary(bytes));
  const auto content =
      Dictionary({reinterpret_cast<const char*>(dictionary.data()), dictionary.size()}, place)
          .parse();
  if (!content.descr || !content.fortran_order || !content.shape) {
    refuse("header lacks descr, fortran_order or shape", "save the array again with numpy.save");
  }
  if (*content.fortran_order) refuse("is in Fortran order", "save numpy.ascontiguousarray of it");
  NpyHeader header{type_of(*content.descr, place), *content.shape, bytes.size(), 0};
  std::optional<std::uint64_t> data = checked_cast<std::uint64_t>(header.type.bytes);
  for (const auto size : header.shape) {
    if (data) data = checked_product(*data, checked_cast<std::uint64_t>(size));
  }
  const auto present = file_bytes - bytes.size();
  if (!data || *data != present) {
    refuse(fmt::format("holds {} bytes of data, its header says {}", present,
                       data ? fmt::to_string(*data) : "more than any file"),
           "it is truncated or damaged: copy or save it again");
  }
  header.data_bytes = present;
  return header;
}

}  // namespace moesweep::arrays
