#include "hidden_cache_states.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/float16.hpp>

#include "hdf5_dataset.hpp"
#include "hdf5_file.hpp"
#include "isolated.hpp"
#include "plain_values.hpp"

namespace moesweep::store {
namespace {

constexpr std::size_t piece_bytes = std::size_t{4} << 20;
constexpr std::size_t piece_values = std::size_t{1} << 18;
constexpr std::int64_t half_bytes = 2;
constexpr std::int64_t float_bytes = 4;

// What was not sent yet: the width of a value, before any row, and rows from `next_row` on.
void send_rows(const OpenDataset& open, const DatasetPlace& place, std::optional<hsize_t>& next_row,
               FrameWriter& frames) {
  const bool are_halves = open.element_bytes == half_bytes;
  const auto value_bytes = are_halves ? half_bytes : float_bytes;
  const auto memory_type = are_halves ? static_cast<hid_t>(open.type) : H5T_NATIVE_FLOAT;
  if (!next_row) {
    PlainWriter(frames).number(value_bytes);
    next_row = 0;
  }
  std::vector<std::byte> rows;
  read_rows(open, place, memory_type, checked_cast<std::size_t>(value_bytes), piece_bytes, rows,
            *next_row, [&] { frames.write(rows); });
}

void send_states(const StatesPlace& states, FrameWriter& frames) {
  const DatasetPlace place{states.file.string(), states.dataset, "dataset"};
  std::optional<hsize_t> next_row;
  with_file(states.file, [&](hid_t file) {
    const auto open = open_dataset(file, place);
    const bool unchanged = std::ranges::equal(
        open.dims, states.shape,
        [](hsize_t have, std::int64_t want) { return std::cmp_equal(have, want); });
    if (!unchanged) refuse(place, "has another shape than when the cache was opened");
    if (!holds_floats(open)) refuse(place, "does not hold float16, float32 or float64");
    send_rows(open, place, next_row, frames);
  });
}

}  // namespace

std::size_t StatesPlace::values() const {
  std::optional<std::uint64_t> count = 1;
  for (const auto side : shape) {
    if (count) count = checked_product(*count, checked_cast<std::uint64_t>(side));
  }
  if (!count || !checked_product(*count, sizeof(float))) {
    throw Error(ExitCode::bad_input, file.string() + ":/" + dataset,
                "declares more values than any memory holds");
  }
  return *count;
}

void receive_states(FrameReader& in, std::size_t values, const TakeStates& take) {
  const auto element_bytes = PlainReader(in, "", 0).number();
  if (element_bytes != half_bytes && element_bytes != float_bytes) {
    throw BrokenStream(BrokenStream::Why::makes_no_sense);
  }
  std::vector<float> piece(std::min(values, piece_values));
  std::vector<std::uint16_t> halves(element_bytes == half_bytes ? piece.size() : 0);
  while (values > 0) {
    const auto now = std::span(piece).first(std::min(values, piece.size()));
    if (element_bytes == half_bytes) {
      const auto packed = std::span(halves).first(now.size());
      in.read(std::as_writable_bytes(packed));
      std::ranges::transform(packed, now.begin(), float_of_half);
    } else {
      in.read(std::as_writable_bytes(now));
    }
    take(now);
    values -= now.size();
  }
}

void stream_states(const StatesPlace& place, const TakeStates& take) {
  const auto values = place.values();
  ReaderLimits limits;
  limits.cpu_seconds = cpu_seconds_for(values * sizeof(float));
  read_isolated(
      place.file.string(), limits, [&](FrameWriter& out) { send_states(place, out); },
      [&](FrameReader& in) { receive_states(in, values, take); });
}

}  // namespace moesweep::store
