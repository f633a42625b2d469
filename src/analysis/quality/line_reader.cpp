#include "line_reader.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace moesweep::quality {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;
constexpr std::size_t longest_line = std::size_t{16} << 20;

std::int64_t count_lines(const FileDescriptor& file, std::uint64_t bytes,
                         const std::filesystem::path& path) {
  std::vector<std::byte> buffer(chunk_bytes);
  std::int64_t lines = 0;
  for (std::uint64_t at = 0; at < bytes;) {
    const auto count = std::min<std::uint64_t>(buffer.size(), bytes - at);
    const auto part = std::span(buffer).first(count);
    read_exactly(file, at, part, path);
    lines += std::count(part.begin(), part.end(), std::byte{'\n'});
    at += count;
  }
  return lines;
}

}  // namespace

LineReader::LineReader(std::filesystem::path path, const Block& block)
    : path_(std::move(path)),
      file_(open_for_reading(path_)),
      file_bytes_(file_size(file_, path_)),
      end_(std::min(block.end, file_bytes_)),
      offset_(block.begin),
      buffer_(chunk_bytes + padding) {
  if (block.begin > 0) skip_line_of_other_block();
}

// A line begins in this block only if the byte before it, which may be of the last one, ends one.
void LineReader::skip_line_of_other_block() {
  --offset_;
  while (true) {
    const auto* begin = buffer_.data() + at_;
    if (const auto* found = std::memchr(begin, '\n', filled_ - at_)) {
      at_ = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
      return;
    }
    at_ = filled_;
    if (offset_ + filled_ >= end_ || !refill()) return;
  }
}

// Moves what is left to the front and reads on. False at the end of the file.
bool LineReader::refill() {
  const auto left = filled_ - at_;
  if (left > longest_line) {
    line_begin_ = at_;
    throw complaint("is a line of more than 16 MiB");
  }
  const auto next = offset_ + filled_;
  if (next >= file_bytes_) return false;
  std::memmove(buffer_.data(), buffer_.data() + at_, left);
  offset_ += at_;
  at_ = 0;
  if (buffer_.size() < left + chunk_bytes + padding) {
    buffer_.resize(2 * left + chunk_bytes + padding);
  }
  const auto count = std::min<std::uint64_t>(chunk_bytes, file_bytes_ - next);
  read_exactly(file_, next, std::as_writable_bytes(std::span(buffer_)).subspan(left, count), path_);
  filled_ = left + static_cast<std::size_t>(count);
  return true;
}

std::optional<std::string_view> LineReader::next() {
  auto line = next_line();
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (line && line_offset() == 0 && line->starts_with(byte_order_mark)) {
    line->remove_prefix(byte_order_mark.size());
    line_begin_ += byte_order_mark.size();
  }
  return line;
}

std::optional<std::string_view> LineReader::next_line() {
  auto searched = at_;
  while (true) {
    if (offset_ + at_ >= end_) return std::nullopt;
    const auto* found = std::memchr(buffer_.data() + searched, '\n', filled_ - searched);
    if (found != nullptr) {
      const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
      line_begin_ = at_;
      at_ = end + 1;
      return std::string_view(buffer_.data() + line_begin_, end - line_begin_);
    }
    searched = filled_ - at_;
    if (!refill()) break;
  }
  line_begin_ = at_;
  at_ = filled_;
  if (line_begin_ == filled_) return std::nullopt;
  return std::string_view(buffer_.data() + line_begin_, filled_ - line_begin_);
}

std::size_t LineReader::capacity() const {
  return buffer_.size() - line_begin_;
}

std::int64_t LineReader::line_number(std::uint64_t line_offset) const {
  return count_lines(file_, line_offset, path_) + 1;
}

Error LineReader::complaint(const std::string& problem) const {
  return Error(ExitCode::bad_input,
               fmt::format("{}:{}", path_.string(), line_number(line_offset())), problem,
               "a line is {\"model\": .., \"level\": .., \"metric\": .., \"score\": ..} and, "
               "optionally, task, tokens, coherence, sample");
}

}  // namespace moesweep::quality
