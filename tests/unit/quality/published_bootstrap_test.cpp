// The published bootstrap to the digit, with the generator it was made with, and with ours.

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "published_study.hpp"

namespace moesweep::quality::test {
namespace {

// Mersenne Twister MT19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998), seeded with a key of one
// word as CPython's random.seed(int) does.
class MersenneTwister {
 public:
  explicit MersenneTwister(std::uint32_t key) {
    constexpr std::uint32_t first_seed = 19650218;
    state_[0] = first_seed;
    for (std::uint32_t i = 1; i < words; ++i) state_[i] = 1812433253U * mixed(i) + i;
    std::uint32_t i = 1;
    for (std::uint32_t k = 0; k < words; ++k) {
      state_[i] = (state_[i] ^ (mixed(i) * 1664525U)) + key;
      i = next(i);
    }
    for (std::uint32_t k = 0; k < words - 1; ++k) {
      state_[i] = (state_[i] ^ (mixed(i) * 1566083941U)) - i;
      i = next(i);
    }
    state_[0] = 0x80000000U;
  }

  /// CPython's randrange(limit) for a limit below 2^32: the top bits, drawn again when too large.
  std::int64_t below(std::uint32_t limit) {
    int bits = 0;
    while (limit >> bits != 0) ++bits;
    std::uint32_t drawn = limit;
    while (drawn >= limit) drawn = word() >> (32 - bits);
    return drawn;
  }

 private:
  static constexpr std::uint32_t words = 624;
  static constexpr std::uint32_t shift = 397;

  std::uint32_t mixed(std::uint32_t i) const { return state_[i - 1] ^ (state_[i - 1] >> 30); }
  std::uint32_t next(std::uint32_t i) {
    if (i + 1 < words) return i + 1;
    state_[0] = state_[words - 1];
    return 1;
  }
  void refill() {
    for (std::uint32_t i = 0; i < words; ++i) {
      const auto y = (state_[i] & 0x80000000U) | (state_[(i + 1) % words] & 0x7fffffffU);
      state_[i] = state_[(i + shift) % words] ^ (y >> 1) ^ ((y & 1U) != 0 ? 0x9908b0dfU : 0U);
    }
    used_ = 0;
  }
  std::uint32_t word() {
    if (used_ == words) refill();
    auto y = state_[used_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    return y ^ (y >> 18);
  }

  std::array<std::uint32_t, words> state_{};
  std::uint32_t used_ = words;
};

// Replicates of one model and pair follow each other, so that each starts the generator anew.
Resample published_resample() {
  auto generator = std::make_shared<MersenneTwister>(42);
  return [generator](std::int64_t replicate, std::span<std::int64_t> indices) {
    if (replicate == 0) *generator = MersenneTwister(42);
    for (auto& index : indices) {
      index = generator->below(static_cast<std::uint32_t>(indices.size()));
    }
  };
}

std::vector<records::AsymmetryGapRow> gaps_with(const Resample& resample) {
  const auto options = published_options();
  const Study study(published_cells());
  return gaps(study, gap_replicates(study, resample, 0, options.replicates), options);
}

const records::AsymmetryGapRow& gap_of(const std::vector<records::AsymmetryGapRow>& rows,
                                       const std::string& model) {
  return row_where(rows, [&](const auto& row) {
    return row.model == model && row.quality == "bertscore" && row.safety == "refusal_rate";
  });
}

double two_digits(double value) {
  return std::round(100.0 * value) / 100.0;
}

TEST(MersenneTwister, IsCPythons) {
  MersenneTwister generator(42);
  // [random.randrange(6) for _ in range(12)] after random.seed(42)
  for (const int drawn : {5, 0, 0, 5, 2, 1, 1, 1, 5, 0, 5, 5}) {
    EXPECT_EQ(generator.below(6), drawn);
  }
}

TEST(PublishedBootstrap, IsReproducedToTheDigitWithItsGenerator) {
  const auto rows = gaps_with(published_resample());
  for (const auto& told : published("bootstrap_asymmetry_gap")) {
    SCOPED_TRACE(told.dump());
    const auto& row = gap_of(rows, told["model"]);
    EXPECT_DOUBLE_EQ(two_digits(row.gap_pp), told["mean_pp"].get<double>());
    EXPECT_DOUBLE_EQ(two_digits(row.lo), told["lo_pp"].get<double>());
    EXPECT_DOUBLE_EQ(two_digits(row.hi), told["hi_pp"].get<double>());
    EXPECT_EQ(row.replicates, told["B"].get<std::int64_t>());
  }
}

TEST(PublishedBootstrap, IsWithinOneAndAHalfPointsWithOurs) {
  const auto rows = gaps_with(counter_resample(42));
  for (const auto& told : published("bootstrap_asymmetry_gap")) {
    SCOPED_TRACE(told.dump());
    const auto& row = gap_of(rows, told["model"]);
    EXPECT_DOUBLE_EQ(two_digits(row.gap_pp), told["mean_pp"].get<double>());
    EXPECT_NEAR(row.lo, told["lo_pp"].get<double>(), 1.5);
    EXPECT_NEAR(row.hi, told["hi_pp"].get<double>(), 1.5);
  }
}

TEST(Bootstrap, DoesNotDependOnHowReplicatesAreCut) {
  const Study study(published_cells());
  const auto resample = counter_resample(7);
  const auto whole = gap_replicates(study, resample, 0, 30);
  std::vector<records::GapReplicateRow> parts;
  for (const std::int64_t first : {0, 10, 20}) {
    const auto part = gap_replicates(study, resample, first, 10);
    parts.insert(parts.end(), part.begin(), part.end());
  }
  auto options = published_options();
  options.replicates = 30;
  const auto a = gaps(study, whole, options);
  const auto b = gaps(study, parts, options);
  ASSERT_EQ(a.size(), 27U);
  ASSERT_EQ(b.size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].lo, b[i].lo);
    EXPECT_EQ(a[i].hi, b[i].hi);
    EXPECT_EQ(a[i].bca_lo, b[i].bca_lo);
  }
}

TEST(Bootstrap, UnfinishedReplicatesGiveNoInterval) {
  const Study study(published_cells());
  const auto some = gap_replicates(study, counter_resample(7), 0, 1999);
  EXPECT_TRUE(gaps(study, some, published_options()).empty());
}

}  // namespace
}  // namespace moesweep::quality::test
