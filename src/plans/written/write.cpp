#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/plans/written/write.hpp>

#include "block_quantizer.hpp"
#include "block_stream.hpp"
#include "shard_file.hpp"

namespace moesweep::written {
namespace {

bool is_quantized(const StoredTensor& stored) {
  return stored.part == Part::codes || stored.part == Part::dequantized;
}

// Scales and biases are written with the codes.
bool has_own_pass(const StoredTensor& stored) {
  return is_quantized(stored) || stored.part == Part::copy;
}

Dtype source_dtype(const checkpoint::Checkpoint& source, const StoredTensor& stored) {
  return source.tensors[stored.origins.front().tensor].dtype;
}

void add_one(Dtype dtype, std::span<const std::byte> from, std::vector<float>& numbers,
             std::vector<std::byte>& to) {
  numbers.resize(from.size() / checked_cast<std::size_t>(dtype_bytes(dtype)));
  to.resize(from.size());
  kernels::decode(dtype, from, numbers);
  for (auto& number : numbers) number += 1.0F;
  kernels::encode(dtype, numbers, to);
}

// Finite weights may have a range, or dequantized values, beyond what holds them.
void refuse_overflow(const BlockError& error, const StoredTensor& stored,
                     const checkpoint::Tensor& tensor) {
  if (std::isfinite(error.sse) && std::isfinite(error.sse_stored)) return;
  throw Error(ExitCode::bad_input, tensor.name,
              fmt::format("overflows with {} bits in groups of {}: its weights are too large",
                          stored.quantizer.bits, stored.quantizer.group_size),
              "keep the tensor in the plan");
}

class ShardWriter {
 public:
  ShardWriter(const checkpoint::Checkpoint& source, const checkpoint::TensorReader& reader,
              const StoredShard& shard, ShardFile& file, WrittenShard& out)
      : source_(source), reader_(reader), shard_(shard), file_(file), out_(out) {}

  void write(std::size_t index) {
    const auto& stored = shard_.tensors[index];
    if (!has_own_pass(stored)) return;
    first_part_ = out_.parts.size();
    for (const auto& origin : stored.origins) {
      out_.parts.push_back({.tensor = origin.tensor,
                            .name = stored.name,
                            .is_quantized = is_quantized(stored),
                            .quantizer = stored.quantizer});
      if (is_quantized(stored)) out_.parts.back().sum_squares = 0.0;
    }
    if (is_quantized(stored)) return write_quantized(index, stored);
    copy(index, stored);
  }

 private:
  WrittenPart& part_of(const SourceBlock& block) {
    auto& part = out_.parts[first_part_ + block.origin];
    part.weights += block.elements;
    out_.bytes_read += checked_cast<std::int64_t>(block.bytes.size());
    return part;
  }

  void put(std::size_t index, std::int64_t offset, std::span<const std::byte> bytes,
           WrittenPart& part) {
    file_.write(index, offset, bytes);
    part.bytes += checked_cast<std::int64_t>(bytes.size());
  }

  void copy(std::size_t index, const StoredTensor& stored) {
    const bool adds_one = stored.transform == names::Transform::add_one;
    std::vector<float> numbers;
    std::vector<std::byte> changed;
    BlockStream blocks(source_, reader_, stored);
    while (const auto block = blocks.next()) {
      auto& part = part_of(*block);
      if (adds_one) add_one(stored.dtype, block->bytes, numbers, changed);
      put(index, bytes_of_elements(stored.dtype, block->stored_first),
          adds_one ? std::span<const std::byte>(changed) : block->bytes, part);
    }
  }

