#include "unit/sweep/simulation.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <set>

#include <moesweep/engine/comm/recording.hpp>
#include <moesweep/engine/sweep/worker.hpp>

#include "unit/sweep/plans.hpp"

namespace moesweep::sweep::test {
namespace {

constexpr std::int64_t memory_bytes = 100;
constexpr std::size_t most_events = 400'000;  // a sweep that needs more hangs

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return engine_() % end; }
  bool chance(double probability) {
    return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability;
  }

 private:
  std::mt19937_64 engine_;
};

// What all ranks together have done: the file system and the judge.
struct World {
  const Plan& plan;
  Dice& dice;
  Ending& ending;
  std::vector<bool> settled;  // on disk, done or failed, in this epoch or before
  std::set<UnitIndex> failing;
  std::optional<std::size_t> breaks_after;
  std::size_t publications = 0;

  void violation(const std::string& what, UnitIndex unit) {
    ending.violations.push_back(what + ": " + plan.unit(unit).key);
  }
  void judge_start(UnitIndex unit) {
    if (++ending.times_started[unit] > 1) violation("started twice in one epoch", unit);
    if (settled[unit]) violation("started although on disk", unit);
    for (UnitIndex before = 0; before < plan.first_of(plan.stage_of(unit)); ++before) {
      if (!settled[before]) return violation("started before the barrier", unit);
    }
  }
  void to_disk(UnitIndex unit, bool failed) {
    ++(failed ? ending.times_failed_on_disk : ending.times_on_disk)[unit];
    settled[unit] = true;
  }
};

class RandomRunner final : public JobRunner {
 public:
  explicit RandomRunner(World& world) : world_(world) {}
  void start(UnitIndex unit) override {
    world_.judge_start(unit);
    running_.push_back(unit);
    std::int64_t bytes = 0;
    for (const auto one : running_) bytes += world_.plan.unit(one).cost.peak_bytes;
    if (running_.size() > 1 && bytes > memory_bytes) world_.violation("memory exceeded", unit);
  }
  std::optional<Outcome> poll() override {
    if (running_.empty() || !world_.dice.chance(0.4)) return std::nullopt;
    const auto which =
        running_.begin() + static_cast<std::ptrdiff_t>(world_.dice.below(running_.size()));
    const auto unit = *which;
    running_.erase(which);
    const double seconds = world_.plan.unit(unit).cost.seconds_estimate * 1.5;
    return Outcome{unit, world_.failing.contains(unit) ? "fails" : "", 0.0, seconds, 0, {}};
  }

 private:
  World& world_;
  std::vector<UnitIndex> running_;
};

class RandomSink final : public ResultSink {
 public:
  explicit RandomSink(World& world) : world_(world) {}
  void put(Outcome outcome) override { waiting_.push_back(std::move(outcome)); }
  void flush() override { flushed_ = waiting_.size(); }
  std::optional<Published> poll() override {
    const bool interval_over = world_.dice.chance(0.02);
    if (waiting_.empty() || (flushed_ == 0 && !interval_over) || world_.dice.chance(0.5)) {
      return std::nullopt;
    }
    const auto count = interval_over ? waiting_.size() : flushed_;
    Published published{"segment", {}};
    const bool full = world_.breaks_after && ++world_.publications > *world_.breaks_after;
    for (std::size_t i = 0; i < count; ++i) {
      if (!full) world_.to_disk(waiting_[i].unit, !waiting_[i].error.empty());
      published.units.push_back(waiting_[i].unit);
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    flushed_ -= std::min(flushed_, count);
    if (full && world_.dice.chance(0.7)) throw Error(ExitCode::io_error, "segments", "disk full");
    if (full) {  // there was room for this one after all
      for (const auto unit : published.units) world_.to_disk(unit, world_.failing.contains(unit));
    }
    return published;
  }

 private:
  World& world_;
  std::deque<Outcome> waiting_;
  std::size_t flushed_ = 0;
};

struct Process {
  comm::RecordingComm comm;
  RandomRunner runner;
  RandomSink sink;
  WorkerState worker;

