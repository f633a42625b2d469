#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <moesweep/core/base/philox.hpp>
#include <moesweep/model/kernels/spectrum.hpp>

namespace moesweep::kernels {
namespace {

constexpr std::int64_t side = 256;
constexpr std::int64_t rows = 512;

std::vector<float> random_matrix(std::uint32_t seed) {
  std::vector<float> values(rows * side);
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(philox4x32_10({i, 0, 0, 0}, {seed, 0})[0]) * 0x1p-32F - 0.5F;
  }
  return values;
}

std::vector<double> eigenvalues_of(const std::vector<float>& matrix) {
  GramAccumulator gram(side);
  gram.add_rows(matrix, rows);
  return gram.take_eigenvalues();
}

// An OpenBLAS without locks gives wrong eigenvalues here most of the time.
TEST(Spectrum, IsTheSameWhenOtherThreadsCallBlasToo) {
  const auto matrix = random_matrix(1);
  const auto alone = eigenvalues_of(matrix);
  constexpr int threads = 4;
  constexpr int repeats = 20;
  std::vector<int> different(threads, 0);
  std::vector<std::thread> callers;
  for (int thread = 0; thread < threads; ++thread) {
    callers.emplace_back([&, thread] {
      for (int i = 0; i < repeats; ++i) {
        if (eigenvalues_of(matrix) != alone) ++different[static_cast<std::size_t>(thread)];
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(different, std::vector<int>(threads, 0));
}

}  // namespace
}  // namespace moesweep::kernels
