#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/formats/catalog.hpp>
#include <moesweep/model/kernels/decode.hpp>
#include <moesweep/model/kernels/encode.hpp>
#include <moesweep/model/kernels/row_codec.hpp>
#include <moesweep/model/names/role.hpp>
#include <moesweep/plans/found/compare.hpp>
#include <moesweep/plans/found/measure.hpp>
#include <moesweep/plans/plan/runtime_plan.hpp>
#include <moesweep/plans/written/plan_rows.hpp>
#include <moesweep/plans/written/row_blocks.hpp>
#include <moesweep/plans/written/squared_error.hpp>
#include <moesweep/plans/written/write.hpp>

#include "module_tensors.hpp"
#include "stored_rows.hpp"

namespace moesweep::found {
namespace {

using checkpoint::Tensor;

std::int64_t count_different(std::span<const std::byte> a, std::span<const std::byte> b,
                             std::size_t element) {
  std::int64_t different = 0;
  for (std::size_t i = 0; i < a.size(); i += element) {
    different += std::ranges::equal(a.subspan(i, element), b.subspan(i, element)) ? 0 : 1;
  }
  return different;
}

bool has_matrix_scope(const kernels::Settled& quantizer) {
  return formats::format_named(kernels::encoding_of(quantizer).quantizer).has_matrix_parameter();
}

/// rtn and affine pad a short group; block formats have none.
bool takes_rows_of(const kernels::Settled& quantizer, std::int64_t columns) {
  const auto* const block = std::get_if<kernels::BlockQuantizer>(&quantizer);
  return block == nullptr || columns % block->block_length == 0;
}

/// Of one tensor's blocks: new memory for each would cost more than the arithmetic.
struct Buffers {
  struct Encoded {
    std::vector<std::byte> expected, there;
  };
  std::vector<std::byte> bytes;
  std::vector<float> original, written;
  StoredRows::Buffers stored;
  Encoded encoded;
};

}  // namespace

struct Measurement::State {
  const checkpoint::Checkpoint& written;
  const Found& found;
  const checkpoint::Checkpoint& original;
  names::Architecture architecture;
  std::vector<std::string> expert_patterns;
  checkpoint::TensorReader written_reader;
  checkpoint::TensorReader original_reader;

  void read_original(const Tensor& tensor, std::int64_t first, std::int64_t count,
                     std::int64_t columns, Buffers& buffers) const {
    const auto element = dtype_bytes(tensor.dtype);
    buffers.bytes.resize(checked_cast<std::size_t>(count * columns * element));
    original_reader.read(tensor, checked_cast<std::uint64_t>(first * columns * element),
                         buffers.bytes);
    buffers.original.resize(checked_cast<std::size_t>(count * columns));
    kernels::decode(tensor.dtype, buffers.bytes, buffers.original);
  }

  /// One module that the tensor, or some of its rows, went to.
  std::optional<double> error_in(const Tensor& tensor, const names::RuntimeTensor& target) const {
    const auto columns = tensor.shape.back();
    const auto side = tensor.shape[tensor.shape.size() - 2];
    const auto rows = target.rows < 0 ? side : target.rows;
    const auto module =
        std::ranges::lower_bound(found.modules, target.module, {}, &FoundModule::name);
    if (module == found.modules.end() || module->name != target.module) return std::nullopt;
    const auto stored = StoredRows::open(written, *module, found.format, columns);
    const auto slices = tensor.params() / (side * columns);
    const auto first_slice = std::max<std::int64_t>(0, target.stacked_at);
    const bool whole = target.stacked_at >= 0 || (stored && stored->rows() == slices * rows);
    if (!stored || !whole || (first_slice + slices) * rows > stored->rows()) return std::nullopt;
    double sse = 0;
    Buffers buffers;
    for (std::int64_t slice = 0; slice < slices; ++slice) {
      written::for_row_blocks(rows, columns, [&](std::int64_t row, std::int64_t count) {
        buffers.written.resize(checked_cast<std::size_t>(count * columns));
        stored->read(written_reader, (first_slice + slice) * rows + row, buffers.stored,
                     buffers.written);
        const auto first = slice * side + target.first_row + row;
        read_original(tensor, first, count, columns, buffers);
        sse += written::squared_error(buffers.original, buffers.written);
      });
    }
    return sse;
  }

  std::optional<MeasuredError> error_of(const records::PlanRow& row, const Tensor& tensor) const {
    const auto mapped = plan::in_runtime(row, runtime_of(found.format), architecture);
    if (!mapped.is_mapped()) return std::nullopt;
    MeasuredError measured;
    for (const auto& target : mapped.mapping.targets) {
      const auto sse = error_in(tensor, target);
      if (!sse) return std::nullopt;
      measured.sse += *sse;
    }
    return measured;
  }

