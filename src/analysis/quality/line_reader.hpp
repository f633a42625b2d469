#pragma once
// The lines that begin in a block of a file, through one buffer.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include <moesweep/analysis/quality/samples.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>

namespace moesweep::quality {

class LineReader {
 public:
  /// Bytes behind a line that may be read, though they are not its own: what simdjson asks for.
  static constexpr std::size_t padding = 64;

  LineReader(std::filesystem::path path, const Block& block);

  /// The next line without its end, and without a byte order mark at the beginning of the file;
  /// valid until the next call. Nothing after the last line.
  std::optional<std::string_view> next();
  /// Bytes from the beginning of the last line to the end of what may be read.
  std::size_t capacity() const;
  /// Error(bad_input) at the last line; counts the lines before it.
  Error complaint(const std::string& problem) const;
  /// Where the last line begins in the file, and the number of the line, from 1, that begins there.
  std::uint64_t line_offset() const { return offset_ + line_begin_; }
  std::int64_t line_number(std::uint64_t line_offset) const;

 private:
  std::optional<std::string_view> next_line();
  void skip_line_of_other_block();
  bool refill();

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t end_ = 0;     ///< lines that begin here or later are of another block
  std::uint64_t offset_ = 0;  ///< of buffer_[0] in the file
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
};

}  // namespace moesweep::quality
