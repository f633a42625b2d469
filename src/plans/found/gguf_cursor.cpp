#include "gguf_cursor.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::found {
namespace {

template <std::size_t size>
std::uint64_t little_endian(const std::array<std::byte, size>& bytes) {
  std::uint64_t value = 0;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    value = value << 8U | std::to_integer<std::uint64_t>(*byte);
  }
  return value;
}

}  // namespace

void GgufCursor::refuse(const std::string& problem) const {
  throw Error(ExitCode::bad_input, file_, problem, "write or download the file again");
}

void GgufCursor::take(std::span<std::byte> out, const char* what) {
  if (out.size() > left()) refuse(fmt::format("ends inside {}", what));
  constexpr std::uint64_t ahead = 1 << 16;
  for (std::size_t taken = 0; taken < out.size();) {
    if (offset_ < window_begin_ || offset_ >= window_begin_ + window_.size()) {
      window_.resize(std::min(ahead, left()));
      bytes_.read(offset_, window_);
      window_begin_ = offset_;
    }
    const auto at = offset_ - window_begin_;
    const auto piece = std::min<std::uint64_t>(window_.size() - at, out.size() - taken);
    std::memcpy(out.data() + taken, window_.data() + at, piece);
    taken += piece;
    offset_ += piece;
  }
}

std::uint16_t GgufCursor::u16(const char* what) {
  std::array<std::byte, 2> bytes{};
  take(bytes, what);
  return static_cast<std::uint16_t>(little_endian(bytes));
}

std::uint32_t GgufCursor::u32(const char* what) {
  std::array<std::byte, 4> bytes{};
  take(bytes, what);
  return static_cast<std::uint32_t>(little_endian(bytes));
}

std::uint64_t GgufCursor::u64(const char* what) {
  std::array<std::byte, 8> bytes{};
  take(bytes, what);
  return little_endian(bytes);
}

std::string GgufCursor::text(const char* what, std::uint64_t longest) {
  const auto length = count(1, what);
  if (length > longest) {
    refuse(fmt::format("{} is {} bytes long, at most {} are accepted", what, length, longest));
  }
  std::string text(length, '\0');
  take(std::as_writable_bytes(std::span(text)), what);
  return text;
}

void GgufCursor::skip(std::uint64_t count, std::uint64_t bytes_each, const char* what) {
  const auto bytes = checked_product(count, bytes_each);
  if (!bytes || *bytes > left()) refuse(fmt::format("ends inside {}", what));
  offset_ += *bytes;
}

std::uint64_t GgufCursor::count(std::uint64_t bytes_each, const char* what) {
  const auto count = u64(what);
  if (count > left() / bytes_each) {
    refuse(fmt::format("{}: {} can't be in the {} bytes that are left", what, count, left()));
  }
  return count;
}

}  // namespace moesweep::found
