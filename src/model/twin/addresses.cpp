#include "addresses.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace moesweep::twin {
namespace {

std::uint32_t word(std::int64_t value) {
  return static_cast<std::uint32_t>(value);
}

PhiloxCounter draw(PhiloxKey key, Stream stream, std::int64_t slice, std::int64_t index) {
  return philox4x32_10(
      {word(index), word(index >> 32), word(slice), static_cast<std::uint32_t>(stream)}, key);
}

// Uniform in [0, limit) to 2^-32.
std::int64_t below(std::uint32_t random, std::int64_t limit) {
  const auto product = static_cast<unsigned __int128>(random) * static_cast<std::uint64_t>(limit);
  return static_cast<std::int64_t>(product >> 32U);
}

// Coprime to n and not near a simple fraction of it, so that neighbours in the sequence k * stride
// mod n are far apart; the sequence visits every column once in n steps.
std::int64_t column_stride(std::int64_t n, std::uint32_t random) {
  if (n < 4) return 1;
  auto stride = n / 4 + below(random, n / 2) + 1;
  while (std::gcd(stride, n) != 1) ++stride;
  return stride;
}

}  // namespace

double Direction::fourth_moment() const {
  const double share = static_cast<double>(high_count) / static_cast<double>(length);
  const double h2 = double{high} * high;
  const double l2 = double{low} * low;
  const double second = share * h2 + (1.0 - share) * l2;
  return (share * h2 * h2 + (1.0 - share) * l2 * l2) / (second * second);
}

Direction direction_with(std::int64_t length, double fourth_moment) {
  Direction made{length, length, 1.0F, 1.0F};
  if (length < 2 || fourth_moment <= 1.0) return made;
  const auto size = static_cast<double>(length);
  const double wanted = std::min(fourth_moment, size);
  made.high_count =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(size / (2.0 * wanted)), 1, length);
  const double share = static_cast<double>(made.high_count) / size;
  // share h^2 + (1-share) l^2 = 1 and share h^4 + (1-share) l^4 = wanted.
  made.high =
      static_cast<float>(std::sqrt(1.0 + std::sqrt((wanted - 1.0) * (1.0 - share) / share)));
  made.low = static_cast<float>(
      std::sqrt(std::max(0.0, 1.0 - std::sqrt((wanted - 1.0) * share / (1.0 - share)))));
  return made;
}

void direction_entries(const Direction& direction, PhiloxKey key, Stream stream, std::int64_t slice,
                       std::int64_t first, std::span<float> out) {
  const auto length = direction.length;
  const auto strata = direction.high_count;
  std::int64_t stratum = -1;
  std::int64_t high_place = -1;
  std::uint32_t signs = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto place = first + static_cast<std::int64_t>(i);
    // Stratum s is [ceil(s * length / strata), ceil((s+1) * length / strata)).
    const auto mine = place * strata / length;
    if (mine != stratum) {
      stratum = mine;
      const auto begin = (stratum * length + strata - 1) / strata;
      const auto end = ((stratum + 1) * length + strata - 1) / strata;
      high_place = begin + below(draw(key, stream, slice, stratum)[0], end - begin);
    }
    if (i == 0 || place % 32 == 0) signs = draw(key, stream, slice, place / 32)[1];
    const float magnitude = place == high_place ? direction.high : direction.low;
    out[i] = (signs >> (place % 32) & 1U) != 0 ? -magnitude : magnitude;
  }
}

Outlier outlier_at(const Recipe& recipe, std::int64_t slice, std::int64_t index) {
  const auto& outliers = recipe.outliers;
  const auto cols = recipe.matrix.cols;
  const auto random = draw(recipe.key, Stream::outlier, slice, index + 1);
  Outlier made;
  if (outliers.per_row > 1) {
    const auto width = cols / outliers.per_row;
    made.row = index / outliers.per_row;
    made.col = index % outliers.per_row * width + below(random[0], width);
  } else {
    // Columns in an order without repeats: outliers then share neither rows nor columns until there
    // are more of them than columns, and all have the same singular value.
    const auto origin = draw(recipe.key, Stream::outlier, slice, 0);
    made.row = index * outliers.rows_each + below(random[1], outliers.rows_each);
    made.col = (below(origin[0], cols) + index % cols * column_stride(cols, origin[1])) % cols;
  }
  const float jitter = 0.75F + static_cast<float>(random[2] >> 9U) * 0x1p-24F;
  made.value = (random[3] & 1U) != 0 ? -jitter : jitter;
  return made;
}

}  // namespace moesweep::twin
