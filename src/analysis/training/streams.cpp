#include <numeric>
#include <utility>

#include <moesweep/analysis/training/streams.hpp>
#include <moesweep/core/base/cast.hpp>

namespace moesweep::training {

std::vector<std::int64_t> permutation(std::uint64_t seed, std::uint32_t stream, std::uint32_t epoch,
                                      std::int64_t count) {
  expect(count >= 0 && count <= std::int64_t{1} << 32, "permutation of too many");
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto key = key_of(seed);
  PhiloxCounter words{};
  std::uint64_t block = ~std::uint64_t{0};
  for (std::uint64_t i = order.size(); i-- > 1;) {
    if (i / 4 != block) {
      block = i / 4;
      words = philox4x32_10({static_cast<std::uint32_t>(block), epoch, 0, stream}, key);
    }
    const std::uint64_t other = (words[i % 4] * (i + 1)) >> 32;
    std::swap(order[i], order[other]);
  }
  return order;
}

}  // namespace moesweep::training
