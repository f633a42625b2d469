#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <moesweep/analysis/training/folds.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/philox.hpp>

namespace moesweep::training {
namespace {

constexpr std::uint32_t low_half(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}
constexpr std::uint32_t high_half(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> 32);
}

std::uint64_t sort_key(std::int64_t group, std::uint64_t seed) {
  constexpr std::uint32_t purpose = 0x666F6C64;  // "fold"
  const auto number = checked_cast<std::uint64_t>(group);
  const auto words = philox4x32_10({low_half(number), high_half(number), 0, purpose},
                                   {low_half(seed), high_half(seed)});
  return std::uint64_t{words[0]} << 32 | words[1];
}

}  // namespace

std::vector<std::int64_t> sample_groups(std::span<const std::string> cluster) {
  std::map<std::string_view, std::int64_t> known;
  std::vector<std::int64_t> groups;
  groups.reserve(cluster.size());
  std::int64_t next = 0;
  for (const std::string& name : cluster) {
    if (name.empty()) {
      groups.push_back(next++);
      continue;
    }
    const auto [found, is_new] = known.emplace(name, next);
    if (is_new) ++next;
    groups.push_back(found->second);
  }
  return groups;
}

std::vector<std::int64_t> assign_folds(std::span<const std::int64_t> group, std::int64_t folds,
                                       std::uint64_t seed) {
  expect(folds >= 1, "no fold to put a sample into");
  std::map<std::int64_t, std::int64_t> fold_of;
  for (const std::int64_t g : group) fold_of.emplace(g, 0);
  std::vector<std::pair<std::uint64_t, std::int64_t>> order;
  order.reserve(fold_of.size());
  for (const auto& [g, fold] : fold_of) order.emplace_back(sort_key(g, seed), g);
  std::sort(order.begin(), order.end());
  std::int64_t place = 0;
  for (const auto& [key, g] : order) fold_of[g] = place++ % folds;
  std::vector<std::int64_t> assigned;
  assigned.reserve(group.size());
  for (const std::int64_t g : group) assigned.push_back(fold_of[g]);
  return assigned;
}

}  // namespace moesweep::training
