#include "frames.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include <moesweep/core/base/cast.hpp>

namespace moesweep::store {
namespace {

constexpr std::size_t header_bytes = 5;
constexpr std::size_t worth_a_frame = std::size_t{64} << 10;

std::array<std::byte, header_bytes> header_of(FrameKind kind, std::size_t bytes) {
  std::array<std::byte, header_bytes> header{static_cast<std::byte>(kind)};
  for (std::size_t i = 1; i < header_bytes; ++i) {
    header[i] = static_cast<std::byte>(bytes >> (8 * (i - 1)) & 0xff);
  }
  return header;
}

// The code and three texts, a NUL behind each.
std::vector<std::byte> bytes_of(const Error& error) {
  std::string text(1, static_cast<char>(error.exit_code()));
  for (const auto* part : {&error.where(), &error.problem(), &error.remedy()}) {
    text.append(*part, 0, std::min(part->find('\0'), max_frame_bytes / 4));
    text += '\0';
  }
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Error error_of(std::span<const std::byte> bytes) {
  const auto nonsense = BrokenStream(BrokenStream::Why::makes_no_sense);
  if (bytes.empty()) throw nonsense;
  const auto code = static_cast<ExitCode>(std::to_integer<int>(bytes[0]));
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1);
  std::array<std::string, 3> parts;
  for (auto& part : parts) {
    const auto end = rest.find('\0');
    if (end == std::string_view::npos) throw nonsense;
    part = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  if (!rest.empty()) throw nonsense;
  return Error(code == ExitCode::io_error ? code : ExitCode::bad_input, parts[0], parts[1],
               parts[2]);
}

}  // namespace

void FrameWriter::put_frame(FrameKind kind, std::span<const std::byte> bytes) {
  put_(header_of(kind, bytes.size()));
  if (!bytes.empty()) put_(bytes);
}

void FrameWriter::flush() {
  if (small_.empty()) return;
  put_frame(FrameKind::data, small_);
  small_.clear();
}

void FrameWriter::write(std::span<const std::byte> bytes) {
  if (small_.size() + bytes.size() < worth_a_frame) {
    small_.insert(small_.end(), bytes.begin(), bytes.end());
    return;
  }
  flush();
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), max_frame_bytes));
    put_frame(FrameKind::data, part);
    bytes = bytes.subspan(part.size());
  }
}

void FrameWriter::end() {
  flush();
  put_frame(FrameKind::end, {});
}

void FrameWriter::fail(const Error& error) {
  put_frame(FrameKind::failure, bytes_of(error));
}

FrameReader::FrameReader(More more) : more_(std::move(more)), buffer_(worth_a_frame) {}

// Long runs do not go through the buffer.
void FrameReader::take(std::span<std::byte> out) {
  while (!out.empty()) {
    std::size_t got = 0;
    if (at_ < filled_) {
      got = std::min(out.size(), filled_ - at_);
      std::memcpy(out.data(), &buffer_[at_], got);
      at_ += got;
    } else if (out.size() >= buffer_.size()) {
      got = more_(out);
      if (got == 0) throw BrokenStream(BrokenStream::Why::ends_early);
    } else {
      at_ = 0;
      filled_ = more_(buffer_);
      if (filled_ == 0) throw BrokenStream(BrokenStream::Why::ends_early);
    }
    out = out.subspan(got);
  }
}

void FrameReader::next_frame() {
  std::array<std::byte, header_bytes> header;
  take(header);
  std::size_t bytes = 0;
  for (std::size_t i = header_bytes; i-- > 1;) {
    bytes = bytes << 8 | std::to_integer<std::size_t>(header[i]);
  }
  const auto kind = static_cast<FrameKind>(header[0]);
  if (kind == FrameKind::data && bytes > 0 && bytes <= max_frame_bytes) {
    frame_left_ = bytes;
  } else if (kind == FrameKind::end && bytes == 0) {
    ended_ = true;
  } else if (kind == FrameKind::failure && bytes <= max_frame_bytes) {
    std::vector<std::byte> failure(bytes);
    take(failure);
    throw error_of(failure);
  } else {
    throw BrokenStream(BrokenStream::Why::makes_no_sense);
  }
}

void FrameReader::read(std::span<std::byte> out) {
  while (!out.empty()) {
    if (ended_) throw BrokenStream(BrokenStream::Why::makes_no_sense);
    if (frame_left_ == 0) {
      next_frame();
      continue;
    }
    const auto part = out.first(std::min(out.size(), frame_left_));
    take(part);
    frame_left_ -= part.size();
    out = out.subspan(part.size());
  }
}

void FrameReader::finish() {
  if (frame_left_ == 0 && !ended_) next_frame();
  if (!ended_) throw BrokenStream(BrokenStream::Why::makes_no_sense);
}

}  // namespace moesweep::store
