#include "shard_file.hpp"

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file_hash.hpp>
#include <moesweep/core/base/paths.hpp>

namespace moesweep::written {

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
  const auto size = size_of_file_at(file_.temporary());
  expect(size && std::cmp_equal(*size, bytes_),
         "written file is of another size than was computed");
  return hash_of_file(file_.temporary());
}

}  // namespace moesweep::written
