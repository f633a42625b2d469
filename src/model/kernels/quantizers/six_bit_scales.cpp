#include "quantizers/six_bit_scales.hpp"

#include <algorithm>
#include <cmath>

#include "stored_bits.hpp"

namespace moesweep::kernels::gguf {
namespace {

constexpr std::size_t length = longest_sub_block;
constexpr std::size_t count = super_block / length;
constexpr std::size_t minimum_at = sizeof(std::uint16_t);
constexpr std::size_t multiples_at = minimum_at + sizeof(std::uint16_t);
constexpr std::size_t multiples_bytes = six_bit_scales_bytes - multiples_at;

/// w = rms + |x|: large weights count more, but none counts nothing.
std::array<float, longest_sub_block> magnitude_weights(std::span<const float> x) {
  float sum_squares = 0.0F;
  for (const float value : x) sum_squares += value * value;
  const float rms = std::sqrt(sum_squares / static_cast<float>(longest_sub_block));
  std::array<float, longest_sub_block> weights{};
  for (std::size_t i = 0; i < x.size(); ++i) weights[i] = rms + std::fabs(x[i]);
  return weights;
}

struct Multiples {
  std::array<int, count> scales{};
  std::array<int, count> minima{};
};

// Those of the first four sub-blocks have a byte each; the others' lower four bits share a byte,
// their upper two are above those of the first four.
void put_multiples(const Multiples& multiples, std::byte* bytes) {
  std::fill_n(bytes, multiples_bytes, std::byte{0});
  for (std::size_t j = 0; j < count; ++j) {
    const auto scale = static_cast<unsigned>(multiples.scales[j]);
    const auto minimum = static_cast<unsigned>(multiples.minima[j]);
    if (j < 4) {
      bytes[j] = static_cast<std::byte>(scale);
      bytes[j + 4] = static_cast<std::byte>(minimum);
    } else {
      bytes[j + 4] = static_cast<std::byte>((scale & 15U) | (minimum & 15U) << 4);
      bytes[j - 4] |= static_cast<std::byte>(scale >> 4 << 6);
      bytes[j] |= static_cast<std::byte>(minimum >> 4 << 6);
    }
  }
}

Multiples get_multiples(const std::byte* bytes) {
  Multiples multiples;
  const auto byte = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  for (std::size_t j = 0; j < count; ++j) {
    if (j < 4) {
      multiples.scales[j] = byte(j) & 63;
      multiples.minima[j] = byte(j + 4) & 63;
    } else {
      multiples.scales[j] = (byte(j + 4) & 15) | byte(j - 4) >> 6 << 4;
      multiples.minima[j] = byte(j + 4) >> 4 | byte(j) >> 6 << 4;
    }
  }
  return multiples;
}

}  // namespace

void encode_six_bit_scales(std::span<const float> in, int levels, const ScaleGrid& grid,
                           std::byte* bytes, Codes& codes) {
  std::array<int, super_block> found{};
  std::array<OffsetFit, count> fits{};
  float largest_scale = 0.0F;
  float largest_minimum = 0.0F;
  for (std::size_t j = 0; j < count; ++j) {
    const auto x = in.subspan(j * length, length);
    fits[j] = fit_with_offset(x, magnitude_weights(x), levels, grid,
                              std::span(found).subspan(j * length, length));
    if (fits[j].scale > largest_scale) largest_scale = fits[j].scale;
    if (fits[j].minimum > largest_minimum) largest_minimum = fits[j].minimum;
  }
  const float to_scale = largest_scale > 0.0F ? 63.0F / largest_scale : 0.0F;
  const float to_minimum = largest_minimum > 0.0F ? 63.0F / largest_minimum : 0.0F;
  const float d = round_to_f16(largest_scale / 63.0F);
  const float d_minimum = round_to_f16(largest_minimum / 63.0F);
  Multiples multiples;
  for (std::size_t j = 0; j < count; ++j) {
    multiples.scales[j] = std::min(63, low_byte(nearest_integer(to_scale * fits[j].scale)));
    multiples.minima[j] = std::min(63, low_byte(nearest_integer(to_minimum * fits[j].minimum)));
    const float scale = d * static_cast<float>(multiples.scales[j]);
    const float minimum = d_minimum * static_cast<float>(multiples.minima[j]);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      // A scale of 0 keeps the codes of the search: they are stored, though nothing reads them.
      if (scale != 0.0F) {
        found[i] = std::clamp(nearest_integer((in[i] + minimum) / scale), 0, levels);
      }
      codes[i] = static_cast<std::uint8_t>(found[i]);
    }
  }
  put_f16(d, bytes);
  put_f16(d_minimum, bytes + minimum_at);
  put_multiples(multiples, bytes + multiples_at);
}

void decode_six_bit_scales(const std::byte* bytes, const Codes& codes, std::span<float> out) {
  const float d = get_f16(bytes);
  const float d_minimum = get_f16(bytes + minimum_at);
  const auto multiples = get_multiples(bytes + multiples_at);
  for (std::size_t j = 0; j < count; ++j) {
    const float scale = d * static_cast<float>(multiples.scales[j]);
    const float minimum = d_minimum * static_cast<float>(multiples.minima[j]);
    for (std::size_t i = j * length; i < (j + 1) * length; ++i) {
      out[i] = scale * static_cast<float>(codes[i]) - minimum;
    }
  }
}

}  // namespace moesweep::kernels::gguf
