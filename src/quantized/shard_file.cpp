#include "shard_file.hpp"

#include <algorithm>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/quantized/write.hpp>

namespace moesweep::quantized {
namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{4} << 20;

}  // namespace

ShardFile::ShardFile(const StoredShard& shard, const std::filesystem::path& path)
    : file_(path), bytes_(shard.bytes) {
  const auto header = checkpoint::safetensors_header(header_shapes(shard), shard.format);
  file_.write_at(0, std::as_bytes(std::span(header)));
  auto begin = checked_cast<std::int64_t>(header.size());
  for (const auto& tensor : shard.tensors) {
    begins_.push_back(begin);
    begin += tensor.bytes();
  }
}

void ShardFile::write(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes) {
  file_.write_at(checked_cast<std::uint64_t>(begins_[tensor] + offset), bytes);
}

Hash128 ShardFile::hash() const {
  const auto size = std::filesystem::file_size(file_.temporary());
  expect(std::cmp_equal(size, bytes_), "written file is of another size than was computed");
  return hash_of_file(file_.temporary());
}

Hash128 hash_of_file(const std::filesystem::path& path) {
  const auto file = open_for_reading(path);
  const auto size = file_size(file, path);
  Hasher128 hasher;
  std::vector<std::byte> piece;
  for (std::uint64_t offset = 0; offset < size; offset += piece.size()) {
    piece.resize(checked_cast<std::size_t>(std::min(piece_bytes, size - offset)));
    read_exactly(file, offset, piece, path);
    hasher.add(piece);
  }
  return hasher.finish();
}

}  // namespace moesweep::quantized
