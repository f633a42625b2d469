#include "probes.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/kernels/normal.hpp>

namespace moesweep::sensitivity {
namespace {

using kernels::RandomPurpose;

constexpr auto probe_width = static_cast<std::size_t>(probe_count);
constexpr double noise_levels = 16.0;  // the noise is as wide as a 4-bit step

std::size_t size(std::int64_t count) {
  return checked_cast<std::size_t>(count);
}

PhiloxCounter words(std::int64_t row, std::int64_t column, RandomPurpose purpose, PhiloxKey key) {
  const auto at = static_cast<std::uint64_t>(row);
  const auto quad = checked_cast<std::uint32_t>(column / 4);
  return philox4x32_10({quad, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at >> 32),
                        static_cast<std::uint32_t>(purpose)},
                       key);
}

double sum_of_squares(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value * value;
  return sum;
}

/// Normal directions of length 1; where the matrix has fewer columns than there are probes, one a
/// column, the rest 0.
std::vector<double> draw_probes(std::int64_t columns, PhiloxKey key) {
  const auto used = size(std::min(probe_count, columns));
  std::vector<double> probes(size(columns) * probe_width, 0.0);
  std::array<double, probe_width> squares{};
  for (std::int64_t column = 0; column < columns; ++column) {
    double* const row = probes.data() + size(column) * probe_width;
    for (std::size_t first = 0; first < used; first += 4) {
      const auto drawn = kernels::normals(
          words(column, checked_cast<std::int64_t>(first), RandomPurpose::probe, key));
      std::copy_n(drawn.begin(), std::min<std::size_t>(4, used - first), row + first);
    }
    for (std::size_t i = 0; i < used; ++i) squares[i] += row[i] * row[i];
  }
  for (std::size_t at = 0; at < probes.size(); ++at) {
    if (at % probe_width < used) probes[at] /= std::sqrt(squares[at % probe_width]);
  }
  return probes;
}

}  // namespace

ProbeProducts::ProbeProducts(const MatrixView& view, std::int64_t block_rows, PhiloxKey key)
    : columns_(view.columns),
      key_(key),
      probes_(draw_probes(view.columns, key)),
      of_weights_(size(block_rows) * probe_width),
      of_noise_(size(block_rows) * probe_width) {}

void ProbeProducts::add_row(std::int64_t row, std::int64_t column, std::span<const float> weights,
                            std::span<double> of_weights, std::span<double> of_noise) const {
  PhiloxCounter drawn{};
  for (std::size_t i = 0; i < weights.size(); ++i, ++column) {
    const auto lane = static_cast<std::size_t>(column % 4);
    if (lane == 0 || i == 0) drawn = words(row, column, RandomPurpose::noise, key_);
    const double noise = kernels::unit_interval(drawn[lane]) - 0.5;
    const double weight = static_cast<double>(weights[i]);
    const double* const probe = probes_.data() + size(column) * probe_width;
    for (std::size_t j = 0; j < probe_width; ++j) {
      of_weights[j] += weight * probe[j];
      of_noise[j] += noise * probe[j];
    }
  }
}

void ProbeProducts::add(const Block& block) {
  const auto count = size(block.rows) * probe_width;
  const auto of_weights = std::span(of_weights_).first(count);
  const auto of_noise = std::span(of_noise_).first(count);
  if (block.column_first == 0) {
    std::fill(of_weights.begin(), of_weights.end(), 0.0);
    std::fill(of_noise.begin(), of_noise.end(), 0.0);
  }
  for (std::int64_t i = 0; i < block.rows; ++i) {
    add_row(block.row_first + i, block.column_first,
            block.values.subspan(size(i * block.columns), size(block.columns)),
            of_weights.subspan(size(i) * probe_width, probe_width),
            of_noise.subspan(size(i) * probe_width, probe_width));
  }
  if (block.column_first + block.columns == columns_) {
    squares_of_weights_ += sum_of_squares(of_weights);
    squares_of_noise_ += sum_of_squares(of_noise);
  }
}

double ProbeProducts::amplification(double range) const {
  if (squares_of_weights_ == 0.0) return 0.0;
  return range / noise_levels * std::sqrt(squares_of_noise_ / squares_of_weights_);
}

std::int64_t ProbeProducts::bytes(const MatrixView& view, std::int64_t block_rows) {
  return (view.columns + 2 * block_rows) * probe_count * static_cast<std::int64_t>(sizeof(double));
}

}  // namespace moesweep::sensitivity