  Process(World& world, int rank, const Scenario& scenario)
      : comm(Rank{rank}, scenario.ranks), runner(world), sink(world) {
    WorkerOptions options;
    options.threads =
        1 + static_cast<int>(world.dice.below(static_cast<std::size_t>(scenario.most_threads)));
    options.memory_bytes = memory_bytes;
    options.deadline = scenario.deadline;
    options.deadline_margin_seconds = 1.0;
    worker = start_worker(world.plan, options, comm);
  }
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const Plan& plan, const std::unordered_set<UnitId>& done)
      : scenario_(scenario), dice_(scenario.seed), world_{plan,    dice_,
                                                          ending_, std::vector<bool>(plan.size()),
                                                          {},      scenario.breaks_after,
                                                          0} {
    std::unordered_set<UnitId> failed;
    for (UnitIndex unit = 0; unit < plan.size(); ++unit) {
      const auto id = plan.unit(unit).id;
      world_.settled[unit] = done.contains(id);
      if (dice_.chance(scenario.share_failing)) world_.failing.insert(unit);
      const bool blamed = failed.size() < scenario.failed_without_run && dice_.chance(0.3);
      if (!done.contains(id) && blamed) failed.insert(id);
    }
    state_ = start(plan, scenario.ranks, done, failed, 0.0);
    for (int rank = 0; rank < scenario.ranks; ++rank) {
      ranks_.push_back(std::make_unique<Process>(world_, rank, scenario));
    }
    for (UnitIndex unit = 0; unit < plan.size(); ++unit) {
      if (!failed.contains(plan.unit(unit).id)) continue;
      report_failed(ranks_[0]->worker, ranks_[0]->comm, ranks_[0]->sink, unit, "blamed");
      world_.failing.insert(unit);
    }
  }

  Ending run() {
    for (std::size_t event = 0; event < most_events; ++event) {
      if (is_over(state_) && std::all_of(ranks_.begin(), ranks_.end(), [](const auto& rank) {
            return rank->worker.finished.has_value();
          })) {
        judge_end();
        return ending_;
      }
      maybe_signal();
      now_ += 0.01;
      if (dice_.chance(0.5))
        deliver_one();
      else
        step_one();
    }
    return ending_;
  }

 private:
  void post(int from) {
    for (auto& sent : ranks_[static_cast<std::size_t>(from)]->comm.take_sent()) {
      wires_[{from, sent.to.value}].push_back(std::move(sent.message));
    }
  }

  void step_one() {
    const auto rank = dice_.below(ranks_.size());
    auto& process = *ranks_[rank];
    process.comm.set_now(now_);
    step(process.worker, process.comm, process.runner, process.sink, now_);
    post(static_cast<int>(rank));
  }

  void deliver_one() {
    for (int rank = 0; rank < scenario_.ranks; ++rank) post(rank);
    std::vector<std::pair<int, int>> ready;
    for (const auto& [wire, messages] : wires_) {
      if (!messages.empty()) ready.push_back(wire);
    }
    if (ready.empty()) return;
    ++deliveries_;
    const auto [from, to] = ready[dice_.below(ready.size())];
    auto& wire = wires_[{from, to}];
    const auto message = decode(wire.front());
    wire.pop_front();
    auto& process = *ranks_[static_cast<std::size_t>(to)];
    if (message.index() < Message(Hello{}).index()) {
      if (process.worker.finished) ending_.violations.emplace_back("a message after Finish");
      on_message(process.worker, process.comm, message);
    } else {
      on_message(state_, process.comm, Rank{from}, message);
    }
    post(to);
  }

  void maybe_signal() {
    if (!scenario_.stop_after || deliveries_ < *scenario_.stop_after) return;
    if (signals_ == 0 || (signals_ == 1 && scenario_.second_signal && dice_.chance(0.05))) {
      const auto rank = dice_.below(ranks_.size());
      if (ranks_[rank]->worker.finished) return;
      const bool leave = signals_ == 1 || dice_.chance(0.5);
      ranks_[rank]->comm.send(comm::coordinator_rank, encode(StopRequested{leave}));
      post(static_cast<int>(rank));
      ++signals_;
    }
  }

