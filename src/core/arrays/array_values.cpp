#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include <moesweep/core/arrays/array_file.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/float16.hpp>
#include <moesweep/core/base/text.hpp>

namespace moesweep::arrays {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are read as they lie");

// Elements lie at any address: members of an archive are not aligned.
template <typename Element, typename Value, typename Convert>
void convert(const Array& array, const Convert& value_of,
             const std::function<void(std::span<const Value>)>& take) {
  std::vector<Value> values;
  array.for_each_piece([&](std::span<const std::byte> bytes) {
    values.resize(bytes.size() / sizeof(Element));
    for (std::size_t i = 0; i < values.size(); ++i) {
      Element element;
      std::memcpy(&element, &bytes[i * sizeof(Element)], sizeof(Element));
      values[i] = value_of(element);
    }
    take(values);
  });
}

template <typename Element>
std::vector<std::int64_t> widen(const Array& array) {
  std::vector<std::int64_t> all;
  convert<Element, std::int64_t>(
      array, [](Element element) { return std::int64_t{element}; },
      [&](std::span<const std::int64_t> values) {
        all.insert(all.end(), values.begin(), values.end());
      });
  return all;
}

[[noreturn]] void refuse(const Array& array, const std::string& what) {
  throw Error(ExitCode::bad_input, array.place, "does not hold " + what,
              "name the right array with --map or convert it");
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | code >> 6);
    add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3f));
    add(0x80 | (code >> 6 & 0x3f));
    add(0x80 | (code & 0x3f));
  }
}

std::string utf8_of(std::span<const std::byte> characters, const Array& array) {
  constexpr std::uint32_t last_code = 0x10ffff;
  std::string text;
  for (std::size_t at = 0; at < characters.size(); at += 4) {
    std::uint32_t code = 0;
    std::memcpy(&code, &characters[at], 4);
    if (code == 0) break;
    if (code > last_code) refuse(array, "Unicode");
    append_utf8(text, code);
  }
  return text;
}

// Compressed, a file of a megabyte may hold a billion of them.
void require_few(const Array& array) {
  const bool is_text =
      array.type.kind == ElementKind::bytes || array.type.kind == ElementKind::unicode;
  const auto most =
      is_text ? std::min(most_values, most_text_bytes / array.type.bytes) : most_values;
  if (array.elements() <= most) return;
  throw Error(ExitCode::bad_input, array.place,
              fmt::format("holds {} values, at most {} are read of what is not states",
                          format_count(array.elements()), format_count(most)),
              "write fewer samples or shorter texts");
}

void append_texts(std::vector<std::string>& texts, const Array& array,
                  std::span<const std::byte> bytes) {
  const auto width = checked_cast<std::size_t>(array.type.bytes);
  for (std::size_t at = 0; at < bytes.size(); at += width) {
    const auto one = bytes.subspan(at, width);
    if (array.type.kind == ElementKind::unicode) {
      texts.push_back(utf8_of(one, array));
    } else {
      const auto* text = reinterpret_cast<const char*>(one.data());
      texts.emplace_back(text, ::strnlen(text, width));
    }
  }
}

}  // namespace

void for_each_float(const Array& array, const std::function<void(std::span<const float>)>& take) {
  if (array.type.kind == ElementKind::bfloat) {
    return convert<std::uint16_t, float>(
        array,
        [](std::uint16_t bits) {
          return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
        },
        take);
  }
  if (array.type.kind != ElementKind::floating) refuse(array, "floating-point values");
  switch (array.type.bytes) {
    case 2:
      return convert<std::uint16_t, float>(array, float_of_half, take);
    case 4:
      return convert<float, float>(
          array, [](float value) { return value; }, take);
    default:
      return convert<double, float>(
          array, [](double value) { return static_cast<float>(value); }, take);
  }
}

std::vector<std::int64_t> integers_of(const Array& array) {
  require_few(array);
  if (array.type.kind == ElementKind::unsigned_integer) return widen<std::uint8_t>(array);
  if (array.type.kind != ElementKind::signed_integer) refuse(array, "integers");
  switch (array.type.bytes) {
    case 1:
      return widen<std::int8_t>(array);
    case 2:
      return widen<std::int16_t>(array);
    case 4:
      return widen<std::int32_t>(array);
    default:
      return widen<std::int64_t>(array);
  }
}

std::vector<std::string> texts_of(const Array& array) {
  if (array.type.kind != ElementKind::bytes && array.type.kind != ElementKind::unicode) {
    refuse(array, "text");
  }
  require_few(array);
  std::vector<std::string> texts;
  array.for_each_piece(
      [&](std::span<const std::byte> bytes) { append_texts(texts, array, bytes); });
  return texts;
}

}  // namespace moesweep::arrays
