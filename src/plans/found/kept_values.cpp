#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/shape.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/plans/found/compare.hpp>
#include <moesweep/plans/found/kept_values.hpp>
#include <moesweep/plans/plan/runtime_plan.hpp>
#include <moesweep/plans/written/plan_rows.hpp>
#include <moesweep/plans/written/row_blocks.hpp>

#include "module_tensors.hpp"
#include "stored_rows.hpp"

namespace moesweep::found {
namespace {

using checkpoint::Tensor;
using names::RuntimeTensor;
using names::Transform;
using Shape = std::vector<std::int64_t>;

/// A tensor as slices of matrices: [.., rows, columns]; a vector is a column.
struct Matrices {
  std::int64_t slices = 1;
  std::int64_t rows = 1;
  std::int64_t columns = 1;

  explicit Matrices(const Shape& shape) {
    if (shape.size() == 1) rows = shape[0];
    if (shape.size() < 2) return;
    rows = shape[shape.size() - 2];
    columns = shape.back();
    slices = product(std::span(shape).first(shape.size() - 2));
  }
};

/// As the runtime has the part that a target says; of a stack without its axis of experts.
Shape shape_of_part(const Tensor& tensor, const RuntimeTensor& target) {
  auto shape = tensor.shape;
  if (target.rows >= 0 && !shape.empty()) {
    shape[shape.size() == 1 ? 0 : shape.size() - 2] = target.rows;
  }
  if (target.transform == Transform::last_axis_to_middle && shape.size() == 3) {
    std::swap(shape[1], shape[2]);
  }
  return shape;
}

bool fits(const Shape& stored, const Shape& part, const RuntimeTensor& target) {
  if (target.stacked_at < 0) return stored == part;
  return stored.size() == part.size() + 1 && stored.front() > target.stacked_at &&
         std::equal(part.begin(), part.end(), stored.begin() + 1);
}

/// The bytes of one block of one tensor: what the original becomes, and what is stored.
struct Block {
  std::vector<std::byte> expected, stored, swapped;
  std::vector<float> expected_values, stored_values;
};

bool both_nan(float a, float b) {
  return std::isnan(a) && std::isnan(b);
}

class BlockComparer {
 public:
  BlockComparer(Dtype from, Dtype to, bool adds_one, KeptValues& out)
      : from_(from), to_(to), adds_one_(adds_one), out_(out) {}

  void compare(Block& block) {
    if (adds_one_) add_one(block);
    const bool same_dtype = from_ == to_;
    if (same_dtype && block.expected == block.stored) return;
    if (is_floating_point(from_)) {
      decode(from_, block.expected, block.expected_values);
      decode(to_, block.stored, block.stored_values);
    }
    // Packed elements differ by the byte.
    const auto element =
        is_sub_byte(to_) ? std::size_t{1} : checked_cast<std::size_t>(dtype_bytes(to_));
    const auto count = block.stored.size() / element;
    for (std::size_t i = 0; i < count; ++i) {
      const bool equal =
          same_dtype
              ? std::memcmp(&block.expected[i * element], &block.stored[i * element], element) == 0
              : block.expected_values[i] == block.stored_values[i] ||
                    both_nan(block.expected_values[i], block.stored_values[i]);
      if (equal) continue;
      ++out_.different;
      if (is_floating_point(from_)) note(block.expected_values[i], block.stored_values[i]);
    }
  }

 private:
  static void decode(Dtype dtype, const std::vector<std::byte>& bytes, std::vector<float>& values) {
    values.resize(bytes.size() / checked_cast<std::size_t>(dtype_bytes(dtype)));
    kernels::decode(dtype, bytes, values);
  }

  /// As quantize writes it, and mlx-lm.
  void add_one(Block& block) const {
    decode(from_, block.expected, block.expected_values);
    for (auto& value : block.expected_values) value += 1.0F;
    kernels::encode(from_, block.expected_values, block.expected);
  }

  void note(float expected, float stored) {
    double difference = std::fabs(static_cast<double>(expected) - static_cast<double>(stored));
    if (!std::isfinite(difference)) difference = std::numeric_limits<double>::infinity();
    out_.largest = std::max(out_.largest.value_or(0.0), difference);
  }

  Dtype from_;
  Dtype to_;
  bool adds_one_;
  KeptValues& out_;
};

/// [rows, columns] into [columns, rows].
void swap_axes(std::vector<std::byte>& bytes, std::vector<std::byte>& swapped, std::int64_t rows,
               std::int64_t columns, std::size_t element) {
  swapped.resize(bytes.size());
  const auto [m, n] = std::pair(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t column = 0; column < n; ++column) {
      std::memcpy(&swapped[(column * m + row) * element], &bytes[(row * n + column) * element],
                  element);
    }
  }
  std::swap(bytes, swapped);
}

}  // namespace

struct KeptComparison::State {
  const checkpoint::Checkpoint& written;
  Format format;
  const checkpoint::Checkpoint& original;
  names::Architecture architecture;
  checkpoint::TensorReader written_reader;
  checkpoint::TensorReader original_reader;

