#include "import_split.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/philox.hpp>

namespace moesweep::jobs {
namespace {

// Samples that may not be parted.
using Unit = std::vector<std::size_t>;

constexpr std::uint32_t purpose = 0x73706c74;  // "splt": no other stream has this counter word

std::uint64_t draw(std::uint64_t seed, std::size_t sample) {
  const auto words =
      philox4x32_10({static_cast<std::uint32_t>(sample),
                     static_cast<std::uint32_t>(std::uint64_t{sample} >> 32), purpose, 0},
                    {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return std::uint64_t{words[0]} << 32 | words[1];
}

std::vector<Unit> units_of(std::size_t samples, const std::vector<std::string>& clusters) {
  std::vector<Unit> units;
  std::unordered_map<std::string, std::size_t> unit_of_cluster;
  for (std::size_t i = 0; i < samples; ++i) {
    if (!clusters.empty() && !clusters[i].empty()) {
      const auto [found, is_new] = unit_of_cluster.emplace(clusters[i], units.size());
      if (!is_new) {
        units[found->second].push_back(i);
        continue;
      }
    }
    units.push_back({i});
  }
  return units;
}

void cut(std::vector<Unit>& units, const RandomSplit& shares, std::vector<std::int8_t>& split) {
  std::ranges::sort(units, {}, [&](const Unit& unit) {
    return std::pair(draw(shares.seed, unit.front()), unit.front());
  });
  double samples = 0.0;
  for (const auto& unit : units) samples += static_cast<double>(unit.size());
  double before = 0.0;
  for (const auto& unit : units) {
    const auto size = static_cast<double>(unit.size());
    const double middle = (before + size / 2) / samples;
    const auto which = middle < shares.train                        ? records::Split::train
                       : middle < shares.train + shares.calibration ? records::Split::calibration
                                                                    : records::Split::test;
    for (const auto i : unit) split[i] = static_cast<std::int8_t>(which);
    before += size;
  }
}

}  // namespace

std::vector<std::int8_t> draw_split(const std::vector<std::int8_t>& labels,
                                    const std::vector<std::string>& clusters,
                                    const RandomSplit& shares) {
  std::map<std::int8_t, std::vector<Unit>> strata;
  for (auto& unit : units_of(labels.size(), clusters)) {
    strata[labels[unit.front()]].push_back(std::move(unit));
  }
  std::vector<std::int8_t> split(labels.size());
  for (auto& [label, units] : strata) cut(units, shares, split);
  return split;
}

}  // namespace moesweep::jobs
