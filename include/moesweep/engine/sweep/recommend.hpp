#pragma once
// How many ranks and threads a sweep is worth.

#include <functional>

#include <moesweep/engine/sweep/simulate.hpp>

namespace moesweep::sweep {

struct Recommendation {
  int ranks = 1;
  int threads = 1;
  Forecast forecast;
};

/// More cores than this are not worth it: a makespan within 10 % of the best counts as the best.
inline constexpr double worth_waiting = 1.1;

/// Simulates `machine_of(ranks, threads)` for ranks halved from `most_ranks` and then threads
/// halved from `most_threads`, and returns the smallest whose makespan is within worth_waiting of
/// the shortest seen.
Recommendation recommend(const Plan& plan, int most_ranks, int most_threads,
                         const std::function<Machine(int ranks, int threads)>& machine_of);

}  // namespace moesweep::sweep
