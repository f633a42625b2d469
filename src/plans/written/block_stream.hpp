#pragma once
// The source elements behind a stored tensor, in stored order, a block of whole rows at a time; the
// next block is read while one is worked on.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/plans/written/layout.hpp>

namespace moesweep::written {

/// Elements that are one behind the other in a source tensor and in the stored one.
struct Run {
  std::size_t origin = 0;         ///< index into StoredTensor::origins
  std::int64_t source_first = 0;  ///< within the source tensor
  std::int64_t elements = 0;
};
std::vector<Run> runs_of(const checkpoint::Checkpoint& source, const StoredTensor& stored);

/// Elements of the largest block.
std::int64_t largest_block(std::span<const Run> runs, std::int64_t columns);

struct SourceBlock {
  std::size_t origin = 0;
  std::int64_t source_first = 0;
  std::int64_t stored_first = 0;  ///< element of the stored tensor (before packing)
  std::int64_t elements = 0;
  std::span<const std::byte> bytes;  ///< until the next call of next()
};

class BlockStream {
 public:
  BlockStream(const checkpoint::Checkpoint& source, const checkpoint::TensorReader& reader,
              const StoredTensor& stored);
  std::optional<SourceBlock> next();

 private:
  struct Buffer {
    std::unique_ptr<std::byte[]> bytes;
    SourceBlock block;
    checkpoint::PendingRead pending;  // last: ends before the bytes go
  };
  void start_reading(Buffer& buffer);

  const checkpoint::Checkpoint& source_;
  const checkpoint::TensorReader& reader_;
  const StoredTensor& stored_;
  std::vector<Run> runs_;
  std::int64_t row_;         // elements that stay together
  std::size_t run_ = 0;      // of the next read
  std::int64_t in_run_ = 0;  // elements of it that are read
  std::int64_t stored_first_ = 0;
  Buffer buffers_[2];
  std::size_t current_ = 0;
};

}  // namespace moesweep::written
