#pragma once
// A worker between a recorded transport, a runner that finishes what it is told to, and a sink that
// publishes when it is told to.

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/comm/recording.hpp>
#include <moesweep/engine/sweep/worker.hpp>

#include "unit/sweep/plans.hpp"

namespace moesweep::sweep::test {

class FakeRunner final : public JobRunner {
 public:
  void start(UnitIndex unit) override {
    if (refuse) refuse();
    started.push_back(unit);
    running.push_back(unit);
  }
  std::optional<Outcome> poll() override {
    if (finished.empty()) return std::nullopt;
    auto first = std::move(finished.front());
    finished.pop_front();
    return first;
  }
  void finish(UnitIndex unit, std::string error = {}, double seconds = 1.0) {
    running.erase(std::find(running.begin(), running.end(), unit));
    finished.push_back({unit, std::move(error), 0.0, seconds, 10, {}});
  }
  void finish_for_the_systems_sake(UnitIndex unit, std::string error) {
    finish(unit, std::move(error));
    finished.back().ends_sweep = true;
  }
  std::vector<UnitIndex> started;
  std::vector<UnitIndex> running;
  std::function<void()> refuse;  ///< throws when a unit is to start

 private:
  std::deque<Outcome> finished;
};

class FakeSink final : public ResultSink {
 public:
  void put(Outcome outcome) override { waiting.push_back(outcome.unit); }
  void flush() override { ++flushes; }
  std::optional<Published> poll() override {
    if (std::exchange(broken, false)) throw Error(ExitCode::io_error, "segments", "disk full");
    if (published.empty()) return std::nullopt;
    auto first = std::move(published.front());
    published.pop_front();
    return first;
  }
  void publish_waiting() { published.push_back({"segment", std::exchange(waiting, {})}); }
  std::vector<UnitIndex> waiting;
  std::deque<Published> published;
  int flushes = 0;
  bool broken = false;  ///< the next poll() throws
};

struct Worker {
  Plan plan;
  comm::RecordingComm comm{Rank{1}, 2};
  FakeRunner runner;
  FakeSink sink;
  WorkerState state;
  double unix_now = 1000.0;

  Worker(Plan p, WorkerOptions options)
      : plan(std::move(p)), state(start_worker(plan, std::move(options), comm)) {
    greeting = take_sent();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::vector<Message> greeting;

  std::vector<Message> take_sent() {
    std::vector<Message> sent;
    for (auto& one : comm.take_sent()) sent.push_back(decode(one.message));
    return sent;
  }
  std::vector<Message> step() {
    sweep::step(state, comm, runner, sink, unix_now);
    return take_sent();
  }
  std::vector<Message> tell(const Message& message) {
    on_message(state, comm, message);
    return take_sent();
  }
  std::vector<Message> finish(UnitIndex unit, std::string error = {}) {
    runner.finish(unit, std::move(error));
    return step();
  }
};

template <typename Kind>
std::vector<Kind> all_of_kind(const std::vector<Message>& messages) {
  std::vector<Kind> found;
  for (const auto& message : messages) {
    if (const auto* one = std::get_if<Kind>(&message)) found.push_back(*one);
  }
  return found;
}

}  // namespace moesweep::sweep::test
