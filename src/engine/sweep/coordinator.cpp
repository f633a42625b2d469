#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/engine/sweep/coordinator.hpp>

namespace moesweep::sweep {
namespace {

// A rank holds at most this much work beyond what its threads run, so that a slow rank cannot sit
// on it.
constexpr double max_lookahead_seconds = 10.0;

// Twice the threads that can finish the stage while its longest unit runs: more would not end it
// earlier, but take storage bandwidth from that unit. The factor allows for estimates that are off.
constexpr double useful_threads_margin = 2.0;

constexpr double z_of_90_percent = 1.645;

double estimate(const CoordinatorState& state, UnitIndex unit) {
  return state.plan->unit(unit).cost.seconds_estimate;
}

// Ranks that have not greeted yet are taken to be like the largest that has: the first one must not
// get their share.
std::int64_t total_threads(const CoordinatorState& state) {
  std::int64_t threads = 0;
  std::int64_t largest = 1;
  std::int64_t missing = 0;
  for (const auto& rank : state.ranks) {
    threads += rank.threads;
    largest = std::max<std::int64_t>(largest, rank.threads);
    missing += rank.greeted ? 0 : 1;
  }
  return threads + missing * largest;
}

struct RunningUnits {
  double sum = 0.0;      // seconds that they take, as foretold
  double longest = 0.0;  // mean of the rank with the longest
};

RunningUnits running_seconds(const CoordinatorState& state) {
  RunningUnits running;
  const double ratio = state.costs.ratio();
  for (const auto& rank : state.ranks) {
    if (rank.units_outstanding == 0) continue;
    const auto outstanding = static_cast<double>(rank.units_outstanding);
    const double mean = ratio * rank.seconds_outstanding / outstanding;
    running.sum += mean * std::min(outstanding, static_cast<double>(rank.threads));
    running.longest = std::max(running.longest, mean);
  }
  return running;
}

// Threads also wait: for bytes, for messages, for each other.
double busy_share(const CoordinatorState& state, double threads, double running_so_far,
                  double elapsed_seconds) {
  constexpr double least = 0.2;  // early, before much is known
  const double busy = state.costs.measured_seconds() + running_so_far;
  return elapsed_seconds > 0.0 ? std::clamp(busy / (threads * elapsed_seconds), least, 1.0) : 1.0;
}

bool is_settled(UnitState unit) {
  return unit == UnitState::done || unit == UnitState::failed;
}

struct QueueEntry {
  double seconds;
  std::uint32_t file;
  std::uint64_t offset;
  UnitIndex unit;
  auto order() const { return std::tuple(-seconds, file, offset, unit); }
};

// Units in the order to be handed out, sorted apart from the plan: its units are large.
std::vector<QueueEntry> waiting_units(const CoordinatorState& state) {
  const auto& units = state.plan->stages()[state.stage].units;
  const auto first = state.plan->first_of(state.stage);
  std::vector<QueueEntry> entries;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto unit = first + checked_cast<UnitIndex>(i);
    if (state.units[unit] != UnitState::waiting) continue;
    entries.push_back(
        {units[i].cost.seconds_estimate, units[i].where.file, units[i].where.offset, unit});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.order() < b.order(); });
  return entries;
}

void open_stage(CoordinatorState& state) {
  const auto first = state.plan->first_of(state.stage);
  const auto last = state.plan->first_of(state.stage + 1);
  state.stage_open = 0;
  for (auto unit = first; unit < last; ++unit)
    state.stage_open += is_settled(state.units[unit]) ? 0 : 1;
  state.queue.clear();
  state.queue_next = 0;
  state.queue_seconds = 0.0;
  state.queue_empty_sent = false;
  const auto waiting = waiting_units(state);
  for (const auto& entry : waiting) {
    state.queue.push_back(entry.unit);
    state.queue_seconds += entry.seconds;
  }
  const double longest = waiting.empty() ? 0.0 : waiting.front().seconds;
  state.useful_threads = static_cast<double>(waiting.size());
  if (longest > 0.0) {
    state.useful_threads =
        std::min(state.useful_threads, useful_threads_margin * state.queue_seconds / longest);
  }
  // Units that rank 0 only reports as failed must not cost it a share.
  state.useful_threads += static_cast<double>(state.ranks[0].units_outstanding);
}

bool all_stages_closed(const CoordinatorState& state) {
  return state.stage == state.plan->stages().size();
}