  void judge_end() {
    ending_.exit_code = ranks_[0]->worker.finished;
    for (const auto& rank : ranks_) {
      if (rank->worker.finished != ending_.exit_code)
        ending_.violations.emplace_back("ranks end with different codes");
    }
    for (UnitIndex unit = 0; unit < world_.settled.size(); ++unit) {
      const auto known = state_.units[unit];
      if (known == UnitState::done && !world_.settled[unit])
        world_.violation("done but not on disk", unit);
      const bool orderly = state_.stop == Stop::drain && state_.broken.empty();
      if (orderly && ending_.times_started.contains(unit) && !world_.settled[unit]) {
        world_.violation("an orderly end leaves it to be repeated", unit);
      }
    }
  }

  const Scenario& scenario_;
  Dice dice_;
  Ending ending_;
  World world_;
  CoordinatorState state_;
  std::vector<std::unique_ptr<Process>> ranks_;
  std::map<std::pair<int, int>, std::deque<comm::Bytes>> wires_;
  std::size_t deliveries_ = 0;
  int signals_ = 0;
  double now_ = 0.0;
};

bool is_end(ExitCode code) {
  return code == ExitCode::complete || code == ExitCode::some_failed;
}

}  // namespace

Plan plan_of(const Scenario& scenario) {
  Dice dice(scenario.seed ^ 0x9e3779b97f4a7c15U);
  std::vector<Stage> stages;
  for (const auto count : scenario.units_of_stage) {
    Stage stage{"stage" + std::to_string(stages.size()), {}};
    for (std::size_t i = 0; i < count; ++i) {
      const double seconds = 0.01 * static_cast<double>(dice.below(300));
      const auto peak_bytes = static_cast<std::int64_t>(dice.chance(0.1) ? 150 : dice.below(60));
      stage.units.push_back(unit(stage.name + "/" + std::to_string(i), seconds,
                                 {static_cast<std::uint32_t>(dice.below(3)), dice.below(1000)},
                                 peak_bytes));
    }
    stages.push_back(std::move(stage));
  }
  return Plan(std::move(stages));
}

Ending simulate(const Scenario& scenario, const Plan& plan,
                const std::unordered_set<UnitId>& done) {
  return Simulation(scenario, plan, done).run();
}

std::vector<std::string> run_to_the_end(const Scenario& scenario) {
  const auto plan = plan_of(scenario);
  std::unordered_set<UnitId> done;
  std::map<UnitIndex, int> times_done;
  std::map<UnitIndex, int> last_failed;
  auto epoch = scenario;
  for (int epochs = 0; epochs < 3; ++epochs) {
    auto ending = simulate(epoch, plan, done);
    if (!ending.exit_code) ending.violations.emplace_back("hangs");
    if (!ending.violations.empty()) return ending.violations;
    for (const auto& [unit, times] : ending.times_on_disk) {
      times_done[unit] += times;
      done.insert(plan.unit(unit).id);
    }
    last_failed = ending.times_failed_on_disk;
    if (is_end(*ending.exit_code)) {
      std::vector<std::string> wrong;
      if (last_failed.empty() != (*ending.exit_code == ExitCode::complete))
        wrong.emplace_back("wrong exit code");
      for (UnitIndex unit = 0; unit < plan.size(); ++unit) {
        if (times_done[unit] + last_failed[unit] != 1)
          wrong.push_back("not on disk exactly once: " + plan.unit(unit).key);
      }
      return wrong;
    }
    epoch.seed = epoch.seed * 31 + 1;  // the next epoch is left in peace
    epoch.stop_after.reset();
    epoch.deadline.reset();
    epoch.breaks_after.reset();
  }
  return {"an undisturbed epoch did not complete"};
}

}  // namespace moesweep::sweep::test
