#pragma once
// A safetensors checkpoint on disk: which tensors it has, where their bytes are, and reading them.

#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moesweep/core/base/dtype.hpp>
#include <moesweep/core/base/hash.hpp>

namespace moesweep::checkpoint {

/// A shard and what identifies its content without reading the weights.
struct Shard {
  /// As opened: symlinks (of a Hugging Face cache, of a folder of links to a shared copy) were
  /// followed once.
  std::filesystem::path path;
  std::string name;  ///< file name inside the checkpoint
  std::uint64_t file_bytes = 0;
  Hash128 header_hash;  ///< XXH3-128 of length prefix and JSON header
};

struct Tensor {
  std::string name = {};
  Dtype dtype = Dtype::bf16;
  std::vector<std::int64_t> shape = {};
  std::size_t shard = 0;         ///< index into Checkpoint::shards
  std::uint64_t byte_begin = 0;  ///< offset in the shard file
  std::uint64_t byte_end = 0;
  /// A stack [E, in, out] in the file that is read as its `shape` [E, out, in]. TensorReader hides
  /// it: offsets and bytes are those of the logical order.
  bool is_transposed = false;

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
  std::vector<Shard> shards = {};
  std::vector<Tensor> tensors = {};
  std::shared_ptr<const ByteSource> source = nullptr;  ///< when set, no shard is a file
  /// Files and tensors beside the model that were left out, each with its reason.
  std::vector<std::string> ignored = {};
  /// Shards, and tensors of the index, that are not there (only with
  /// OpenOptions::allow_incomplete).
  std::vector<std::string> missing = {};

  std::int64_t params() const;
  std::int64_t bytes() const;
};

/// By name; null when there is none.
const Tensor* find_tensor(const Checkpoint& checkpoint, std::string_view name);

/// Over names, dtypes and shapes of the tensors: what a plan is made for.
Hash128 headers_hash(const Checkpoint& checkpoint);

/// The folder or file that is meant by what a user gave in its place: the folder of
/// `model.safetensors.index.json`, and of a model's folder in the cache of huggingface_hub
/// (`models--owner--name`, or its `snapshots`) the snapshot of refs/main, or the only one. Anything
/// else is returned as it is. Error(bad_input) where several could be meant (the whole cache, a
/// model with several snapshots), naming them.
std::filesystem::path checkpoint_path(const std::filesystem::path& given);

/// What a checkpoint is called, without where it lies: "owner/name" for anything below a model's
/// folder in the cache of huggingface_hub, else the last component of its path.
std::string name_of(const std::filesystem::path& checkpoint);

struct OpenOptions {
  bool allow_incomplete = false;  ///< missing shards are listed in Checkpoint::missing, not refused
};

/// Opens checkpoint_path(path): a directory with `model.safetensors.index.json`, a directory of
/// *.safetensors without an index, or one .safetensors file; reads headers only. With an index,
/// what it names counts: other tensors and files are in Checkpoint::ignored. Without one, adapters,
/// optimizer states, Apple's `._*` and, beside other files, `consolidated*` are ignored by name,
/// and files that say `-of-000NN` must all be there. Shards may be links to anywhere, the index may
/// not (companion.hpp). Error(bad_input), naming file and tensor, for: no safetensors at all, a
/// shard that is missing, absolute or has `..`, an index that leaves the checkpoint, a shard that
/// is not a regular file, a tensor in two shards without an index, a tensor of the index that its
/// shard lacks, a folder that its writer has not finished (unfinished.hpp), no tensors at all, and
/// everything parse_header refuses. A file that is named itself may be a link to anywhere, too.
Checkpoint open_checkpoint(const std::filesystem::path& path, const OpenOptions& options = {});

/// Equally long pieces of a tensor, equally far apart: rows of a few columns of a matrix, or one
/// contiguous range (`count` 1).
struct ByteRanges {
  std::uint64_t offset = 0;  ///< of the first, within the tensor
  std::uint64_t bytes = 0;   ///< of one
  std::uint64_t count = 1;
  std::uint64_t stride = 0;  ///< from the begin of one to the begin of the next
};

/// A read under way. Its buffer must stay until it ends: the destructor waits for that.
class PendingRead {
 public:
  PendingRead() = default;
  explicit PendingRead(std::future<void> done) : done_(std::move(done)) {}
  PendingRead(PendingRead&&) = default;
  PendingRead& operator=(PendingRead&& other) noexcept;
  ~PendingRead();

  /// Started, and nobody waited for it yet.
  bool is_under_way() const { return done_.valid(); }
  /// Waits; throws what the read threw. The read is not under way then.
  void finish() { done_.get(); }

 private:
  std::future<void> done_;
};

struct ReadOptions {
  std::int64_t threads = 8;         ///< that read at most, beside those that compute
  std::int64_t reads_per_file = 4;  ///< at once at most
};

/// Reads byte ranges of tensors, with pread on threads of its own, or from the checkpoint's source.
/// A shard is opened when it is first read from and stays open. Safe to use from many threads at
/// once, also when the Checkpoint is gone.
class TensorReader {
 public:
  explicit TensorReader(const Checkpoint& checkpoint, ReadOptions options = {});
  ~TensorReader();
  TensorReader(const TensorReader&) = delete;
  TensorReader& operator=(const TensorReader&) = delete;

  /// Starts to read the ranges into `out`, one behind the other; they fill it, and a range that is
  /// not within the tensor is a bug. A shard that changed size since it was opened, or ends early,
  /// is Error(bad_input) when the read is finished. Of a transposed stack, the ranges are those of
  /// its logical order, and as many bytes again are held until then. A source makes its bytes then,
  /// not before: that is computing, and computing belongs to the thread that waits.
  PendingRead start(const Tensor& tensor, std::vector<ByteRanges> ranges,
                    std::span<std::byte> out) const;

  /// out.size() bytes from `offset` within the tensor, now.
  void read(const Tensor& tensor, std::uint64_t offset, std::span<std::byte> out) const;

 private:
  PendingRead start_transposed(const Tensor& tensor, const std::vector<ByteRanges>& ranges,
                               std::span<std::byte> out) const;
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace moesweep::checkpoint
