// How long an exact budget allocation takes: `allocation_bench [MODULES]`, 20 choices each, at 19
// budgets between the smallest and the largest size. Kinds: sizes of a few classes or each its own,
// error by bits and group or without relation to them, all modules nearly alike.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include <fmt/format.h>

#include <moesweep/plans/allocation/allocation.hpp>

namespace {

using moesweep::allocation::Module;

struct Kind {
  const char* name;
  bool own_sizes;
  double least_scale, most_scale;  ///< of a module's errors
  bool unrelated = false;
};

constexpr int choices = 20;

Module made(const Kind& kind, std::mt19937_64& random) {
  std::uniform_real_distribution<double> scale(kind.least_scale, kind.most_scale);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  Module module;
  module.params = kind.own_sizes ? 4096 + static_cast<std::int64_t>(random() % 100'000) * 128
                                 : std::int64_t{1} << (16 + random() % 6);
  const double error = scale(random);
  for (int i = 0; i < choices; ++i) {
    const double bits = 2.0 + 0.35 * i;
    const auto bytes = static_cast<std::int64_t>(static_cast<double>(module.params) * bits / 8.0);
    module.choices.push_back(
        {"affine", i, 64, bytes, kind.unrelated ? unit(random) : error * std::pow(4.0, -bits), 0});
  }
  return module;
}

void measure(const Kind& kind, std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<Module> modules;
  std::int64_t least = 0, most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    modules.push_back(made(kind, random));
    least += modules.back().choices.front().bytes;
    most += modules.back().choices.back().bytes;
  }
  double slowest = 0.0, largest_gap = 0.0, seconds = 0.0;
  int proven = 0;
  constexpr int budgets = 19;
  for (int i = 1; i <= budgets; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto found =
        moesweep::allocation::within_budget(modules, least + (most - least) / (budgets + 1) * i);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    slowest = std::max(slowest, took.count());
    seconds += took.count();
    largest_gap = std::max(largest_gap, found->gap());
    proven += found->proven_optimal ? 1 : 0;
  }
  fmt::print("{:12} {} choices: mean {:.3f} s, slowest {:.3f} s, {} of {} proven, gap <= {:.2e}\n",
             kind.name, count * choices, seconds / budgets, slowest, proven, budgets, largest_gap);
}

}  // namespace

int main(int argc, char** argv) {
  const auto modules = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5000;
  for (const Kind kind :
       {Kind{"classes", false, 0.5, 2.0}, Kind{"own sizes", true, 0.5, 2.0},
        Kind{"alike", false, 0.999, 1.001}, Kind{"alike, own", true, 0.999, 1.001},
        Kind{"unrelated", true, 1.0, 1.0, true}}) {
    measure(kind, modules);
  }
}
