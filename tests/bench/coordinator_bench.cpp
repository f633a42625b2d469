// CPU time of the coordinator per unit, with 64 workers behind a recorded transport: the sweep from
// the first greeting to the last unit, without planning it. Exits with 1 when the figures in
// docs/scaling.md are not met.

#include <cstdio>
#include <ctime>
#include <deque>
#include <string>
#include <vector>

#include <moesweep/engine/comm/recording.hpp>
#include <moesweep/engine/sweep/coordinator.hpp>

namespace moesweep::sweep {
namespace {

constexpr int workers = 64;
constexpr std::int32_t threads_of_worker = 16;
constexpr std::size_t units_of_segment = 100;
constexpr double most_microseconds = 10.0;
constexpr double most_growth = 1.3;

Plan even_plan(std::size_t units) {
  Stage stage{"bench", {}};
  for (std::size_t i = 0; i < units; ++i) {
    // Estimates differ, as those of real tensors do.
    const double seconds = 1.0 + 0.1 * static_cast<double>(i * 2654435761U % 64);
    stage.units.push_back(
        {UnitId{i + 1}, "unit/" + std::to_string(i), {1 << 20, 1, 1 << 20, seconds}, {0, i}});
  }
  return Plan({std::move(stage)});
}

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Worker {
  std::deque<UnitIndex> queue;
  std::vector<UnitIndex> computed;
};

// Only the coordinator is on the clock.
class Sweep {
 public:
  explicit Sweep(const Plan& plan) : state_(timed_start(plan)) {}

  double run() {
    for (int rank = 0; rank < workers; ++rank) say(rank, Hello{threads_of_worker, "host"});
    for (bool any = true; any;) {
      any = false;
      for (int rank = 0; rank < workers; ++rank) any = compute_one(rank) || any;
    }
    expect(state_.finish_sent || state_.stop == Stop::drain, "units are left");
    return seconds_;
  }

 private:
  CoordinatorState timed_start(const Plan& plan) {
    const double begin = cpu_seconds();
    auto state = start(plan, workers, {}, {}, 0.0);
    seconds_ += cpu_seconds() - begin;
    return state;
  }
  bool compute_one(int rank) {
    auto& worker = workers_[static_cast<std::size_t>(rank)];
    if (worker.queue.empty()) {
      publish(rank);
      return !worker.queue.empty();
    }
    const auto unit = worker.queue.front();
    worker.queue.pop_front();
    worker.computed.push_back(unit);
    if (worker.computed.size() == units_of_segment) publish(rank);
    say(rank, Computed{unit, false, 1.0, 1 << 20});
    return true;
  }
  void publish(int rank) {
    auto& worker = workers_[static_cast<std::size_t>(rank)];
    const std::size_t held = worker.computed.size() == units_of_segment ? 1 : 0;
    std::vector<UnitIndex> units(worker.computed.begin(),
                                 worker.computed.end() - static_cast<std::ptrdiff_t>(held));
    if (units.empty()) return;
    worker.computed.erase(worker.computed.begin(),
                          worker.computed.end() - static_cast<std::ptrdiff_t>(held));
    say(rank, Durable{"segment", std::move(units)});
  }
  void say(int rank, const Message& message) {
    const auto bytes = encode(message);
    const double begin = cpu_seconds();
    on_message(state_, comm_, Rank{rank}, decode(bytes));
    seconds_ += cpu_seconds() - begin;
    for (const auto& sent : comm_.take_sent()) {
      const auto answer = decode(sent.message);
      if (const auto* work = std::get_if<Work>(&answer)) {
        auto& queue = workers_[static_cast<std::size_t>(sent.to.value)].queue;
        queue.insert(queue.end(), work->units.begin(), work->units.end());
      }
    }
  }

  double seconds_ = 0.0;
  comm::RecordingComm comm_{Rank{0}, workers};
  CoordinatorState state_;
  std::vector<Worker> workers_{static_cast<std::size_t>(workers)};
};

double microseconds_per_unit(std::size_t units) {
  const auto plan = even_plan(units);
  const double microseconds = 1e6 * Sweep(plan).run() / static_cast<double>(units);
  std::printf("%9zu units, %d workers: %.3f us of CPU per unit\n", units, workers, microseconds);
  return microseconds;
}

}  // namespace
}  // namespace moesweep::sweep

int main() {
  using namespace moesweep::sweep;
  const double few = microseconds_per_unit(100'000);
  const double many = microseconds_per_unit(1'000'000);
  std::printf("growth from 100,000 to 1,000,000 units: %.2f\n", many / few);
  return many <= most_microseconds && many <= most_growth * few ? 0 : 1;
}
