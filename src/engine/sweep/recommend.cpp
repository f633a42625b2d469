#include <algorithm>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/sweep/recommend.hpp>

namespace moesweep::sweep {

Recommendation recommend(const Plan& plan, int most_ranks, int most_threads,
                         const std::function<Machine(int ranks, int threads)>& machine_of) {
  expect(most_ranks > 0 && most_threads > 0, "a recommendation among no machines");
  std::vector<Recommendation> tried;
  double best = 0.0;
  // Returns whether a smaller machine may still do.
  const auto attempt = [&](int ranks, int threads) {
    const auto machine = machine_of(ranks, threads);
    if (!tried.empty() && bounds(plan, machine).lower_bound_seconds > worth_waiting * best) {
      return false;
    }
    const auto forecast = simulate(plan, machine);
    best = tried.empty() ? forecast.makespan_seconds : std::min(best, forecast.makespan_seconds);
    tried.push_back({ranks, threads, forecast});
    return forecast.makespan_seconds <= worth_waiting * best;
  };
  const auto smallest = [&] {
    const auto is_good = [&](const Recommendation& one) {
      return one.forecast.makespan_seconds <= worth_waiting * best;
    };
    return *std::find_if(tried.rbegin(), tried.rend(), is_good);
  };
  for (int ranks = most_ranks; ranks > 0 && attempt(ranks, most_threads);) ranks /= 2;
  const int ranks = smallest().ranks;
  for (int threads = most_threads / 2; threads > 0 && attempt(ranks, threads);) threads /= 2;
  return smallest();
}

}  // namespace moesweep::sweep
