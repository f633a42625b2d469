#pragma once
// A coordinator on a recorded transport: say what workers send, look at what they are sent.

#include <unordered_set>
#include <utility>
#include <vector>

#include <moesweep/engine/comm/recording.hpp>
#include <moesweep/engine/sweep/coordinator.hpp>

#include "unit/sweep/plans.hpp"

namespace moesweep::sweep::test {

using Units = std::vector<UnitIndex>;

struct Sent {
  Rank to;
  Message message;
};

struct Coordinator {
  Plan plan;
  comm::RecordingComm comm;
  CoordinatorState state;

  Coordinator(Plan p, int ranks, const std::unordered_set<UnitId>& done = {},
              const std::unordered_set<UnitId>& failed = {})
      : plan(std::move(p)),
        comm(Rank{0}, ranks),
        state(start(plan, ranks, done, failed, comm.now())) {}
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  std::vector<Sent> take_sent() {
    std::vector<Sent> sent;
    for (auto& one : comm.take_sent()) sent.push_back({one.to, decode(one.message)});
    return sent;
  }
  std::vector<Sent> say(int rank, const Message& message) {
    on_message(state, comm, Rank{rank}, message);
    return take_sent();
  }
  std::vector<Sent> hello(int rank, int threads) { return say(rank, Hello{threads, "host"}); }
  std::vector<Sent> compute(int rank, UnitIndex unit, bool failed = false) {
    return say(rank, Computed{unit, failed, 1.0, 10});
  }
  std::vector<Sent> publish(int rank, Units units) {
    return say(rank, Durable{"segment", std::move(units)});
  }
  /// Computed and published; what was sent because of either.
  std::vector<Sent> finish(int rank, UnitIndex unit) {
    auto sent = compute(rank, unit);
    for (auto& more : publish(rank, {unit})) sent.push_back(std::move(more));
    return sent;
  }
};

inline Units work_for(const std::vector<Sent>& sent, int rank) {
  Units units;
  for (const auto& one : sent) {
    const auto* work = std::get_if<Work>(&one.message);
    if (work == nullptr || one.to != Rank{rank}) continue;
    units.insert(units.end(), work->units.begin(), work->units.end());
  }
  return units;
}

template <typename Kind>
std::size_t count_of(const std::vector<Sent>& sent) {
  std::size_t count = 0;
  for (const auto& one : sent) count += std::holds_alternative<Kind>(one.message) ? 1 : 0;
  return count;
}

inline std::vector<ExitCode> finish_codes(const std::vector<Sent>& sent) {
  std::vector<ExitCode> codes;
  for (const auto& one : sent) {
    if (const auto* finish = std::get_if<Finish>(&one.message)) codes.push_back(finish->exit_code);
  }
  return codes;
}

}  // namespace moesweep::sweep::test