  /// Quantizes the original again: rounding to the stored dtype hides the error of many bits.
  std::optional<MeasuredError> error_of_plain(const records::PlanRow& row,
                                              const Tensor& tensor) const {
    const auto* const stored = checkpoint::find_tensor(written, row.tensor);
    const auto quantizer = kernels::settle(formats::encoding_of(row));
    if (stored == nullptr || stored->shape != tensor.shape || !quantizer ||
        dtype_bits(stored->dtype) < 16 || !is_floating_point(stored->dtype)) {
      return std::nullopt;
    }
    // As the sweep sees matrices: slices of expert stacks, otherwise all but the first axis.
    const bool is_stack = names::is_expert_stack(row.tensor, tensor.shape, expert_patterns);
    const auto columns = is_stack ? tensor.shape.back() : tensor.params() / tensor.shape.front();
    const auto matrices = is_stack && has_matrix_scope(*quantizer) ? tensor.shape.front() : 1;
    if (!takes_rows_of(*quantizer, columns)) return std::nullopt;
    kernels::RowCodec codec(*quantizer, tensor.dtype);
    const auto rows = tensor.params() / columns / matrices;
    MeasuredError measured;
    Buffers buffers;
    for (std::int64_t matrix = 0; matrix < matrices; ++matrix) {
      const auto amax = amax_of(tensor, *quantizer, columns, matrix * rows, rows, buffers);
      written::for_row_blocks(rows, columns, [&](std::int64_t first, std::int64_t count) {
        read_original(tensor, matrix * rows + first, count, columns, buffers);
        add_plain_block(*stored, codec, columns, matrix * rows + first, amax, buffers, measured);
      });
    }
    return measured;
  }

  /// A pass of its own where the format has a parameter of the matrix; 0 for others.
  float amax_of(const Tensor& tensor, const kernels::Settled& quantizer, std::int64_t columns,
                std::int64_t first_row, std::int64_t rows, Buffers& buffers) const {
    float amax = 0.0F;
    if (!has_matrix_scope(quantizer)) return amax;
    written::for_row_blocks(rows, columns, [&](std::int64_t first, std::int64_t count) {
      read_original(tensor, first_row + first, count, columns, buffers);
      amax = kernels::largest_magnitude(buffers.original, amax);
    });
    return amax;
  }

  void add_plain_block(const Tensor& stored, kernels::RowCodec& codec, std::int64_t columns,
                       std::int64_t first_row, float amax, Buffers& buffers,
                       MeasuredError& measured) const {
    const auto& values = buffers.original;
    // Quantizers take finite weights; whoever wrote these had others.
    if (kernels::first_nonfinite(values)) {
      measured.sse = std::numeric_limits<double>::quiet_NaN();
      return;
    }
    auto& quantized = buffers.written;
    quantized.resize(values.size());
    codec.round_trip({values, columns}, amax, quantized);
    measured.sse += written::squared_error(values, quantized);
    const auto element = checked_cast<std::size_t>(dtype_bytes(stored.dtype));
    auto& [expected, there] = buffers.encoded;
    expected.resize(values.size() * element);
    there.resize(expected.size());
    kernels::encode(stored.dtype, quantized, expected);
    written_reader.read(stored, checked_cast<std::uint64_t>(first_row * columns) * element, there);
    measured.different += count_different(expected, there, element);
  }
};

bool is_measurable(Format format) {
  return format != Format::gguf;
}

Measurement::Measurement(const checkpoint::Checkpoint& written, const Found& found,
                         const checkpoint::Checkpoint& original,
                         const names::Architecture& architecture,
                         std::vector<std::string> expert_patterns)
    : state_(new State{written, found, original, names_in(found.format, architecture),
                       std::move(expert_patterns), checkpoint::TensorReader(written),
                       checkpoint::TensorReader(original)}) {}

Measurement::~Measurement() = default;

std::optional<MeasuredError> Measurement::measure(const records::PlanRow& row) const {
  const auto& tensor = written::require_original(state_->original, row);
  if (tensor.shape.size() < 2 || tensor.params() == 0 || !is_floating_point(tensor.dtype)) {
    return std::nullopt;
  }
  if (state_->found.format == Format::plain) return state_->error_of_plain(row, tensor);
  return state_->error_of(row, tensor);
}

std::string why_not_planned(const records::PlanRow& row, const MeasuredError& measured) {
  if (measured.different > 0) {
    return fmt::format("{} of {} weights are not those of {}", measured.different, row.params,
                       formats::text_of(formats::encoding_of(row)));
  }
  if (!std::isfinite(measured.sse)) return "what it holds isn't finite";
  constexpr double tolerance = 1e-6;
  if (std::isnan(row.sse) || std::abs(measured.sse - row.sse) <= tolerance * row.sse) return {};
  return fmt::format("its squared error is {:.9g} instead of {:.9g}", measured.sse, row.sse);
}

}  // namespace moesweep::found
