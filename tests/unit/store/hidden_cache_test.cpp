#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/records/sensitivity.hpp>
#include <moesweep/engine/store/results.hpp>

#include "support/temporary_directory.hpp"
#include "unit/store/hidden_caches.hpp"
#include "unit/store/unit_records.hpp"

namespace moesweep::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::filesystem::path real = std::filesystem::path(MOESWEEP_TEST_DATA) / "hidden";

class HiddenCacheTest : public ::testing::Test {
 protected:
  HiddenCacheTest() {
    write_hidden_cache(path_, test::small_info(), test::small_states(), test::small_extras());
  }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "4bit.h5";
};

TEST_F(HiddenCacheTest, WhatWasWrittenIsRead) {
  const HiddenCache cache(path_);
  const auto expected = test::small_info();
  const auto& info = cache.info();
  EXPECT_EQ(info.model, expected.model);
  EXPECT_EQ(info.variant, expected.variant);
  EXPECT_EQ(info.bits, expected.bits);
  EXPECT_EQ(info.group_size, expected.group_size);
  EXPECT_EQ(info.samples, expected.samples);
  EXPECT_EQ(info.spans, expected.spans);
  EXPECT_EQ(info.hidden_dim, expected.hidden_dim);
  EXPECT_EQ(info.layers, expected.layers);
  EXPECT_EQ(info.label_names, expected.label_names);
  EXPECT_EQ(info.sample_id, expected.sample_id);
  EXPECT_EQ(info.cluster, expected.cluster);
  EXPECT_EQ(info.label, expected.label);
  EXPECT_EQ(info.split, expected.split);
  EXPECT_EQ(info.cited, expected.cited);
  EXPECT_EQ(info.span_tokens, expected.span_tokens);
  EXPECT_EQ(info.n_tokens, expected.n_tokens);
  EXPECT_EQ(cache.skills(), test::small_extras().skills);
}

TEST_F(HiddenCacheTest, StatesAreReadBitForBit) {
  const HiddenCache cache(path_);
  EXPECT_EQ(cache.pooled("L2", "mean"), test::ramp(24));
  EXPECT_EQ(cache.pooled("L10", "mean"), test::ramp(24, 0.1F));
  EXPECT_EQ(cache.span_means("L2"), test::ramp(48));
  const auto tokens = cache.token_states("L10");
  EXPECT_EQ(tokens.samples, 2);
  EXPECT_THAT(tokens.offsets, ElementsAre(0, 5, 11));
  EXPECT_EQ(tokens.states, test::ramp(44));
}

TEST_F(HiddenCacheTest, TellsWhatItHas) {
  const HiddenCache cache(path_);
  EXPECT_THAT(cache.poolings("L10"), ElementsAre("last_token", "mean"));
  EXPECT_THAT(cache.poolings("L3"), IsEmpty());
  EXPECT_TRUE(cache.has_pooled("L2", "mean"));
  EXPECT_FALSE(cache.has_pooled("L2", "last_token"));
  EXPECT_TRUE(cache.has_span_means("L2"));
  EXPECT_FALSE(cache.has_span_means("L10"));
  EXPECT_TRUE(cache.has_token_states("L10"));
  EXPECT_FALSE(cache.has_token_states("L2"));
}

TEST_F(HiddenCacheTest, AskingForWhatIsMissingNamesWhatIsThere) {
  try {
    HiddenCache(path_).pooled("L2", "last_token");
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::bad_input);
    EXPECT_THAT(error.what(), HasSubstr("L2/last_token"));
    EXPECT_THAT(error.what(), HasSubstr("L10/last_token"));
  }
}

TEST_F(HiddenCacheTest, EqualContentGivesEqualBytes) {
  const auto again = folder_.path() / "again" / "4bit.h5";
  std::filesystem::create_directory(again.parent_path());
  write_hidden_cache(again, test::small_info(), test::small_states(), test::small_extras());
  EXPECT_EQ(read_file(again), read_file(path_));
  EXPECT_EQ(HiddenCache(again).content_hash(), HiddenCache(path_).content_hash());
  EXPECT_EQ(HiddenCache(path_).content_hash(), hash128(read_file(path_)));
}

