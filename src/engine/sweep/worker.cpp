#include <algorithm>
#include <utility>
#include <vector>

#include <moesweep/core/base/failures.hpp>
#include <moesweep/engine/sweep/worker.hpp>

namespace moesweep::sweep {
namespace {

using comm::coordinator_rank;

void hand_back_queue(WorkerState& state, comm::Comm& comm) {
  if (state.queue.empty()) return;
  HandedBack back{{state.queue.begin(), state.queue.end()}};
  state.queue.clear();
  state.short_of_memory.reset();
  comm.send(coordinator_rank, encode(back));
}

double expected_seconds(const WorkerState& state, const Cost& cost) {
  if (state.estimated_seconds <= 0.0) return cost.seconds_estimate;
  return cost.seconds_estimate * state.measured_seconds / state.estimated_seconds;
}

bool ends_in_time(const WorkerState& state, const Cost& cost, double unix_now) {
  if (!state.options.deadline) return true;
  return unix_now + expected_seconds(state, cost) + state.options.deadline_margin_seconds <=
         *state.options.deadline;
}

bool fits_in_memory(const WorkerState& state, const Cost& cost) {
  return state.running.empty() ||
         state.bytes_running + cost.peak_bytes <= state.options.memory_bytes;
}

// Smaller units may overtake one that waits for memory, but only for so long: in the end the
// running ones finish and it starts.
constexpr std::int64_t most_overtakers_per_thread = 4;

// Notes that `unit` waits. Returns whether those behind it may still start.
bool may_be_overtaken(WorkerState& state, UnitIndex unit) {
  if (!state.short_of_memory) {
    state.short_of_memory = unit;
    state.overtaken = 0;
  }
  return state.overtaken < most_overtakers_per_thread * state.options.threads;
}

void start_unit(WorkerState& state, JobRunner& runner, UnitIndex unit, std::int64_t peak_bytes) {
  if (state.short_of_memory == unit) state.short_of_memory.reset();
  if (state.short_of_memory) ++state.overtaken;
  runner.start(unit);
  state.running.emplace(unit, peak_bytes);
  state.bytes_running += peak_bytes;
}

bool start_units(WorkerState& state, comm::Comm& comm, JobRunner& runner, double unix_now) {
  bool any = false;
  HandedBack late;
  for (auto next = state.queue.begin(); next != state.queue.end();) {
    if (std::cmp_greater_equal(state.running.size(), state.options.threads)) break;
    const auto unit = *next;
    const auto& cost = state.plan->unit(unit).cost;
    if (!ends_in_time(state, cost, unix_now)) {
      late.units.push_back(unit);
      if (state.short_of_memory == unit) state.short_of_memory.reset();
      next = state.queue.erase(next);
      continue;
    }
    if (!fits_in_memory(state, cost)) {
      if (!may_be_overtaken(state, unit)) break;
      ++next;
      continue;
    }
    start_unit(state, runner, unit, cost.peak_bytes);
    next = state.queue.erase(next);
    any = true;
  }
  if (!late.units.empty()) comm.send(coordinator_rank, encode(late));
  return any;
}

bool collect_computed(WorkerState& state, comm::Comm& comm, JobRunner& runner, ResultSink& sink) {
  bool any = false;
  while (auto outcome = runner.poll()) {
    any = true;
    const auto running = state.running.find(outcome->unit);
    expect(running != state.running.end(), "a unit finished that was not running");
    state.bytes_running -= running->second;
    state.running.erase(running);
    if (outcome->ends_sweep) {
      // Not recorded: it runs again after a resume. What others have computed is published still.
      comm.send(coordinator_rank, encode(Broken{ExitCode::io_error, outcome->error}));
      continue;
    }
    const bool failed = !outcome->error.empty();
    if (!failed) {
      state.measured_seconds += outcome->seconds;
      state.estimated_seconds += state.plan->unit(outcome->unit).cost.seconds_estimate;
    }
    comm.send(coordinator_rank,
              encode(Computed{outcome->unit, failed, outcome->seconds, outcome->bytes_read}));
    ++state.unpublished;
    ++state.unflushed;
    sink.put(std::move(*outcome));
  }
  return any;
}

bool collect_published(WorkerState& state, comm::Comm& comm, ResultSink& sink) {
  bool any = false;
  while (auto published = sink.poll()) {
    any = true;
    state.unpublished -= static_cast<std::int64_t>(published->units.size());
    comm.send(coordinator_rank,
              encode(Durable{std::move(published->segment), std::move(published->units)}));
  }
  return any;
}

// Nothing is coming that a flush could wait for.
bool is_idle(const WorkerState& state) {
  if (state.leaving) return true;
  return state.queue.empty() && state.running.empty() && (state.queue_empty || state.draining);
}

}  // namespace

WorkerState start_worker(const Plan& plan, WorkerOptions options, comm::Comm& comm) {
  WorkerState state;
  state.plan = &plan;
  state.options = std::move(options);
  comm.send(coordinator_rank, encode(Hello{state.options.threads, state.options.host}));
  return state;
}

void on_message(WorkerState& state, comm::Comm& comm, const Message& message) {
  if (const auto* work = std::get_if<Work>(&message)) {
    state.queue_empty = false;
    state.queue.insert(state.queue.end(), work->units.begin(), work->units.end());
    if (state.draining) hand_back_queue(state, comm);
  } else if (std::holds_alternative<QueueEmpty>(message)) {
    state.queue_empty = true;
  } else if (std::holds_alternative<Drain>(message)) {
    state.draining = true;
    hand_back_queue(state, comm);
  } else if (std::holds_alternative<Leave>(message)) {
    state.draining = true;
    state.leaving = true;
    state.drained_sent = false;
    hand_back_queue(state, comm);
  } else if (const auto* finish = std::get_if<Finish>(&message)) {
    state.finished = finish->exit_code;
    comm.send(coordinator_rank, encode(Goodbye{}));
  } else {
    bug("a worker received a coordinator's message");
  }
}

bool step(WorkerState& state, comm::Comm& comm, JobRunner& runner, ResultSink& sink,
          double unix_now) {
  if (state.finished) return false;
  bool any = false;
  const auto work = [&] {
    any = collect_computed(state, comm, runner, sink);
    if (!state.draining && !state.broken) any = start_units(state, comm, runner, unix_now) || any;
    if (is_idle(state) && state.unflushed > 0) {
      state.unflushed = 0;
      sink.flush();
    }
    any = collect_published(state, comm, sink) || any;
  };
  // What could not be started or published runs again after a resume.
  catch_failures(work, [&](const Error& error) {
    state.broken = true;
    comm.send(coordinator_rank, encode(Broken{error.exit_code(), error.what()}));
  });
  const bool all_published = state.unpublished == 0 || state.broken;
  if (state.draining && is_idle(state) && all_published && !state.drained_sent) {
    state.drained_sent = true;
    comm.send(coordinator_rank, encode(Drained{}));
  }
  return any;
}

void report_failed(WorkerState& state, comm::Comm& comm, ResultSink& sink, UnitIndex unit,
                   std::string error) {
  comm.send(coordinator_rank, encode(Computed{unit, /*failed=*/true, 0.0, 0}));
  ++state.unpublished;
  ++state.unflushed;
  Outcome outcome;
  outcome.unit = unit;
  outcome.error = std::move(error);
  sink.put(std::move(outcome));
}

}  // namespace moesweep::sweep
