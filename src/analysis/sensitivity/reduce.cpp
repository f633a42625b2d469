#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include <moesweep/analysis/sensitivity/sensitivity.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/records/sound_rows.hpp>

#include "distortion.hpp"
#include "pool.hpp"

namespace moesweep::sensitivity {
namespace {

using records::CheckpointTensorRow;
using records::DistortionRow;
using records::SliceRow;
using records::TensorRow;

/// Slices of each tensor, in slice order.
using SlicesByTensor = std::map<std::string, std::span<const SliceRow>, std::less<>>;

/// A table leaves `tables` with its last use: those of a large sweep would not fit twice.
std::optional<records::Table> take(records::Tables& tables, const records::TableInfo& info) {
  auto taken = tables.extract(info.name);
  if (taken.empty()) return std::nullopt;
  return std::move(taken.mapped());
}

template <typename Row>
std::vector<Row> take_rows(records::Tables& tables) {
  const auto table = take(tables, records::table_info<Row>());
  return table ? records::rows_of<Row>(*table) : std::vector<Row>{};
}

std::vector<SliceRow> sorted_slices(records::Tables& measured) {
  auto rows = take_rows<SliceRow>(measured);
  std::sort(rows.begin(), rows.end(), [](const SliceRow& a, const SliceRow& b) {
    return std::tie(a.tensor, a.slice) < std::tie(b.tensor, b.slice);
  });
  const auto twice =
      std::adjacent_find(rows.begin(), rows.end(), [](const SliceRow& a, const SliceRow& b) {
        return a.tensor == b.tensor && a.slice == b.slice;
      });
  records::require_sound(twice == rows.end(), "sensitivity/slices", "a slice is measured twice");
  return rows;
}

SlicesByTensor group(std::span<const SliceRow> sorted) {
  SlicesByTensor groups;
  while (!sorted.empty()) {
    const auto last = std::find_if(sorted.begin(), sorted.end(), [&](const SliceRow& row) {
      return row.tensor != sorted.front().tensor;
    });
    const auto count = static_cast<std::size_t>(last - sorted.begin());
    groups.emplace(sorted.front().tensor, sorted.first(count));
    sorted = sorted.subspan(count);
  }
  return groups;
}

std::vector<CheckpointTensorRow> sorted_tensors(records::Tables& measured) {
  auto rows = take_rows<CheckpointTensorRow>(measured);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return rows;
}

std::span<const SliceRow> slices_of(const SlicesByTensor& slices, const std::string& name) {
  const auto found = slices.find(name);
  return found == slices.end() ? std::span<const SliceRow>{} : found->second;
}

bool is_complete(const CheckpointTensorRow& tensor, std::span<const SliceRow> slices) {
  return std::cmp_equal(slices.size(), tensor.slices);
}

Poolable poolable_tensors(std::span<const CheckpointTensorRow> tensors,
                          const SlicesByTensor& slices) {
  Poolable poolable;
  for (const auto& tensor : tensors) {
    const auto measured = slices_of(slices, tensor.name);
    poolable[tensor.name] =
        is_complete(tensor, measured) && std::none_of(measured.begin(), measured.end(), is_skipped);
  }
  // Measured before the unit that describes all tensors was done.
  for (const auto& [name, measured] : slices) poolable.try_emplace(name, false);
  return poolable;
}

PooledDistortion distortion_of(records::Tables& measured, const Poolable& poolable,
                               const Options& options) {
  const auto& info = records::table_info<DistortionRow>();
  const auto table = take(measured, info);
  if (!table) return {records::Table(info), {}};
  return pool_distortion(*table, poolable, options);
}

template <typename Row>
void put(const std::vector<Row>& rows, records::Tables& tables) {
  const auto& info = records::table_info<Row>();
  auto& table = tables.emplace(info.name, records::Table(info)).first->second;
  records::reserve(table, rows.size());
  for (const auto& row : rows) records::append_row(table, row);
}

}  // namespace

records::Tables reduce(records::Tables measured, const Options& options) {
  const auto tensors = sorted_tensors(measured);
  const auto slices = sorted_slices(measured);
  const auto by_tensor = group(slices);
  auto distortion = distortion_of(measured, poolable_tensors(tensors, by_tensor), options);

  std::vector<TensorRow> pooled;
  for (const auto& tensor : tensors) {
    const auto of_tensor = slices_of(by_tensor, tensor.name);
    if (!is_complete(tensor, of_tensor)) continue;
    if (of_tensor.empty()) {
      pooled.push_back(unanalysed(tensor, options));
      continue;
    }
    const auto sse = distortion.reference_sse.find(tensor.name);
    // Padding counts in the slices' NRMSE only.
    const bool usable =
        sse != distortion.reference_sse.end() && options.experts == ExpertChoice::all;
    const auto known = usable ? std::optional<double>(sse->second) : std::nullopt;
    pooled.push_back(pool_slices(tensor, of_tensor, known, options));
  }

  records::Tables reduced;
  put(tensors, reduced);
  put(slices, reduced);
  put(pooled, reduced);
  reduced.emplace(records::table_info<DistortionRow>().name, std::move(distortion.table));
  return reduced;
}

}  // namespace moesweep::sensitivity
