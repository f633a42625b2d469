#pragma once
// A ZIP archive written front to back (APPNOTE 6.3: deflate, zip64 where a size or offset needs
// it). No times and no attributes, so equal content gives equal bytes.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/base/file.hpp>

namespace moesweep::arrays {

class ZipWriter {
 public:
  /// Sizes, offsets and counts from `zip64_from` on are written as zip64 fields: 2^32-1 (and 2^16-1
  /// for counts) in the format, less in tests.
  explicit ZipWriter(FilePublisher& file, std::uint64_t zip64_from = 0xffffffff);
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  /// Members one after another: begin, any number of add, end. Holds a member's compressed bytes.
  void begin(std::string_view name);
  void add(std::span<const std::byte> bytes);
  void end();
  /// The directory. Nothing may be added afterwards.
  void finish();

 private:
  struct Deflate;
  struct Member {
    std::string name;
    std::uint32_t crc = 0;
    std::uint64_t bytes = 0;
    std::uint64_t compressed_bytes = 0;
    std::uint64_t offset = 0;
  };

  void write(std::string_view bytes);
  std::string directory_entry(const Member& member) const;

  FilePublisher& file_;
  std::uint64_t zip64_from_;
  std::uint64_t written_ = 0;
  std::vector<Member> members_;
  std::unique_ptr<Deflate> deflate_;
};

}  // namespace moesweep::arrays
