#include <chrono>
#include <optional>
#include <thread>

#include <moesweep/engine/sweep/drive.hpp>

namespace moesweep::sweep {
namespace {

using std::chrono::microseconds;

// Between looks for messages; a finished unit ends a sleep.
constexpr auto shortest_sleep = microseconds(50);
constexpr auto longest_sleep = microseconds(1000);
constexpr double observe_every_seconds = 0.1;

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::optional<CoordinatorState> start_coordinator(const comm::Comm& comm,
                                                  const RankInputs& inputs) {
  if (comm.rank() != comm::coordinator_rank) return std::nullopt;
  std::unordered_set<UnitId> failed;
  for (const auto& [id, reason] : inputs.failed_without_run) failed.insert(id);
  return start(*inputs.plan, comm.size(), inputs.done, failed, comm.now());
}

void report_failed_without_run(WorkerState& worker, comm::Comm& comm, ResultSink& sink,
                               const CoordinatorState& coordinator, const RankInputs& inputs) {
  for (UnitIndex unit = 0; unit < coordinator.units.size(); ++unit) {
    if (coordinator.units[unit] != UnitState::assigned) continue;
    report_failed(worker, comm, sink, unit,
                  inputs.failed_without_run.at(inputs.plan->unit(unit).id));
  }
}

bool receive_all(comm::Comm& comm, WorkerState& worker,
                 std::optional<CoordinatorState>& coordinator) {
  bool any = false;
  while (auto envelope = comm.receive()) {
    any = true;
    const auto message = decode(envelope->message);
    if (is_for_worker(message)) {
      on_message(worker, comm, message);
    } else {
      expect(coordinator.has_value(), "a worker rank received a message for the coordinator");
      on_message(*coordinator, comm, envelope->from, message);
    }
  }
  return any;
}

// Tells the coordinator of a signal once a level.
void forward_signal(Stop requested, Stop& forwarded, comm::Comm& comm) {
  if (requested <= forwarded) return;
  forwarded = requested;
  comm.send(comm::coordinator_rank, encode(StopRequested{requested == Stop::leave}));
}

// A unit that ends after the worker has finished is never collected, and must not end sleeps.
void idle(const WorkerState& worker, JobRunner& runner, microseconds longest) {
  if (worker.finished) {
    std::this_thread::sleep_for(longest);
  } else {
    runner.wait(longest);
  }
}

}  // namespace

RankResult drive(comm::Comm& comm, JobRunner& runner, ResultSink& sink, const RankInputs& inputs) {
  auto worker = start_worker(*inputs.plan, inputs.worker, comm);
  auto coordinator = start_coordinator(comm, inputs);
  if (coordinator) report_failed_without_run(worker, comm, sink, *coordinator, inputs);

  auto forwarded = Stop::none;
  auto sleep = shortest_sleep;
  double observed = comm.now();
  while (!worker.finished || (coordinator && !is_over(*coordinator))) {
    forward_signal(inputs.stop_requested(), forwarded, comm);
    bool busy = receive_all(comm, worker, coordinator);
    busy = step(worker, comm, runner, sink, unix_time()) || busy;
    if (coordinator && inputs.observe && comm.now() - observed >= observe_every_seconds) {
      observed = comm.now();
      inputs.observe(*coordinator, observed);
    }
    sleep = busy ? shortest_sleep : std::min(sleep * 2, longest_sleep);
    if (!busy) idle(worker, runner, sleep);
  }
  if (coordinator && inputs.observe) inputs.observe(*coordinator, comm.now());
  return {*worker.finished, !worker.running.empty(),
          coordinator ? coordinator->broken : std::string()};
}

}  // namespace moesweep::sweep
