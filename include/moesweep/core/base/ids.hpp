#pragma once
// Typed ids: a unit id cannot be passed where a rank is meant.

#include <compare>
#include <cstdint>
#include <functional>

namespace moesweep {

template <typename Tag, typename Value>
struct Id {
  Value value{};
  constexpr auto operator<=>(const Id&) const = default;
};

/// XXH3-64 of job fingerprint and unit key.
using UnitId = Id<struct UnitTag, std::uint64_t>;
/// MPI rank, 0 is the coordinator.
using Rank = Id<struct RankTag, std::int32_t>;
/// One start or resume of a run directory, counted from 1.
using Epoch = Id<struct EpochTag, std::int32_t>;

}  // namespace moesweep

template <typename Tag, typename Value>
struct std::hash<moesweep::Id<Tag, Value>> {
  std::size_t operator()(moesweep::Id<Tag, Value> id) const noexcept {
    return std::hash<Value>{}(id.value);
  }
};
