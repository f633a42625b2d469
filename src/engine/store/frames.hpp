#pragma once
// How a process that has read a stranger's file hands back what was in it: a stream of frames. Such
// a reader may have been made to do anything, so nothing in the stream is believed.
//
// A frame is its kind (1 byte), its length (4 bytes, little-endian) and that many bytes: of data,
// of an Error that ends the stream, or none at the end.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <vector>

#include <moesweep/core/base/error.hpp>

namespace moesweep::store {

enum class FrameKind : std::uint8_t { data = 1, failure = 2, end = 3 };

inline constexpr std::size_t max_frame_bytes = std::size_t{1} << 20;

class FrameWriter {
 public:
  using Put = std::function<void(std::span<const std::byte>)>;
  /// `put` takes all the bytes that it is given.
  explicit FrameWriter(Put put) : put_(std::move(put)) {}

  void write(std::span<const std::byte> bytes);
  /// Either one, last.
  void end();
  void fail(const Error& error);

 private:
  void flush();
  void put_frame(FrameKind kind, std::span<const std::byte> bytes);

  Put put_;
  std::vector<std::byte> small_;  ///< collected until a frame is worth it
};

/// The stream is not one that a FrameWriter has ended.
class BrokenStream : public std::runtime_error {
 public:
  enum class Why : std::uint8_t { ends_early, makes_no_sense };
  explicit BrokenStream(Why reason) : std::runtime_error("a broken stream"), why(reason) {}
  Why why;
};

class FrameReader {
 public:
  /// Fills a part of `out` and tells how much; 0 at the end of the stream.
  using More = std::function<std::size_t(std::span<std::byte> out)>;
  explicit FrameReader(More more);

  /// Fills `out`. Throws the Error that the writer failed with (bad_input or io_error, whatever it
  /// says) and BrokenStream.
  void read(std::span<std::byte> out);
  /// Nothing but the end may follow. Throws as read().
  void finish();

 private:
  void next_frame();
  void take(std::span<std::byte> out);

  More more_;
  std::vector<std::byte> buffer_;
  std::size_t at_ = 0;          ///< in the buffer
  std::size_t filled_ = 0;      ///< of the buffer
  std::size_t frame_left_ = 0;  ///< bytes of the data frame that is being read
  bool ended_ = false;
};

}  // namespace moesweep::store
