#pragma once
// Which random numbers training draws, by address: a run with and one without suppression, or of
// two variants, meet the same weights, dropout masks and batch orders for the same seed.
//
// The key of all streams is the seed. The last word of a counter says what a number is for:
// 0x100 + i the initial values of tensor i, 0x200 batch orders, 0x300 dropout masks
// (kernels/training_steps.hpp).

#include <cstdint>
#include <vector>

#include <moesweep/core/base/philox.hpp>

namespace moesweep::training {

namespace stream {
inline constexpr std::uint32_t weights = 0x100;
inline constexpr std::uint32_t order = 0x200;
inline constexpr std::uint32_t dropout = 0x300;
}  // namespace stream

inline PhiloxKey key_of(std::uint64_t seed) {
  return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

/// 0 .. count-1 in the order of epoch `epoch` (Fisher and Yates): place i, from the last down to 1,
/// changes with place (w (i+1)) >> 32, w being word i%4 of counter (i/4, epoch, 0, stream).
std::vector<std::int64_t> permutation(std::uint64_t seed, std::uint32_t stream, std::uint32_t epoch,
                                      std::int64_t count);

}  // namespace moesweep::training
