#pragma once
// States of a cache as a stream: neither HDF5's process nor this one holds more than a piece.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace moesweep::store {

/// A dataset of states in its file, of the shape that was checked when the cache was opened: two or
/// three sides.
struct StatesPlace {
  std::filesystem::path file;
  std::string dataset;
  std::vector<std::int64_t> shape;

  /// Error(bad_input) when they are too many for any memory.
  std::size_t values() const;
};

using TakeStates = std::function<void(std::span<const float>)>;

/// Hands over all values in their order, piece by piece. float64 is rounded. Throws as
/// read_isolated, and Error(bad_input) when the dataset has changed.
void stream_states(const StatesPlace& place, const TakeStates& take);

/// The other side of the stream, apart from where the frames come from.
class FrameReader;
void receive_states(FrameReader& in, std::size_t values, const TakeStates& take);

}  // namespace moesweep::store