  void compare_part(const Tensor& tensor, const RuntimeTensor& target, KeptValues& out) const {
    const auto name = tensor_name(target.module, target.suffix);
    const auto* const stored = checkpoint::find_tensor(written, name);
    if (stored == nullptr) {
      out.not_compared = fmt::format("there is no {}", name);
      return;
    }
    const auto part = shape_of_part(tensor, target);
    if (!fits(stored->shape, part, target)) {
      out.why = fmt::format("{} has the shape {}, {} is expected", name, shape_text(stored->shape),
                            shape_text(part));
      return;
    }
    if (stored->dtype != tensor.dtype &&
        !(is_floating_point(stored->dtype) && is_floating_point(tensor.dtype))) {
      out.why = fmt::format("{} is stored as {} instead of {}", name, dtype_name(stored->dtype),
                            dtype_name(tensor.dtype));
      return;
    }
    compare_values(tensor, *stored, target, out);
  }

  void compare_values(const Tensor& tensor, const Tensor& stored, const RuntimeTensor& target,
                      KeptValues& out) const {
    const Matrices matrices(tensor.shape);
    const auto rows = target.rows < 0 ? matrices.rows : target.rows;
    const bool swaps = target.transform == Transform::last_axis_to_middle && rows > 1;
    if (target.transform == Transform::add_one &&
        (dtype_bits(tensor.dtype) < 16 || !is_floating_point(tensor.dtype))) {
      out.not_compared = fmt::format("nothing adds 1 to {}", dtype_name(tensor.dtype));
      return;
    }
    if (is_sub_byte(tensor.dtype)) return compare_packed(tensor, stored, target, swaps, out);
    if (swaps && rows * matrices.columns > written::block_weights) {
      out.not_compared = "its kernels are too large to be turned in memory";
      return;
    }
    BlockComparer comparer(tensor.dtype, stored.dtype, target.transform == Transform::add_one, out);
    Block block;
    const auto first_slice = std::max<std::int64_t>(0, target.stacked_at) * matrices.slices;
    const auto compare_rows = [&](std::int64_t slice, std::int64_t row, std::int64_t count) {
      const auto weights = count * matrices.columns;
      const auto from = (slice * matrices.rows + target.first_row + row) * matrices.columns;
      const auto to = ((first_slice + slice) * rows + row) * matrices.columns;
      read(original_reader, tensor, from, weights, block.expected);
      read(written_reader, stored, to, weights, block.stored);
      if (swaps) {
        swap_axes(block.expected, block.swapped, rows, matrices.columns,
                  checked_cast<std::size_t>(dtype_bytes(tensor.dtype)));
      }
      comparer.compare(block);
    };
    for (std::int64_t slice = 0; slice < matrices.slices; ++slice) {
      written::for_row_blocks(rows, matrices.columns, [&](std::int64_t row, std::int64_t count) {
        compare_rows(slice, row, count);
      });
    }
  }

  /// Rows of packed elements may share a byte: only whole tensors are compared.
  void compare_packed(const Tensor& tensor, const Tensor& stored, const RuntimeTensor& target,
                      bool swaps, KeptValues& out) const {
    if (swaps || target.rows >= 0 || target.stacked_at >= 0 || stored.bytes() != tensor.bytes()) {
      out.not_compared = fmt::format("parts of {} are not compared", dtype_name(tensor.dtype));
      return;
    }
    BlockComparer comparer(tensor.dtype, stored.dtype, false, out);
    Block block;
    written::for_row_blocks(tensor.bytes(), 1, [&](std::int64_t first, std::int64_t count) {
      for (auto* bytes : {&block.expected, &block.stored}) {
        bytes->resize(checked_cast<std::size_t>(count));
      }
      original_reader.read(tensor, checked_cast<std::uint64_t>(first), block.expected);
      written_reader.read(stored, checked_cast<std::uint64_t>(first), block.stored);
      comparer.compare(block);
    });
  }

  static void read(const checkpoint::TensorReader& reader, const Tensor& tensor, std::int64_t first,
                   std::int64_t weights, std::vector<std::byte>& bytes) {
    const auto element = dtype_bytes(tensor.dtype);
    bytes.resize(checked_cast<std::size_t>(weights * element));
    reader.read(tensor, checked_cast<std::uint64_t>(first * element), bytes);
  }
};

KeptComparison::KeptComparison(const checkpoint::Checkpoint& written, const Found& found,
                               const checkpoint::Checkpoint& original,
                               const names::Architecture& architecture)
    : state_(new State{written, found.format, original, names_in(found.format, architecture),
                       checkpoint::TensorReader(written), checkpoint::TensorReader(original)}) {}

KeptComparison::~KeptComparison() = default;

KeptValues KeptComparison::compare(const records::PlanRow& row) const {
  const auto& tensor = written::require_original(state_->original, row);
  KeptValues out;
  if (tensor.params() == 0) return out;
  const auto mapped = plan::in_runtime(row, runtime_of(state_->format), state_->architecture);
  const auto& mapping = mapped.mapping;
  if (!mapped.is_mapped()) {
    out.not_compared = mapping.reason;
    return out;
  }
  for (const auto& target : mapping.targets) {
    if (target.transform == Transform::other) {
      out.not_compared = mapping.reason;
    } else {
      state_->compare_part(tensor, target, out);
    }
  }
  if (out.different > 0) {
    if (!out.why.empty()) out.why += "; ";
    out.why += fmt::format("{} of {} weights are not the original's", out.different, row.params);
    if (out.largest) out.why += fmt::format(", by up to {:.6g}", *out.largest);
  }
  return out;
}

}  // namespace moesweep::found
