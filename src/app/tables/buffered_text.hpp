#pragma once
// Rows collected into large writes, so that a table of any length takes a fixed amount of memory.

#include <cstddef>
#include <span>
#include <string>

#include <moesweep/core/base/file.hpp>

namespace moesweep::tables {

class BufferedText {
 public:
  explicit BufferedText(FilePublisher& file) : file_(file) {}

  /// Text that is not written yet; append to it.
  std::string& text() { return text_; }
  void end_line() {
    text_ += '\n';
    if (text_.size() >= flush_bytes) flush();
  }
  /// Call at the end: what a destructor wrote could fail unnoticed.
  void flush() {
    file_.write(std::as_bytes(std::span(text_)));
    text_.clear();
  }

 private:
  static constexpr std::size_t flush_bytes = std::size_t{1} << 20;
  FilePublisher& file_;
  std::string text_;
};

}  // namespace moesweep::tables
