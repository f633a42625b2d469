#include <algorithm>
#include <chrono>
#include <mutex>

#include <fmt/format.h>
#include <sys/uio.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>

#include "read_queue.hpp"
#include "transposed_read.hpp"

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

  /// Nothing when it was never read.
  const FileDescriptor* opened() {
    const std::lock_guard lock(opening);
    return file ? &file : nullptr;
  }

  std::filesystem::path path;
  std::filesystem::path shown;
  std::uint64_t file_bytes;
  std::mutex opening;
  FileDescriptor file;
};

void expect_within(const Tensor& tensor, const std::vector<ByteRanges>& all,
                   std::span<std::byte> out) {
  const auto bytes = tensor.byte_end - tensor.byte_begin;
  std::uint64_t filled = 0;
  for (const auto& ranges : all) {
    const auto last = ranges.count == 0 ? 0 : (ranges.count - 1) * ranges.stride;
    expect(ranges.offset <= bytes && last <= bytes - ranges.offset &&
               ranges.bytes <= bytes - ranges.offset - last,
           "read past the end of a tensor");
    filled += ranges.bytes * ranges.count;
  }
  expect(filled == out.size(), "ranges that do not fill their buffer");
}

template <typename Visitor>
void for_each_range(const std::vector<ByteRanges>& all, std::span<std::byte> out,
                    const Visitor& visit) {
  for (const auto& ranges : all) {
    for (std::uint64_t i = 0; i < ranges.count; ++i) {
      visit(ranges.offset + i * ranges.stride, out.first(ranges.bytes));
      out = out.subspan(ranges.bytes);
    }
  }
}

/// Pieces end at multiples of their size in the file: a parallel file system sends each to one of
/// its servers.
void read_aligned(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> out,
                  const std::filesystem::path& shown) {
  constexpr std::uint64_t piece_bytes = std::uint64_t{8} << 20;
  while (!out.empty()) {
    const auto piece = std::min<std::uint64_t>(piece_bytes - offset % piece_bytes, out.size());
    read_exactly(file, offset, out.first(piece), shown);
    offset += piece;
    out = out.subspan(piece);
  }
}

/// Bytes at the begin of `out` that the page cache has: read without waiting for a device. 0 where
/// the file system cannot tell.
std::size_t read_cached(const FileDescriptor& file, std::uint64_t offset,
                        std::span<std::byte> out) {
  iovec into{out.data(), out.size()};
  const auto got = ::preadv2(file.get(), &into, 1, checked_cast<off_t>(offset), RWF_NOWAIT);
  return got < 0 ? 0 : checked_cast<std::size_t>(got);
}

std::future<void> finished() {
  std::promise<void> done;
  done.set_value();
  return done.get_future();
}

}  // namespace

struct TensorReader::Files {
  Files(const Checkpoint& checkpoint, const ReadOptions& options)
      : source(checkpoint.source),
        queue(checkpoint.shards.size(), checked_cast<std::size_t>(options.threads),
              checked_cast<std::size_t>(options.reads_per_file)) {
    shards.reserve(checkpoint.shards.size());
    for (const auto& shard : checkpoint.shards) {
      shards.push_back(std::make_unique<ShardFile>(checkpoint, shard));
    }
  }

  std::shared_ptr<const ByteSource> source;
  std::vector<std::unique_ptr<ShardFile>> shards;
  ReadQueue queue;  // last: its threads end before the files go
};

PendingRead& PendingRead::operator=(PendingRead&& other) noexcept {
  PendingRead ended(std::move(*this));
  done_ = std::move(other.done_);
  return *this;
}

PendingRead::~PendingRead() {
  // One that was put off until it is asked for has not begun, and never will.
  using namespace std::chrono_literals;
  if (done_.valid() && done_.wait_for(0s) != std::future_status::deferred) done_.wait();
}

TensorReader::TensorReader(const Checkpoint& checkpoint, ReadOptions options)
    : files_(std::make_unique<Files>(checkpoint, options)) {}

TensorReader::~TensorReader() = default;

/// The file's bytes are on their way to a buffer of their own; the thread that waits transposes
/// them: that is computing.
PendingRead TensorReader::start_transposed(const Tensor& tensor,
                                           const std::vector<ByteRanges>& ranges,
                                           std::span<std::byte> out) const {
  struct Work {
    TransposedRead read;
    std::unique_ptr<std::byte[]> scratch;
    PendingRead pending;  // last: it ends before its buffer goes
  };
  auto stored = tensor;
  stored.is_transposed = false;
  auto work = std::make_unique<Work>(Work{
      TransposedRead(tensor, ranges), std::make_unique_for_overwrite<std::byte[]>(out.size()), {}});
  const std::span scratch(work->scratch.get(), out.size());
  work->pending = start(stored, work->read.stored(), scratch);
  return PendingRead(std::async(std::launch::deferred, [work = std::move(work), scratch, out] {
    work->pending.finish();
    work->read.transpose(scratch, out);
  }));
}

PendingRead TensorReader::start(const Tensor& tensor, std::vector<ByteRanges> ranges,
                                std::span<std::byte> out) const {
  expect(tensor.shard < files_->shards.size(), "tensor of another checkpoint");
  expect_within(tensor, ranges, out);
  if (tensor.is_transposed) return start_transposed(tensor, ranges, out);
  if (files_->source) {
    return PendingRead(std::async(
        std::launch::deferred,
        [source = files_->source, name = tensor.name, ranges = std::move(ranges), out] {
          for_each_range(ranges, out, [&](std::uint64_t offset, std::span<std::byte> piece) {
            source->read(name, offset, piece);
          });
        }));
  }
  auto& shard = *files_->shards[tensor.shard];
  // No other thread is faster than the page cache.
  if (const auto* file = shard.opened(); file && ranges.size() == 1 && ranges[0].count == 1) {
    auto& range = ranges.front();
    const auto cached = read_cached(*file, tensor.byte_begin + range.offset, out);
    if (cached == out.size()) return PendingRead(finished());
    range.offset += cached;
    range.bytes -= cached;
    out = out.subspan(cached);
  }
  return PendingRead(files_->queue.start(
      tensor.shard, [&shard, begin = tensor.byte_begin, ranges = std::move(ranges), out] {
        const auto& file = shard.open();
        for_each_range(ranges, out, [&](std::uint64_t offset, std::span<std::byte> piece) {
          read_aligned(file, begin + offset, piece, shard.shown);
        });
      }));
}

void TensorReader::read(const Tensor& tensor, std::uint64_t offset,
                        std::span<std::byte> out) const {
  start(tensor, {{.offset = offset, .bytes = out.size()}}, out).finish();
}

}  // namespace moesweep::checkpoint
