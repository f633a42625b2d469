#pragma once
// A safetensors checkpoint on disk: which tensors it has, where their bytes are, and reading them.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <moesweep/base/dtype.hpp>
#include <moesweep/base/hash.hpp>

namespace moesweep::checkpoint {

/// A shard and what identifies its content without reading the weights.
struct Shard {
  /// As opened: symlinks (of a Hugging Face cache) were followed once, when it was found to be
  /// inside the checkpoint.
  std::filesystem::path path;
  std::string name;  ///< file name inside the checkpoint
  std::uint64_t file_bytes = 0;
  Hash128 header_hash;  ///< XXH3-128 of length prefix and JSON header
};

struct Tensor {
  std::string name;
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape;
  std::size_t shard = 0;         ///< index into Checkpoint::shards
  std::uint64_t byte_begin = 0;  ///< offset in the shard file
  std::uint64_t byte_end = 0;

  std::int64_t params() const;
  std::int64_t bytes() const;
};

/// Makes the bytes of tensors that are in no file. Safe to use from many threads at once.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// out.size() bytes from `offset` within the tensor of this name; the caller keeps to its size.
  virtual void read(const std::string& tensor, std::uint64_t offset,
                    std::span<std::byte> out) const = 0;
};

/// Tensors sorted by name.
struct Checkpoint {
  std::filesystem::path directory;
  std::vector<Shard> shards;
  std::vector<Tensor> tensors;
  std::shared_ptr<const ByteSource> source = nullptr;  ///< when set, no shard is a file

  std::int64_t params() const;
  std::int64_t bytes() const;
};

/// Opens a directory with `model.safetensors.index.json`, a directory of *.safetensors without an
/// index, or one .safetensors file; reads headers only. Error(bad_input), naming file and tensor,
/// for: no safetensors at all, a shard of the index that is missing, absolute, has `..` or leaves
/// the checkpoint (a Hugging Face cache snapshot may link into its own repository's blobs
/// directory, nothing else may leave), a shard that is not a regular file, a tensor in two shards,
/// a tensor of the index that its shard lacks or the reverse, no tensors at all, and everything
/// parse_header refuses. A file that is named itself may be a link to anywhere.
Checkpoint open_checkpoint(const std::filesystem::path& path);

/// Reads byte ranges of tensors, with pread or from the checkpoint's source. A shard is opened when
/// it is first read from and stays open. Safe to use from many threads at once, also when the
/// Checkpoint is gone.
class TensorReader {
 public:
  explicit TensorReader(const Checkpoint& checkpoint);
  ~TensorReader();
  TensorReader(const TensorReader&) = delete;
  TensorReader& operator=(const TensorReader&) = delete;

  /// out.size() bytes from `offset` within the tensor; a range that is not within it is a bug. A
  /// shard that changed size since it was opened, or ends early, is Error(bad_input).
  void read(const Tensor& tensor, std::uint64_t offset, std::span<std::byte> out) const;

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace moesweep::checkpoint
