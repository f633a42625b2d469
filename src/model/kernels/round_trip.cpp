#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/round_trip.hpp>

#include "round_trip_kernel.hpp"
#include "round_trip_plan.hpp"

namespace moesweep::kernels {
namespace {

struct Ranges {
  std::vector<float> lo;
  std::vector<float> hi;
};

// Arrays for the groups of one tile.
class Scratch {
 public:
  explicit Scratch(const RoundTripPlan& plan) {
    std::size_t most_groups = 0;
    for (const auto& grouping : plan.groupings) {
      const Tile tile{nullptr, plan.tile_length, grouping.group_size};
      const std::size_t groups = padded_groups(tile.groups());
      ranges.push_back({std::vector<float>(groups), std::vector<float>(groups)});
      most_groups = std::max(most_groups, groups);
    }
    for (auto& array : parameters_) array.resize(most_groups);
  }

  GroupArrays parameters() {
    return {parameters_[0].data(), parameters_[1].data(), parameters_[2].data(),
            parameters_[3].data()};
  }

  std::vector<Ranges> ranges;  // by grouping

 private:
  std::array<std::vector<float>, 4> parameters_;
};

// Ranges of groups from the ranges of the shorter groups that they consist of. A group that is
// short here ends with the tile; missing source groups are padding.
void merge_ranges(const Tile& tile, std::size_t source_size, const Ranges& source, Ranges& out) {
  const std::size_t sources = (tile.length + source_size - 1) / source_size;
  const std::size_t ratio = tile.group_size / source_size;
  for (std::size_t group = 0; group < tile.groups(); ++group) {
    const std::size_t first = group * ratio;
    const std::size_t last = std::min(first + ratio, sources);
    float lo = source.lo[first];
    float hi = source.hi[first];
    for (std::size_t i = first + 1; i < last; ++i) {
      lo = std::min(lo, source.lo[i]);
      hi = std::max(hi, source.hi[i]);
    }
    const bool is_short = (group + 1) * tile.group_size > tile.length;
    out.lo[group] = is_short ? std::min(lo, 0.0F) : lo;
    out.hi[group] = is_short ? std::max(hi, 0.0F) : hi;
  }
}

void add_tile(std::span<const float> values, const RoundTripPlan& plan,
              std::span<const Quantizer> quantizers, StoredAs stored, Scratch& scratch,
              std::span<double> sse) {
  for (std::size_t i = 0; i < plan.groupings.size(); ++i) {
    const Grouping& grouping = plan.groupings[i];
    const Tile tile{values.data(), values.size(), grouping.group_size};
    Ranges& ranges = scratch.ranges[i];
    if (grouping.source) {
      merge_ranges(tile, plan.groupings[*grouping.source].group_size,
                   scratch.ranges[*grouping.source], ranges);
    } else {
      group_ranges(tile, ranges.lo.data(), ranges.hi.data());
    }
    const GroupArrays parameters = scratch.parameters();
    for (const std::size_t index : grouping.quantizers) {
      const auto levels = static_cast<float>((1 << quantizers[index].bits) - 1);
      group_parameters(quantizers[index].family, levels, stored, tile.groups(), ranges.lo.data(),
                       ranges.hi.data(), parameters);
      sse[index] += tile_error(tile, quantizers[index].family, parameters, levels);
    }
  }
}

// Rows that are whole numbers of groups follow each other like one long row.
std::size_t run_length(const RowBlock& block, const RoundTripPlan& plan) {
  const auto columns = checked_cast<std::size_t>(block.columns);
  const bool whole = std::all_of(plan.groupings.begin(), plan.groupings.end(),
                                 [&](const Grouping& g) { return columns % g.group_size == 0; });
  return whole ? block.values.size() : columns;
}

}  // namespace

std::string family_name(QuantizerFamily family) {
  return family == QuantizerFamily::rtn ? "rtn" : "affine";
}

formats::Encoding Quantizer::encoding() const {
  return {family_name(family), bits, group_size};
}

struct RoundTripErrors::Pass {
  explicit Pass(RoundTripPlan of) : plan(std::move(of)), scratch(plan) {}

  RoundTripPlan plan;
  Scratch scratch;
};

RoundTripErrors::RoundTripErrors(std::span<const Quantizer> quantizers, Dtype weight_dtype)
    : quantizers_(quantizers.begin(), quantizers.end()), weight_dtype_(weight_dtype) {
  for (auto& plan : plan_round_trips(quantizers_)) passes_.emplace_back(std::move(plan));
}

RoundTripErrors::~RoundTripErrors() = default;
RoundTripErrors::RoundTripErrors(RoundTripErrors&&) noexcept = default;
RoundTripErrors& RoundTripErrors::operator=(RoundTripErrors&&) noexcept = default;

void RoundTripErrors::add(const RowBlock& block, std::span<double> sse) {
  expect(sse.size() == quantizers_.size(), "round trip: one sum per quantizer");
  if (block.values.empty()) return;
  expect(block.columns >= 1 && block.values.size() % checked_cast<std::size_t>(block.columns) == 0,
         "round trip: not a whole number of rows");
  const StoredAs stored = stored_as(weight_dtype_);
  for (auto& [plan, scratch] : passes_) {
    const std::size_t run = run_length(block, plan);
    for (std::size_t row = 0; row < block.values.size(); row += run) {
      for (std::size_t begin = row; begin < row + run; begin += plan.tile_length) {
        const std::size_t length = std::min(plan.tile_length, row + run - begin);
        add_tile(block.values.subspan(begin, length), plan, quantizers_, stored, scratch, sse);
      }
    }
  }
}

}  // namespace moesweep::kernels