// How much a rank may hold: its threads busy, plus a share of what is left that shrinks with it.
// Where not all threads are useful the units are spread over all ranks, since each rank has memory
// and a link of its own.
bool wants_more(const CoordinatorState& state, const RankState& rank, double all_threads) {
  const double busy_share = state.useful_threads / all_threads;
  if (busy_share < 1.0) {
    return static_cast<double>(rank.units_outstanding) < busy_share * rank.threads;
  }
  if (rank.units_outstanding < rank.threads) return true;
  const double share = state.queue_seconds / (2.0 * all_threads) * rank.threads;
  return rank.seconds_outstanding < std::min(share, max_lookahead_seconds * rank.threads);
}

void hand_out(CoordinatorState& state, comm::Comm& comm, Rank to) {
  auto& rank = state.ranks[static_cast<std::size_t>(to.value)];
  if (!rank.greeted || state.stop != Stop::none) return;
  const auto all_threads = static_cast<double>(total_threads(state));
  Work work;
  while (state.queue_next < state.queue.size() && wants_more(state, rank, all_threads)) {
    const auto unit = state.queue[state.queue_next++];
    const double seconds = estimate(state, unit);
    state.units[unit] = UnitState::assigned;
    state.queue_seconds -= seconds;
    ++rank.units_outstanding;
    rank.seconds_outstanding += seconds;
    work.units.push_back(unit);
  }
  if (!work.units.empty()) comm.send(to, encode(work));
}

void announce_empty_queue(CoordinatorState& state, comm::Comm& comm) {
  if (state.queue_empty_sent || state.queue_next < state.queue.size()) return;
  state.queue_empty_sent = true;
  comm.broadcast(encode(QueueEmpty{}));
}

void drop_assignment(CoordinatorState& state, Rank from, UnitIndex unit) {
  auto& rank = state.ranks[static_cast<std::size_t>(from.value)];
  --rank.units_outstanding;
  rank.seconds_outstanding =
      rank.units_outstanding == 0 ? 0.0 : rank.seconds_outstanding - estimate(state, unit);
}

ExitCode end_of(const CoordinatorState& state) {
  if (!state.broken.empty()) return state.exit_code;
  if (state.done + state.failed < checked_cast<std::int64_t>(state.plan->size())) {
    return ExitCode::stopped_early;
  }
  return state.failed > 0 ? ExitCode::some_failed : ExitCode::complete;
}

// Closes finished stages, opens the next, and ends the sweep when nothing is left to do. `from` is
// the rank whose message made this necessary: only its share has changed, unless a stage opened.
void advance(CoordinatorState& state, comm::Comm& comm, Rank from) {
  if (state.finish_sent) return;
  const auto stage_before = state.stage;
  while (state.stop == Stop::none && !all_stages_closed(state) && state.stage_open == 0) {
    // A barrier: what a deadline made ranks decline would be missing in later stages.
    if (state.declined > 0) break;
    ++state.stage;
    if (!all_stages_closed(state)) open_stage(state);
  }
  if (state.stop == Stop::none && (all_stages_closed(state) || state.stage_open == 0)) {
    request_stop(state, comm, Stop::drain);
    return;
  }
  if (state.stop == Stop::none) {
    if (state.stage == stage_before) {
      hand_out(state, comm, from);
    } else {
      for (int rank = 0; rank < comm.size(); ++rank) hand_out(state, comm, Rank{rank});
    }
    announce_empty_queue(state, comm);
    return;
  }
  const bool all_drained = std::all_of(state.ranks.begin(), state.ranks.end(),
                                       [](const RankState& rank) { return rank.drained; });
  if (!all_drained) return;
  state.exit_code = end_of(state);
  state.finish_sent = true;
  comm.broadcast(encode(Finish{state.exit_code}));
}

void on(CoordinatorState& state, Rank from, const Hello& hello) {
  auto& rank = state.ranks[static_cast<std::size_t>(from.value)];
  rank.greeted = true;
  rank.threads = hello.threads;
  rank.host = hello.host;
}

void on(CoordinatorState& state, Rank from, const Computed& computed) {
  auto& unit = state.units[computed.unit];
  expect(unit == UnitState::assigned, "a unit was computed that was not assigned");
  unit = computed.failed ? UnitState::computed_failed : UnitState::computed;
  drop_assignment(state, from, computed.unit);
  ++state.computed;
  state.bytes_read += computed.bytes_read;
  state.costs.settle_unit(state.plan->unit(computed.unit).cost,
                          computed.failed ? std::nullopt : std::optional(computed.seconds));
}

void on(CoordinatorState& state, const Durable& durable, RankState& rank, double now) {
  rank.last_durable = now;
  for (const auto index : durable.units) {
    auto& unit = state.units[index];
    const bool failed = unit == UnitState::computed_failed;
    expect(failed || unit == UnitState::computed, "a unit was published that was not computed");
    unit = failed ? UnitState::failed : UnitState::done;
    ++(failed ? state.failed : state.done);
    --state.computed;
    // Rank 0 reports failures without a run ahead of their stage.
    if (state.plan->stage_of(index) == state.stage) --state.stage_open;
  }
}

