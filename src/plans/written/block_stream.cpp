#include "block_stream.hpp"

#include <algorithm>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/plans/written/write.hpp>

namespace moesweep::written {
namespace {

void add_runs(const checkpoint::Tensor& tensor, const Origin& origin, std::size_t index,
              std::vector<Run>& runs) {
  if (tensor.params() == 0) return;
  if (origin.rows < 0) {
    runs.push_back({index, 0, tensor.params()});
    return;
  }
  const auto& shape = tensor.shape;
  const auto columns = shape.size() == 1 ? 1 : shape.back();
  const auto rows = shape.size() == 1 ? shape.front() : shape[shape.size() - 2];
  for (std::int64_t slice = 0; slice < tensor.params() / (rows * columns); ++slice) {
    runs.push_back({index, (slice * rows + origin.first_row) * columns, origin.rows * columns});
  }
}

std::int64_t block_elements(std::int64_t row) {
  return std::max<std::int64_t>(1, block_weights / row) * row;
}

// A copy has no rows.
std::int64_t row_of(std::int64_t columns) {
  return std::max<std::int64_t>(1, columns);
}

}  // namespace

std::vector<Run> runs_of(const checkpoint::Checkpoint& source, const StoredTensor& stored) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < stored.origins.size(); ++i) {
    add_runs(source.tensors[stored.origins[i].tensor], stored.origins[i], i, runs);
  }
  return runs;
}

std::int64_t largest_block(std::span<const Run> runs, std::int64_t columns) {
  std::int64_t largest = 0;
  for (const auto& run : runs) largest = std::max(largest, run.elements);
  return std::min(largest, block_elements(row_of(columns)));
}

BlockStream::BlockStream(const checkpoint::Checkpoint& source,
                         const checkpoint::TensorReader& reader, const StoredTensor& stored)
    : source_(source),
      reader_(reader),
      stored_(stored),
      runs_(runs_of(source, stored)),
      row_(row_of(stored.columns)) {
  if (runs_.empty()) return;
  const auto dtype = source.tensors[stored.origins.front().tensor].dtype;
  const auto bytes =
      checked_cast<std::size_t>(bytes_of_elements(dtype, largest_block(runs_, stored.columns)));
  for (auto& buffer : buffers_) buffer.bytes = std::make_unique_for_overwrite<std::byte[]>(bytes);
  start_reading(buffers_[current_]);
}

void BlockStream::start_reading(Buffer& buffer) {
  if (run_ == runs_.size()) return;
  const auto& run = runs_[run_];
  const auto& tensor = source_.tensors[stored_.origins[run.origin].tensor];
  const auto elements = std::min(run.elements - in_run_, block_elements(row_));
  buffer.block = {run.origin, run.source_first + in_run_, stored_first_, elements, {}};
  const std::span out(buffer.bytes.get(),
                      checked_cast<std::size_t>(bytes_of_elements(tensor.dtype, elements)));
  buffer.block.bytes = out;
  buffer.pending = reader_.start(tensor,
                                 {{.offset = checked_cast<std::uint64_t>(
                                       bytes_of_elements(tensor.dtype, buffer.block.source_first)),
                                   .bytes = out.size()}},
                                 out);
  stored_first_ += elements;
  in_run_ += elements;
  if (in_run_ < run.elements) return;
  in_run_ = 0;
  ++run_;
}

std::optional<SourceBlock> BlockStream::next() {
  auto& buffer = buffers_[current_];
  if (!buffer.pending.is_under_way()) return std::nullopt;
  current_ = 1 - current_;
  start_reading(buffers_[current_]);
  buffer.pending.finish();
  return buffer.block;
}

}  // namespace moesweep::written
