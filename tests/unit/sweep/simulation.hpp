#pragma once
// A whole sweep in one thread: a coordinator and workers whose messages, units and publications
// finish in a random order that a seed decides. Messages between two ranks keep their order,
// nothing else does.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/sweep/coordinator.hpp>

namespace moesweep::sweep::test {

struct Scenario {
  std::uint64_t seed = 0;
  int ranks = 1;
  int most_threads = 1;  ///< of a rank
  std::vector<std::size_t> units_of_stage;
  double share_failing = 0.0;               ///< of the units
  std::size_t failed_without_run = 0;       ///< units that rank 0 reports instead
  std::optional<std::size_t> stop_after;    ///< deliveries until a random rank sees a signal
  bool second_signal = false;               ///< and another, more urgent one
  std::optional<double> deadline;           ///< simulated s
  std::optional<std::size_t> breaks_after;  ///< publications until a random rank's disk is full
};

struct Ending {
  std::optional<ExitCode> exit_code;       ///< none: it hung
  std::vector<std::string> violations;     ///< promises that were broken
  std::map<UnitIndex, int> times_on_disk;  ///< done, by unit
  std::map<UnitIndex, int> times_failed_on_disk;
  std::map<UnitIndex, int> times_started;
};

Plan plan_of(const Scenario& scenario);

/// One epoch. `done` are units on disk already.
Ending simulate(const Scenario& scenario, const Plan& plan, const std::unordered_set<UnitId>& done);

/// Starts and resumes until the sweep is complete or `some_failed`; returns what was wrong, empty
/// when every unit came to be on disk exactly once.
std::vector<std::string> run_to_the_end(const Scenario& scenario);

}  // namespace moesweep::sweep::test
