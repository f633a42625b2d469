#pragma once
// Numbers and texts in a stream of frames, as they are in memory: writer and reader are one
// program.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "frames.hpp"

namespace moesweep::store {

class PlainWriter {
 public:
  explicit PlainWriter(FrameWriter& out) : out_(out) {}

  void number(std::int64_t value) { out_.write(std::as_bytes(std::span(&value, 1))); }
  void text(const std::string& value);
  void texts(const std::vector<std::string>& values);
  template <typename Value>
  void numbers(const std::vector<Value>& values) {
    static_assert(std::is_arithmetic_v<Value>);
    number(static_cast<std::int64_t>(values.size()));
    out_.write(std::as_bytes(std::span(values)));
  }

 private:
  FrameWriter& out_;
};

/// Reads what a PlainWriter wrote; lengths that no honest writer would tell are BrokenStream.
class PlainReader {
 public:
  /// More than `most_bytes` in all is Error(bad_input) naming `file_name`, before they are asked
  /// for.
  PlainReader(FrameReader& in, std::string file_name, std::uint64_t most_bytes)
      : in_(in), file_name_(std::move(file_name)), most_(most_bytes), left_(most_bytes) {}

  std::int64_t number();
  /// A number of things of at least one byte each.
  std::uint64_t count();
  std::string text();
  std::vector<std::string> texts();
  template <typename Value>
  std::vector<Value> numbers() {
    static_assert(std::is_arithmetic_v<Value>);
    const auto size = count();
    claim(size, sizeof(Value));
    return arrived<std::vector<Value>>(size);
  }

 private:
  /// `size` values, in memory that grows with what has come: a length alone asks for none.
  template <typename Values>
  Values arrived(std::uint64_t size) {
    Values values;
    while (values.size() < size) {
      const auto begin = values.size();
      values.resize(std::min<std::uint64_t>(size, std::max(2 * begin, max_frame_bytes)));
      in_.read(std::as_writable_bytes(std::span(values).subspan(begin)));
    }
    return values;
  }
  void claim(std::uint64_t size, std::uint64_t bytes_each);

  FrameReader& in_;
  std::string file_name_;
  std::uint64_t most_;
  std::uint64_t left_;
};

}  // namespace moesweep::store