void on(CoordinatorState& state, Rank from, const HandedBack& back) {
  for (const auto unit : back.units) {
    expect(state.units[unit] == UnitState::assigned,
           "a unit was handed back that was not assigned");
    drop_assignment(state, from, unit);
    state.units[unit] = UnitState::waiting;
    if (state.stop == Stop::none) {
      ++state.declined;
      --state.stage_open;
    }
  }
}

void on(CoordinatorState& state, comm::Comm& comm, const Broken& broken) {
  if (state.broken.empty()) {
    state.broken = broken.error;
    state.exit_code = broken.exit_code;
  }
  request_stop(state, comm, Stop::leave);
}

}  // namespace

CoordinatorState start(const Plan& plan, int ranks, const std::unordered_set<UnitId>& done,
                       const std::unordered_set<UnitId>& failed_by_rank0, double now) {
  CoordinatorState state;
  state.plan = &plan;
  state.ranks.resize(checked_cast<std::size_t>(ranks));
  state.units.resize(plan.size(), UnitState::waiting);
  state.started = now;
  for (UnitIndex unit = 0; unit < plan.size(); ++unit) {
    const auto id = plan.unit(unit).id;
    if (done.contains(id)) {
      state.units[unit] = UnitState::done;
      ++state.done_before;
      continue;
    }
    state.costs.expect_unit(plan.unit(unit).cost);
    if (failed_by_rank0.contains(id)) {
      state.units[unit] = UnitState::assigned;
      ++state.ranks[0].units_outstanding;
      state.ranks[0].seconds_outstanding += plan.unit(unit).cost.seconds_estimate;
    }
  }
  state.done = state.done_before;
  if (!plan.stages().empty()) open_stage(state);
  return state;
}

void on_message(CoordinatorState& state, comm::Comm& comm, Rank from, const Message& message) {
  auto& rank = state.ranks[static_cast<std::size_t>(from.value)];
  if (const auto* hello = std::get_if<Hello>(&message))
    on(state, from, *hello);
  else if (const auto* computed = std::get_if<Computed>(&message))
    on(state, from, *computed);
  else if (const auto* durable = std::get_if<Durable>(&message))
    on(state, *durable, rank, comm.now());
  else if (const auto* back = std::get_if<HandedBack>(&message))
    on(state, from, *back);
  else if (const auto* broken = std::get_if<Broken>(&message))
    on(state, comm, *broken);
  else if (const auto* stop = std::get_if<StopRequested>(&message))
    request_stop(state, comm, stop->leave_now ? Stop::leave : Stop::drain);
  else if (std::holds_alternative<Drained>(message))
    rank.drained = true;
  else if (std::holds_alternative<Goodbye>(message))
    rank.gone = true;
  else
    bug("the coordinator received a worker's message");
  advance(state, comm, from);
}

void request_stop(CoordinatorState& state, comm::Comm& comm, Stop stop) {
  if (stop <= state.stop || state.finish_sent) return;
  state.stop = stop;
  // A rank that had drained answers again: Leave may find work that Drain was waiting for.
  for (auto& rank : state.ranks) rank.drained = false;
  if (stop == Stop::drain)
    comm.broadcast(encode(Drain{}));
  else
    comm.broadcast(encode(Leave{}));
}

bool is_over(const CoordinatorState& state) {
  return std::all_of(state.ranks.begin(), state.ranks.end(),
                     [](const RankState& rank) { return rank.gone; });
}

Progress progress(const CoordinatorState& state, double now) {
  Progress out;
  out.total = checked_cast<std::int64_t>(state.plan->size());
  out.done = state.done;
  out.failed = state.failed;
  out.computed = state.computed;
  out.elapsed_seconds = now - state.started;
  if (!state.costs.has_learnt()) return out;
  const auto running = running_seconds(state);
  const auto left = state.costs.left();
  const double threads = static_cast<double>(total_threads(state));
  // On average a running unit is half done.
  const double pace = threads * busy_share(state, threads, 0.5 * running.sum, out.elapsed_seconds);
  const double eta = std::max(0.0, left.expected - 0.5 * running.sum) / pace;
  const double margin = z_of_90_percent * left.standard_error / pace;
  out.eta_seconds = eta;
  out.eta_low_seconds = std::max(0.0, eta - margin);
  out.eta_high_seconds = eta + margin + running.longest;
  return out;
}

}  // namespace moesweep::sweep
