#include <algorithm>
#include <cmath>

#include <moesweep/core/stats/multiple.hpp>

namespace moesweep::stats {
namespace {

/// Places of the values that are not NaN, smallest value first.
std::vector<std::size_t> ascending_family(std::span<const double> p_values) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    if (!std::isnan(p_values[i])) places.push_back(i);
  }
  std::stable_sort(places.begin(), places.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  return places;
}

}  // namespace

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.begin(), p_values.end());
  const auto family = ascending_family(p_values);
  auto remaining = static_cast<double>(family.size());
  double largest = 0.0;
  for (const auto place : family) {
    largest = std::max(largest, std::min(1.0, remaining * p_values[place]));
    adjusted[place] = largest;
    remaining -= 1.0;
  }
  return adjusted;
}

std::vector<double> bonferroni(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.begin(), p_values.end());
  const auto family = ascending_family(p_values);
  for (const auto place : family) {
    adjusted[place] = std::min(1.0, static_cast<double>(family.size()) * p_values[place]);
  }
  return adjusted;
}

}  // namespace moesweep::stats
