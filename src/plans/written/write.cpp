#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/formats/sizes.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/model/kernels/quantizer_registry.hpp>
#include <moesweep/plans/written/write.hpp>

#include "block_encoder.hpp"
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

bool has_matrix_pass(const StoredTensor& stored) {
  return is_quantized(stored) &&
         formats::format_named(stored.encoding.quantizer).has_matrix_parameter();
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
  throw Error(
      ExitCode::bad_input, tensor.name,
      fmt::format("overflows as {}: its weights are too large", formats::text_of(stored.encoding)),
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
                            .encoding = stored.encoding});
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

  /// Of each matrix, where the format has a parameter of it: known before its first block is
  /// written, hence a pass of its own.
  std::vector<float> amax_of_matrices(const StoredTensor& stored) {
    std::vector<float> amax;
    if (!has_matrix_pass(stored)) return amax;
    const auto dtype = source_dtype(source_, stored);
    std::vector<float> weights;
    BlockStream blocks(source_, reader_, stored);
    while (const auto block = blocks.next()) {
      out_.bytes_read += checked_cast<std::int64_t>(block->bytes.size());
      weights.resize(checked_cast<std::size_t>(block->elements));
      kernels::decode(dtype, block->bytes, weights);
      refuse_nonfinite(weights, *block, source_.tensors[stored.origins[block->origin].tensor]);
      for (std::int64_t done = 0; done < block->elements;) {
        const auto first = block->stored_first + done;
        const auto matrix = checked_cast<std::size_t>(first / stored.matrix_elements);
        const auto elements = std::min(block->elements - done,
                                       stored.matrix_elements - first % stored.matrix_elements);
        amax.resize(std::max(amax.size(), matrix + 1));
        amax[matrix] = kernels::largest_magnitude(
            std::span(weights).subspan(checked_cast<std::size_t>(done),
                                       checked_cast<std::size_t>(elements)),
            amax[matrix]);
        done += elements;
      }
    }
    return amax;
  }

  void write_quantized(std::size_t index, const StoredTensor& stored) {
    auto amax = amax_of_matrices(stored);
    BlockStream blocks(source_, reader_, stored);
    const auto runs = runs_of(source_, stored);
    BlockEncoder quantizer(stored, source_dtype(source_, stored),
                           largest_block(runs, stored.columns), std::move(amax));
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

  void put_codes(std::size_t index, const SourceBlock& block, BlockEncoder& quantizer,
                 WrittenPart& part) {
    const auto& codes = shard_.tensors[index];
    expect(shard_.tensors[index + 1].part == Part::scales &&
               shard_.tensors[index + 2].part == Part::biases,
           "codes without scales and biases behind them");
    const auto first_group = block.stored_first / codes.encoding.group_size;
    const auto group = formats::block_bytes(codes.encoding, source_dtype(source_, codes));
    const auto parts = quantizer.parts();
    put(index, first_group * group.codes, parts.codes, part);
    put(index + 1, first_group * group.scales, parts.scales, part);
    put(index + 2, first_group * group.biases, parts.biases, part);
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
    if (is_quantized(stored)) bytes += BlockEncoder::bytes_for(stored, largest);
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
    const auto passes = has_matrix_pass(stored) ? 2 : 1;
    for (const auto& run : runs_of(source, stored)) {
      bytes += passes * bytes_of_elements(dtype, run.elements);
    }
  }
  return bytes;
}

std::int64_t round_trips(const StoredShard& shard) {
  std::int64_t round_trips = 0;
  for (const auto& stored : shard.tensors) {
    if (!is_quantized(stored)) continue;
    std::int64_t product = 1;
    for (const auto side : stored.shape) product *= side;
    if (stored.part == Part::codes) product = product * 32 / stored.encoding.bits;
    round_trips += product * (formats::format_named(stored.encoding.quantizer).relative_cost + 1);
  }
  return round_trips;
}

}  // namespace moesweep::written
