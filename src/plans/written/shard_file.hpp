#pragma once
// A safetensors file whose tensors are written in pieces, in any order.

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/hash.hpp>
#include <moesweep/plans/written/layout.hpp>

namespace moesweep::written {

class ShardFile {
 public:
  /// Writes the header.
  ShardFile(const StoredShard& shard, const std::filesystem::path& path);

  /// Bytes of a tensor, by its index in the shard, from `offset` within it.
  void write(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes);
  /// Reads back what was written; the file has all of its bytes then.
  Hash128 hash() const;
  void publish() { file_.publish(); }

 private:
  FilePublisher file_;
  std::int64_t bytes_;
  std::vector<std::int64_t> begins_;  // of each tensor in the file
};

}  // namespace moesweep::written
