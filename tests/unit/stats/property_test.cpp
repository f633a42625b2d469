#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <moesweep/core/stats/bootstrap.hpp>
#include <moesweep/core/stats/multiple.hpp>

namespace moesweep::stats {
namespace {

std::vector<double> any_p_values() {
  const auto thousandths =
      *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1001)).as("p in thousandths");
  std::vector<double> p_values;
  for (const int p : thousandths) p_values.push_back(p / 1000.0);
  return p_values;
}

RC_GTEST_PROP(HolmProperty, IsMonotoneAndBetweenRawAndBonferroni, ()) {
  const auto raw = any_p_values();
  const auto adjusted = holm(raw);
  const auto most = bonferroni(raw);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    RC_ASSERT(raw[i] <= adjusted[i]);
    RC_ASSERT(adjusted[i] <= most[i]);
    RC_ASSERT(most[i] <= 1.0);
    for (std::size_t j = 0; j < raw.size(); ++j) {
      if (raw[i] <= raw[j]) RC_ASSERT(adjusted[i] <= adjusted[j]);
    }
  }
}

RC_GTEST_PROP(BootstrapProperty, DoesNotDependOnHowReplicatesAreShared, ()) {
  const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(-1000, 1000), [](int value) { return value / 7.0; })));
  const auto seed = *rc::gen::arbitrary<std::uint64_t>().as("seed");
  const auto count = *rc::gen::inRange<std::int64_t>(1, 60).as("replicates");
  const auto elements = static_cast<std::int64_t>(values.size());
  const auto clusters = cluster_sums(values, {});
  const auto mean = mean_over(clusters);
  std::vector<double> shared;
  for (std::int64_t first = 0; first < count;) {
    const auto share = std::min(count - first, *rc::gen::inRange<std::int64_t>(1, 20).as("share"));
    const auto part = bootstrap_replicates(mean, elements, {seed, first, share});
    shared.insert(shared.end(), part.begin(), part.end());
    first += share;
  }
  RC_ASSERT(shared == bootstrap_replicates(mean, elements, {seed, 0, count}));
}

}  // namespace
}  // namespace moesweep::stats