  void write_quantized(std::size_t index, const StoredTensor& stored) {
    BlockStream blocks(source_, reader_, stored);
    const auto runs = runs_of(source_, stored);
    BlockQuantizer quantizer(stored, source_dtype(source_, stored),
                             largest_block(runs, stored.columns));
    while (const auto block = blocks.next()) {
      auto& part = part_of(*block);
      const auto& tensor = source_.tensors[part.tensor];
      quantizer.take(*block, tensor);
      if (stored.part == Part::codes) {
        put_codes(index, *block, quantizer, part);
      } else {
        put(index, block->stored_first * dtype_bytes(stored.dtype), quantizer.values(stored.dtype),
            part);
      }
      refuse_overflow(quantizer.error(), stored, tensor);
      part.sse += quantizer.error().sse;
      part.sse_stored += quantizer.error().sse_stored;
      part.sum_squares += quantizer.error().sum_squares;
    }
  }

  void put_codes(std::size_t index, const SourceBlock& block, BlockQuantizer& quantizer,
                 WrittenPart& part) {
    const auto& codes = shard_.tensors[index];
    const auto& scales = shard_.tensors[index + 1];
    const auto& biases = shard_.tensors[index + 2];
    expect(scales.part == Part::scales && biases.part == Part::biases,
           "codes without scales and biases behind them");
    const auto first_group = block.stored_first / codes.quantizer.group_size;
    put(index, block.stored_first / 8 * codes.quantizer.bits, quantizer.words(), part);
    put(index + 1, first_group * dtype_bytes(scales.dtype), quantizer.scales(scales.dtype), part);
    put(index + 2, first_group * dtype_bytes(biases.dtype), quantizer.biases(biases.dtype), part);
  }

  const checkpoint::Checkpoint& source_;
  const checkpoint::TensorReader& reader_;
  const StoredShard& shard_;
  ShardFile& file_;
  WrittenShard& out_;
  std::size_t first_part_ = 0;  // of the tensor that is being written
};

}  // namespace

WrittenShard write_shard(const checkpoint::Checkpoint& source,
                         const checkpoint::TensorReader& reader, const StoredShard& shard,
                         const std::filesystem::path& path,
                         const std::function<void(const WrittenShard&)>& accept) {
  WrittenShard out;
  out.bytes = shard.bytes;
  ShardFile file(shard, path);
  ShardWriter writer(source, reader, shard, file, out);
  for (std::size_t i = 0; i < shard.tensors.size(); ++i) writer.write(i);
  out.hash = file.hash();
  accept(out);
  file.publish();
  return out;
}

std::int64_t write_peak_bytes(const checkpoint::Checkpoint& source, const StoredShard& shard) {
  constexpr std::int64_t hashing_bytes = std::int64_t{4} << 20;
  std::int64_t peak = hashing_bytes;
  for (const auto& stored : shard.tensors) {
    if (!has_own_pass(stored)) continue;
    const auto largest = largest_block(runs_of(source, stored), stored.columns);
    auto bytes = 2 * bytes_of_elements(source_dtype(source, stored), largest);
    if (is_quantized(stored)) bytes += BlockQuantizer::bytes_for(stored, largest);
    if (stored.transform == names::Transform::add_one) {
      bytes += largest * (static_cast<std::int64_t>(sizeof(float)) + dtype_bytes(stored.dtype));
    }
    peak = std::max(peak, bytes);
  }
  return peak;
}

std::int64_t source_bytes(const checkpoint::Checkpoint& source, const StoredShard& shard) {
  std::int64_t bytes = 0;
  for (const auto& stored : shard.tensors) {
    if (!has_own_pass(stored)) continue;
    const auto dtype = source_dtype(source, stored);
    for (const auto& run : runs_of(source, stored)) bytes += bytes_of_elements(dtype, run.elements);
  }
  return bytes;
}

std::int64_t quantized_weights(const StoredShard& shard) {
  std::int64_t weights = 0;
  for (const auto& stored : shard.tensors) {
    if (!is_quantized(stored)) continue;
    std::int64_t product = 1;
    for (const auto side : stored.shape) product *= side;
    weights += stored.part == Part::codes ? product * 32 / stored.quantizer.bits : product;
  }
  return weights;
}

}  // namespace moesweep::written
