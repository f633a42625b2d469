#include "distortion.hpp"

#include <algorithm>
#include <compare>
#include <iterator>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/records/sound_rows.hpp>

#include "pool.hpp"
#include "quantizers.hpp"

namespace moesweep::sensitivity {
namespace {

using records::DistortionRow;

struct Place {
  std::ptrdiff_t tensor = 0;  ///< in the order of names
  std::int64_t slice = 0;
  std::size_t quantizer = 0;  ///< in the order of the options
  std::size_t row = 0;        ///< of the measured table
  auto operator<=>(const Place&) const = default;
};

/// The columns that pooling looks at.
struct Columns {
  const std::vector<std::string>& tensor;
  const std::vector<std::int64_t>& slice;
  const std::vector<std::string>& quantizer;
  const std::vector<std::int32_t>& bits;
  const std::vector<std::int32_t>& group_size;
  const std::vector<double>& bits_per_weight;
  const std::vector<double>& sse;
  const std::vector<double>& sum_squares;
};

template <typename Value>
const std::vector<Value>& column(const records::Table& table, std::string_view name) {
  return std::get<std::vector<Value>>(table.column(name));
}

Columns columns_of(const records::Table& table) {
  return {column<std::string>(table, "tensor"),
          column<std::int64_t>(table, "slice"),
          column<std::string>(table, "quantizer"),
          column<std::int32_t>(table, "bits"),
          column<std::int32_t>(table, "group_size"),
          column<double>(table, "bits_per_weight"),
          column<double>(table, "sse"),
          column<double>(table, "sum_squares")};
}

std::size_t position_of(const Columns& columns, std::size_t row, const Options& options) {
  const auto& listed = options.quantizers;
  const auto found = std::find_if(listed.begin(), listed.end(), [&](const auto& quantizer) {
    return quantizer.bits == columns.bits[row] && quantizer.group_size == columns.group_size[row] &&
           kernels::family_name(quantizer.family) == columns.quantizer[row];
  });
  if (found != listed.end()) return static_cast<std::size_t>(found - listed.begin());
  const auto& blocks = options.block_quantizers;
  const auto block = std::find_if(blocks.begin(), blocks.end(), [&](const auto& quantizer) {
    return quantizer.block_length == columns.group_size[row] &&
           quantizer.format->name() == columns.quantizer[row];
  });
  records::require_sound(block != blocks.end(), "sensitivity/distortion",
                         "has a quantizer that the job does not list");
  return listed.size() + static_cast<std::size_t>(block - blocks.begin());
}

std::vector<Place> sorted_places(const Columns& columns, const Poolable& poolable,
                                 const Options& options) {
  std::vector<Place> places(columns.tensor.size());
  auto tensor = poolable.end();
  std::ptrdiff_t tensor_at = 0;
  for (std::size_t row = 0; row < places.size(); ++row) {
    if (tensor == poolable.end() || tensor->first != columns.tensor[row]) {
      tensor = poolable.find(columns.tensor[row]);
      records::require_sound(tensor != poolable.end(), "sensitivity/distortion",
                             "has a tensor that no slice is of");
      tensor_at = std::distance(poolable.begin(), tensor);
    }
    places[row] = {tensor_at, columns.slice[row], position_of(columns, row, options), row};
  }
  std::sort(places.begin(), places.end());
  return places;
}

/// One row a quantizer that the tensor was measured with; `places` are the rows of one tensor, so a
/// quantizer's slices come in order.
std::vector<DistortionRow> pooled_rows(const Columns& columns, std::span<const Place> places,
                                       const Options& options) {
  std::vector<DistortionRow> pooled(options.quantizers.size() + options.block_quantizers.size());
  for (const auto& place : places) {
    auto& row = pooled[place.quantizer];
    if (row.tensor.empty()) row.sse = row.sum_squares = 0.0;
    row.tensor = columns.tensor[place.row];
    row.slice = -1;
    row.quantizer = columns.quantizer[place.row];
    row.bits = columns.bits[place.row];
    row.group_size = columns.group_size[place.row];
    row.bits_per_weight = columns.bits_per_weight[place.row];
    row.sse += columns.sse[place.row];
    row.sum_squares += columns.sum_squares[place.row];
  }
  // Block formats that the tensor's rows are no whole blocks of have no rows. They come last, so
  // that the places of the others stay.
  std::erase_if(pooled, [](const DistortionRow& row) { return row.tensor.empty(); });
  for (auto& row : pooled) row.nrmse = relative_error(row.sse, row.sum_squares);
  return pooled;
}

void copy_rows(const records::Table& from, std::span<const Place> places, records::Table& to) {
  for (std::size_t i = 0; i < from.columns.size(); ++i) {
    std::visit(
        [&](auto& values) {
          const auto& source = std::get<std::decay_t<decltype(values)>>(from.columns[i]);
          for (const auto& place : places) values.push_back(source[place.row]);
        },
        to.columns[i]);
  }
}

}  // namespace

PooledDistortion pool_distortion(const records::Table& measured, const Poolable& poolable,
                                 const Options& options) {
  PooledDistortion result{records::Table(records::table_info<DistortionRow>()), {}};
  const auto columns = columns_of(measured);
  const auto places = sorted_places(columns, poolable, options);
  const auto reference = listed_at(reference_quantizer, options);
  for (auto first = places.begin(); first != places.end();) {
    const auto last = std::find_if(
        first, places.end(), [&](const Place& place) { return place.tensor != first->tensor; });
    const std::span<const Place> of_tensor(first, last);
    const auto& name = columns.tensor[first->row];
    if (poolable.find(name)->second) {
      const auto pooled = pooled_rows(columns, of_tensor, options);
      for (const auto& row : pooled) records::append_row(result.table, row);
      if (reference) result.reference_sse.emplace(name, pooled[*reference].sse);
    }
    copy_rows(measured, of_tensor, result.table);
    first = last;
  }
  return result;
}

}  // namespace moesweep::sensitivity
