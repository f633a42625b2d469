#include "slice.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/kernels/noise.hpp>

#include "addresses.hpp"
#include "bf16.hpp"

namespace moesweep::twin {
namespace {

void whole_slice_elements(const Recipe& recipe, std::int64_t slice, std::int64_t first,
                          std::span<std::uint16_t> out) {
  const auto noise = whole_noise(recipe, slice);
  const auto orthogonal =
      recipe.flatten > 0.0F ? orthogonalized(recipe.matrix, noise) : std::vector<float>();
  auto weights = unclipped_slice(recipe, slice, noise, orthogonal);
  clip_slice(recipe.clip, weights);
  put_outliers(recipe, slice, weights);
  const auto* from = weights.data() + first;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = to_bf16(rms_scale * from[i]);
}

// Columns [col_first, col_end) of row after row, in pieces that stay in the first-level cache.
class RowWriter {
 public:
  RowWriter(const Recipe& recipe, std::int64_t slice)
      : recipe_(recipe),
        slice_(slice),
        v_(checked_cast<std::size_t>(recipe.matrix.cols)),
        noise_scale_(rms_scale * std::sqrt(1.0F - recipe.spike)),
        spike_scale_(rms_scale * std::sqrt(recipe.spike)) {
    if (recipe.spike == 0.0F) return;
    direction_entries(recipe.v, recipe.key, Stream::column_direction, slice, 0, v_);
  }

  void write(std::int64_t row, std::int64_t col_first, std::span<std::uint16_t> out) const {
    float u = 0.0F;
    if (recipe_.spike > 0.0F) {
      direction_entries(recipe_.u, recipe_.key, Stream::row_direction, slice_, row, {&u, 1});
    }
    constexpr std::int64_t block = kernels::noise_block;
    std::array<float, 16 * block> noise;
    const auto col_end = col_first + std::ssize(out);
    for (auto begin = col_first / block * block; begin < col_end; begin += std::ssize(noise)) {
      const auto from = std::max(begin, col_first);
      const auto end = std::min(begin + std::ssize(noise), col_end);
      const auto made = (end - begin + block - 1) / block * block;
      kernels::counter_noise({.key = recipe_.key,
                              .block = checked_cast<std::uint32_t>(begin / block),
                              .row = checked_cast<std::uint32_t>(row),
                              .slice = checked_cast<std::uint32_t>(slice_),
                              .stream = static_cast<std::uint32_t>(Stream::noise)},
                             std::span(noise).first(static_cast<std::size_t>(made)));
      const auto count = static_cast<std::size_t>(end - from);
      kernels::spiked_row_bf16(
          std::span(noise).subspan(static_cast<std::size_t>(from - begin), count), noise_scale_,
          std::span(v_).subspan(static_cast<std::size_t>(from), count), spike_scale_ * u,
          out.subspan(static_cast<std::size_t>(from - col_first), count));
    }
  }

 private:
  const Recipe& recipe_;
  std::int64_t slice_;
  std::vector<float> v_;
  float noise_scale_;
  float spike_scale_;
};

void overlay_outliers(const Recipe& recipe, std::int64_t slice, std::int64_t first,
                      std::span<std::uint16_t> out) {
  if (recipe.outliers.magnitude == 0.0F) return;
  const auto cols = recipe.matrix.cols;
  const auto end = first + std::ssize(out);
  for_each_outlier(recipe, slice, first / cols, (end + cols - 1) / cols,
                   [&](const Outlier& outlier) {
                     const auto place = outlier.row * cols + outlier.col;
                     if (place < first || place >= end) return;
                     out[static_cast<std::size_t>(place - first)] =
                         to_bf16(rms_scale * (recipe.outliers.magnitude * outlier.value));
                   });
}

void row_by_row_elements(const Recipe& recipe, std::int64_t slice, std::int64_t first,
                         std::span<std::uint16_t> out) {
  const auto cols = recipe.matrix.cols;
  const RowWriter rows(recipe, slice);
  for (std::size_t done = 0; done < out.size();) {
    const auto at = first + static_cast<std::int64_t>(done);
    const auto count = std::min(static_cast<std::size_t>(cols - at % cols), out.size() - done);
    rows.write(at / cols, at % cols, out.subspan(done, count));
    done += count;
  }
  overlay_outliers(recipe, slice, first, out);
}

}  // namespace

void slice_elements(const Recipe& recipe, std::int64_t slice, std::int64_t first,
                    std::span<std::uint16_t> out) {
  expect(first >= 0 && first + std::ssize(out) <= recipe.matrix.weights(),
         "elements past the end of a slice");
  if (recipe.whole) return whole_slice_elements(recipe, slice, first, out);
  row_by_row_elements(recipe, slice, first, out);
}

}  // namespace moesweep::twin