TEST_F(HiddenCacheTest, FailedWritingLeavesTheOldCache) {
  const auto before = read_file(path_);
  const std::vector<CacheStates> failing{
      test::whole("L2/mean", test::ramp(24)),
      {"L10/mean", [](const auto&) { throw std::runtime_error("source"); }}};
  EXPECT_THROW(write_hidden_cache(path_, test::small_info(), failing), std::runtime_error);
  EXPECT_EQ(read_file(path_), before);
  const std::filesystem::directory_iterator entries(folder_.path());
  EXPECT_EQ(std::distance(entries, {}), 1);
}

// The source of states may be another cache: the lock may not be held then.
TEST_F(HiddenCacheTest, CacheIsCopiedFromACache) {
  const HiddenCache cache(path_);
  auto info = test::small_info();
  info.layers = {"L2"};
  const std::vector<CacheStates> states{
      {"L2/mean", [&](const auto& take) { take(cache.pooled("L2", "mean")); }}};
  write_hidden_cache(folder_.path() / "copy.h5", info, states);
  EXPECT_EQ(HiddenCache(folder_.path() / "copy.h5").pooled("L2", "mean"), test::ramp(24));
}

TEST_F(HiddenCacheTest, ManyThreadsReadWhileResultsAreWritten) {
  const HiddenCache cache(path_);
  std::vector<std::thread> readers;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) wrong += cache.span_means("L2") != test::ramp(48);
    });
  }
  records::Tables tables;
  records::append_row(tables, test::distortion("tensor", 1.0));
  for (int i = 0; i < 20; ++i) {
    write_results(folder_.path() / "results.h5", tables, {});
    EXPECT_EQ(read_results(folder_.path() / "results.h5").tables.size(), 1U);
  }
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(RealHiddenCache, HoldsThreeVariantsOfTheSameSamples) {
  const HiddenCache bf16(real / "bf16.h5");
  const HiddenCache four(real / "4bit.h5");
  const HiddenCache two(real / "2bit.h5");
  require_same_samples(std::vector{&bf16.info(), &four.info(), &two.info()});
  const auto& info = four.info();
  EXPECT_EQ(info.variant, "4bit");
  EXPECT_EQ(info.model, "use-lite");
  EXPECT_EQ(info.bits, 4);
  EXPECT_THAT(info.label_names, ElementsAre("APPROVE", "REVISE", "VETO"));
  EXPECT_THAT(info.layers, ElementsAre("L0", "L1"));
  EXPECT_EQ(info.samples, 300);
  EXPECT_EQ(info.spans, 6);
  EXPECT_EQ(info.hidden_dim, 128);
  EXPECT_THAT(four.poolings("L1"), ElementsAre("last_token", "mean"));
  EXPECT_NE(four.pooled("L1", "mean"), two.pooled("L1", "mean"));
}

TEST(RealHiddenCache, TokensOfTheFileBesideGiveThePooledStates) {
  const HiddenCache cache(real / "4bit.h5");
  ASSERT_TRUE(cache.has_token_states("L1"));
  EXPECT_FALSE(HiddenCache(real / "bf16.h5").has_token_states("L1"));
  const auto tokens = cache.token_states("L1");
  const auto mean = cache.pooled("L1", "mean");
  EXPECT_EQ(tokens.samples, 30);
  const auto d = static_cast<std::size_t>(cache.info().hidden_dim);
  for (std::size_t i = 0; i < 30; ++i) {
    double sum = 0.0;
    for (auto t = tokens.offsets[i]; t < tokens.offsets[i + 1]; ++t) {
      sum += tokens.states[static_cast<std::size_t>(t) * d];
    }
    const auto count = static_cast<double>(tokens.offsets[i + 1] - tokens.offsets[i]);
    EXPECT_NEAR(sum / count, mean[i * d], 0.006);
  }
}

TEST(RealHiddenCache, HashCoversTheFileOfTokens) {
  const test::TemporaryDirectory folder;
  std::filesystem::copy_file(real / "4bit.h5", folder.path() / "4bit.h5");
  const auto alone = HiddenCache(folder.path() / "4bit.h5").content_hash();
  EXPECT_NE(HiddenCache(real / "4bit.h5").content_hash(), alone);
  EXPECT_EQ(alone, hash128(read_file(real / "4bit.h5")));
}

}  // namespace
}  // namespace moesweep::store
