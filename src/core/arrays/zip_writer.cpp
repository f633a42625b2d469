#include <algorithm>
#include <array>
#include <concepts>

#include <zlib.h>

#include <moesweep/core/arrays/zip_writer.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::arrays {
namespace {

constexpr std::uint16_t version_plain = 20;
constexpr std::uint16_t version_zip64 = 45;
constexpr std::uint16_t deflated = 8;
constexpr std::uint16_t first_of_january_1980 = 0x21;
constexpr std::uint16_t zip64_extra = 1;
constexpr std::size_t piece_bytes = std::size_t{1} << 20;

/// Little-endian fields.
class Fields {
 public:
  template <std::unsigned_integral Integer>
  Fields& put(Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      bytes_ += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
    }
    return *this;
  }
  Fields& put(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::uint16_t short_size(std::string_view text) {
  return checked_cast<std::uint16_t>(text.size());
}

/// A 32-bit field, all ones when the value stands among the zip64 `extra` fields instead.
std::uint32_t narrow(std::uint64_t value, std::uint64_t zip64_from, Fields& extra) {
  if (value < zip64_from) return static_cast<std::uint32_t>(value);
  extra.put(value);
  return 0xffffffff;
}

std::string extra_record(const Fields& fields) {
  if (fields.bytes().empty()) return {};
  return Fields().put(zip64_extra).put(short_size(fields.bytes())).put(fields.bytes()).bytes();
}

std::uint16_t version_for(std::string_view extra) {
  return extra.empty() ? version_plain : version_zip64;
}

}  // namespace

struct ZipWriter::Deflate {
  Deflate() {
    // Raw deflate: a ZIP member has no zlib frame.
    const int code =
        deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    expect(code == Z_OK, "deflate cannot start");
  }
  ~Deflate() { deflateEnd(&stream); }
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;

  void feed(std::span<const std::byte> bytes, int flush) {
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream.avail_in = checked_cast<uInt>(bytes.size());
    std::array<char, 1 << 16> out{};
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      const int code = deflate(&stream, flush);
      expect(code != Z_STREAM_ERROR, "deflate lost its state");
      compressed.append(out.data(), out.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }

  z_stream stream{};
  std::string compressed;
};

ZipWriter::ZipWriter(FilePublisher& file, std::uint64_t zip64_from)
    : file_(file), zip64_from_(zip64_from) {}

ZipWriter::~ZipWriter() = default;

void ZipWriter::write(std::string_view bytes) {
  file_.write(std::as_bytes(std::span(bytes)));
  written_ += bytes.size();
}

void ZipWriter::begin(std::string_view name) {
  expect(deflate_ == nullptr, "a zip member begins inside another");
  members_.push_back({.name = std::string(name), .offset = written_});
  deflate_ = std::make_unique<Deflate>();
}

void ZipWriter::add(std::span<const std::byte> bytes) {
  auto& member = members_.back();
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), piece_bytes));
    member.crc = static_cast<std::uint32_t>(
        crc32_z(member.crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size()));
    member.bytes += piece.size();
    deflate_->feed(piece, Z_NO_FLUSH);
    bytes = bytes.subspan(piece.size());
  }
}

void ZipWriter::end() {
  deflate_->feed({}, Z_FINISH);
  auto& member = members_.back();
  member.compressed_bytes = deflate_->compressed.size();
  // A local header has both sizes in its zip64 record, or none.
  const auto larger = std::max(member.bytes, member.compressed_bytes);
  const auto from = larger < zip64_from_ ? zip64_from_ : 0;
  Fields wide;
  const auto bytes = narrow(member.bytes, from, wide);
  const auto compressed_bytes = narrow(member.compressed_bytes, from, wide);
  const auto extra = extra_record(wide);
  Fields header;
  header.put(std::uint32_t{0x04034b50}).put(version_for(extra)).put(std::uint16_t{0});
  header.put(deflated).put(std::uint16_t{0}).put(first_of_january_1980);
  header.put(member.crc).put(compressed_bytes).put(bytes);
  header.put(short_size(member.name)).put(short_size(extra)).put(member.name).put(extra);
  write(header.bytes());
  write(deflate_->compressed);
  deflate_.reset();
}

std::string ZipWriter::directory_entry(const Member& member) const {
  Fields wide;
  const auto bytes = narrow(member.bytes, zip64_from_, wide);
  const auto compressed_bytes = narrow(member.compressed_bytes, zip64_from_, wide);
  const auto offset = narrow(member.offset, zip64_from_, wide);
  const auto extra = extra_record(wide);
  Fields entry;
  entry.put(std::uint32_t{0x02014b50}).put(version_for(extra)).put(version_for(extra));
  entry.put(std::uint16_t{0}).put(deflated).put(std::uint16_t{0}).put(first_of_january_1980);
  entry.put(member.crc).put(compressed_bytes).put(bytes);
  entry.put(short_size(member.name)).put(short_size(extra));
  entry.put(std::uint16_t{0}).put(std::uint16_t{0}).put(std::uint16_t{0}).put(std::uint32_t{0});
  return entry.put(offset).put(member.name).put(extra).bytes();
}

void ZipWriter::finish() {
  expect(deflate_ == nullptr, "a zip archive ends inside a member");
  const std::uint64_t start = written_;
  for (const auto& member : members_) write(directory_entry(member));
  const std::uint64_t size = written_ - start;
  const std::uint64_t count = members_.size();
  const auto count_from = std::min<std::uint64_t>(zip64_from_, 0xffff);
  if (count >= count_from || size >= zip64_from_ || start >= zip64_from_) {
    const std::uint64_t end_record = written_;
    Fields wide;
    wide.put(std::uint32_t{0x06064b50}).put(std::uint64_t{44}).put(version_zip64);
    wide.put(version_zip64).put(std::uint32_t{0}).put(std::uint32_t{0});
    wide.put(count).put(count).put(size).put(start);
    wide.put(std::uint32_t{0x07064b50}).put(std::uint32_t{0}).put(end_record);
    wide.put(std::uint32_t{1});
    write(wide.bytes());
  }
  Fields ignored;
  const auto short_count =
      count < count_from ? static_cast<std::uint16_t>(count) : std::uint16_t{0xffff};
  Fields end;
  end.put(std::uint32_t{0x06054b50}).put(std::uint16_t{0}).put(std::uint16_t{0});
  end.put(short_count).put(short_count).put(narrow(size, zip64_from_, ignored));
  end.put(narrow(start, zip64_from_, ignored)).put(std::uint16_t{0});
  write(end.bytes());
}

}  // namespace moesweep::arrays
