#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/philox.hpp>
#include <moesweep/core/stats/bootstrap.hpp>

namespace moesweep::stats {
namespace {

/// Keeps these draws apart from other Philox streams of the same seed.
constexpr std::uint32_t purpose = 0x626f6f74;  // "boot"

std::uint32_t low_half(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}
std::uint32_t high_half(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> 32);
}

/// High half of the 128-bit product.
std::int64_t scaled(std::uint64_t word, std::uint64_t size) {
  return static_cast<std::int64_t>((static_cast<unsigned __int128>(word) * size) >> 64);
}

}  // namespace

void draw_resample(std::uint64_t seed, std::int64_t replicate, std::span<std::int64_t> indices) {
  const auto stream = checked_cast<std::uint64_t>(replicate);
  const std::uint64_t size = indices.size();
  for (std::size_t i = 0; i < size; i += 2) {
    const auto words = philox4x32_10(
        {checked_cast<std::uint32_t>(i / 2), low_half(stream), high_half(stream), purpose},
        {low_half(seed), high_half(seed)});
    indices[i] = scaled((std::uint64_t{words[1]} << 32) | words[0], size);
    if (i + 1 < size) indices[i + 1] = scaled((std::uint64_t{words[3]} << 32) | words[2], size);
  }
}

std::vector<double> bootstrap_replicates(const Statistic& statistic, std::int64_t elements,
                                         const Replicates& replicates) {
  std::vector<std::int64_t> indices(checked_cast<std::size_t>(elements));
  std::vector<double> values(checked_cast<std::size_t>(replicates.count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    draw_resample(replicates.seed, replicates.first + checked_cast<std::int64_t>(i), indices);
    values[i] = statistic(indices);
  }
  return values;
}

}  // namespace moesweep::stats
