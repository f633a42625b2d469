#pragma once
// Allocation problems by seed, and their optimum by trying everything.

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include <moesweep/plans/allocation/allocation.hpp>

namespace moesweep::allocation {

struct Shape {
  std::size_t modules = 5;
  std::size_t choices = 6;
  std::int64_t largest_bytes = 1000;
  /// Errors are multiples of this power of two, so that sums are exact.
  double error_unit = 1.0 / 1024;
};

/// Choices of bytes and error that have nothing to do with each other: many are dominated.
inline std::vector<Module> unrelated_modules(std::uint64_t seed, const Shape& shape) {
  std::mt19937_64 random(seed);
  std::vector<Module> modules(shape.modules);
  for (auto& module : modules) {
    module.choices.resize(1 + random() % shape.choices);
    for (auto& choice : module.choices) {
      choice.bytes =
          static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(shape.largest_bytes));
      choice.error = static_cast<double>(random() % 4096) * shape.error_unit;
    }
  }
  return modules;
}

/// As quantized weights are: sizes by bits and group, error about c 4^-bits.
inline std::vector<Module> quantized_modules(std::uint64_t seed, std::size_t count,
                                             bool sizes_of_their_own) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> around_one(0.7, 1.4);
  std::vector<Module> modules(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& module = modules[i];
    module.params = std::int64_t{4096} << (i % 5);
    if (sizes_of_their_own) module.params += static_cast<std::int64_t>(random() % 4000) * 128;
    const double scale = around_one(random);
    for (const int bits : {2, 3, 4, 5, 6, 8}) {
      for (const int group : {32, 64, 128}) {
        const double noise = around_one(random) * (1.0 + group / 512.0);
        module.choices.push_back({"affine", bits, group,
                                  module.params * bits / 8 + module.params / group * 4,
                                  scale * noise * std::pow(4.0, -bits), 0.0});
      }
    }
    module.choices.push_back({"", 16, 0, module.params * 2, 0.0, 0.0});
  }
  return modules;
}

inline std::int64_t smallest_bytes(const std::vector<Module>& modules) {
  std::int64_t bytes = 0;
  for (const auto& module : modules) {
    auto least = module.choices.front().bytes;
    for (const auto& choice : module.choices) least = std::min(least, choice.bytes);
    bytes += least;
  }
  return bytes;
}

inline std::int64_t largest_bytes(const std::vector<Module>& modules) {
  std::int64_t bytes = 0;
  for (const auto& module : modules) {
    auto most = module.choices.front().bytes;
    for (const auto& choice : module.choices) most = std::max(most, choice.bytes);
    bytes += most;
  }
  return bytes;
}

/// The least error within the budget; nothing when no combination fits.
inline std::optional<double> by_trying_everything(const std::vector<Module>& modules,
                                                  std::int64_t budget) {
  std::vector<std::size_t> at(modules.size(), 0);
  std::optional<double> best;
  for (;;) {
    std::int64_t bytes = 0;
    double error = 0.0;
    for (std::size_t i = 0; i < modules.size(); ++i) {
      bytes += modules[i].choices[at[i]].bytes;
      error += modules[i].choices[at[i]].error;
    }
    if (bytes <= budget && (!best || error < *best)) best = error;
    std::size_t i = 0;
    while (i < at.size() && ++at[i] == modules[i].choices.size()) at[i++] = 0;
    if (i == at.size()) return best;
  }
}

}  // namespace moesweep::allocation
