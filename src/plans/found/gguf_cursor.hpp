#pragma once
// Walks through a GGUF header and never past the end of its file.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/plans/found/gguf_header.hpp>

namespace moesweep::found {

class GgufCursor {
 public:
  GgufCursor(const GgufBytes& bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t left() const { return bytes_.size - offset_; }

  /// Little-endian. `what` is named when the file ends before.
  std::uint16_t u16(const char* what);
  std::uint32_t u32(const char* what);
  std::uint64_t u64(const char* what);
  /// A length and as many bytes; longer than `longest` is refused.
  std::string text(const char* what, std::uint64_t longest);
  /// `count` things of `bytes_each`.
  void skip(std::uint64_t count, std::uint64_t bytes_each, const char* what);
  /// A number of things of which each takes at least `bytes_each`.
  std::uint64_t count(std::uint64_t bytes_each, const char* what);

  [[noreturn]] void refuse(const std::string& problem) const;

 private:
  void take(std::span<std::byte> out, const char* what);

  const GgufBytes& bytes_;
  const std::string& file_;
  std::uint64_t offset_ = 0;
  std::vector<std::byte> window_;  // read ahead: vocabularies are many short texts
  std::uint64_t window_begin_ = 0;
};

}  // namespace moesweep::found
