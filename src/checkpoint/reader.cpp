#include <mutex>

#include <fmt/format.h>

#include <moesweep/base/cast.hpp>
#include <moesweep/base/error.hpp>
#include <moesweep/base/file.hpp>
#include <moesweep/checkpoint/checkpoint.hpp>

namespace moesweep::checkpoint {
namespace {

struct ShardFile {
  explicit ShardFile(const Checkpoint& checkpoint, const Shard& shard)
      : path(shard.path), shown(checkpoint.directory / shard.name), file_bytes(shard.file_bytes) {}

  const FileDescriptor& open() {
    const std::lock_guard lock(opening);
    if (file) return file;
    auto opened = open_for_reading(path);
    const auto bytes = file_size(opened, shown);
    if (bytes != file_bytes) {
      throw Error(ExitCode::bad_input, shown.string(),
                  fmt::format("changed size from {} to {} bytes", file_bytes, bytes),
                  "leave the checkpoint alone while it is read, and start again");
    }
    file = std::move(opened);
    return file;
  }

  std::filesystem::path path;
  std::filesystem::path shown;
  std::uint64_t file_bytes;
  std::mutex opening;
  FileDescriptor file;
};

}  // namespace

struct TensorReader::Files {
  std::vector<std::unique_ptr<ShardFile>> shards;
  std::shared_ptr<const ByteSource> source;
};

TensorReader::TensorReader(const Checkpoint& checkpoint) : files_(std::make_unique<Files>()) {
  files_->source = checkpoint.source;
  files_->shards.reserve(checkpoint.shards.size());
  for (const auto& shard : checkpoint.shards) {
    files_->shards.push_back(std::make_unique<ShardFile>(checkpoint, shard));
  }
}

TensorReader::~TensorReader() = default;

void TensorReader::read(const Tensor& tensor, std::uint64_t offset,
                        std::span<std::byte> out) const {
  expect(tensor.shard < files_->shards.size(), "tensor of another checkpoint");
  const auto bytes = tensor.byte_end - tensor.byte_begin;
  expect(offset <= bytes && out.size() <= bytes - offset, "read past the end of a tensor");
  if (files_->source) return files_->source->read(tensor.name, offset, out);
  auto& shard = *files_->shards[tensor.shard];
  read_exactly(shard.open(), tensor.byte_begin + offset, out, shard.shown);
}

}  // namespace moesweep::checkpoint
