#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <queue>
#include <unordered_set>
#include <utility>
#include <vector>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/engine/sweep/coordinator.hpp>
#include <moesweep/engine/sweep/simulate.hpp>
#include <moesweep/engine/sweep/worker.hpp>

#include "storage_model.hpp"

namespace moesweep::sweep {
namespace {

enum class Happening : std::uint8_t { message, block_read, block_computed, flush_due, published };

struct Event {
  double at = 0.0;
  std::uint64_t sequence = 0;  // of two at one time, the first that was scheduled
  Happening what = Happening::message;
  int rank = 0;
  UnitIndex unit = 0;
  std::size_t message = 0;  // in World::messages

  bool operator>(const Event& other) const {
    return at != other.at ? at > other.at : sequence > other.sequence;
  }
};

struct Posted {
  Rank from;
  comm::Bytes bytes;
};

// Time, and what is to happen in it.
class World {
 public:
  explicit World(const Machine& m) : machine(m), storage(m) {}

  void schedule(double at, Happening what, int rank, UnitIndex unit = 0) {
    events_.push({at, ++sequence_, what, rank, unit, 0});
  }
  void post(Rank from, Rank to, comm::Bytes bytes) {
    double arrives = now + (from == to ? 0.0 : machine.latency_seconds);
    if (to == comm::coordinator_rank) {
      coordinator_free_ = std::max(coordinator_free_, arrives) + machine.seconds_per_message;
      arrives = coordinator_free_;
    }
    std::size_t slot = messages_.size();
    if (free_slots_.empty()) {
      messages_.emplace_back();
    } else {
      slot = free_slots_.back();
      free_slots_.pop_back();
    }
    messages_[slot] = {from, std::move(bytes)};
    events_.push({arrives, ++sequence_, Happening::message, to.value, 0, slot});
  }
  Posted take(std::size_t slot) {
    free_slots_.push_back(slot);
    return std::move(messages_[slot]);
  }
  std::optional<Event> next() {
    if (events_.empty()) return std::nullopt;
    const auto event = events_.top();
    events_.pop();
    now = event.at;
    return event;
  }

  const Machine& machine;
  StorageModel storage;
  double now = 0.0;
  double computing_seconds = 0.0;  // of all threads
  std::int64_t segments = 0;

 private:
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t sequence_ = 0;
  double coordinator_free_ = 0.0;
  std::vector<Posted> messages_;
  std::vector<std::size_t> free_slots_;
};

class VirtualComm final : public comm::Comm {
 public:
  VirtualComm(World& world, int rank) : world_(world), rank_{rank} {}
  Rank rank() const override { return rank_; }
  int size() const override { return world_.machine.ranks; }
  void send(Rank to, comm::Bytes message) override { world_.post(rank_, to, std::move(message)); }
  void broadcast(const comm::Bytes& message) override {
    for (int to = 0; to < size(); ++to) send(Rank{to}, message);
  }
  // The simulation delivers.
  std::optional<comm::Envelope> receive() override { return std::nullopt; }
  double now() const override { return world_.now; }

 private:
  World& world_;
  Rank rank_;
};

class VirtualRunner final : public JobRunner {
 public:
  VirtualRunner(World& world, const Plan& plan, int rank)
      : world_(world), plan_(plan), rank_(rank) {}

  void start(UnitIndex unit) override {
    const auto& spec = plan_.unit(unit);
    files_.insert(spec.where.file);
    held_bytes_ += spec.cost.peak_bytes;
    peak_bytes_ = std::max(peak_bytes_, held_bytes_);
    const auto blocks = blocks_of(spec.cost, world_.machine);
    running_[unit] = {
        blocks, static_cast<double>(spec.cost.bytes_read) / static_cast<double>(blocks),
        compute_seconds(spec.cost, world_.machine) / static_cast<double>(blocks), world_.now};
    read_block(unit);
  }
  void block_read(UnitIndex unit) {
    const auto& running = running_.at(unit);
    world_.computing_seconds += running.seconds_of_block;
    world_.schedule(world_.now + running.seconds_of_block, Happening::block_computed, rank_, unit);
  }
  void block_computed(UnitIndex unit) {
    auto& running = running_.at(unit);
    if (--running.blocks_left > 0) return read_block(unit);
    const auto& cost = plan_.unit(unit).cost;
    finished_.push_back(
        {unit, {}, running.started, world_.now - running.started, cost.bytes_read, {}});
    held_bytes_ -= cost.peak_bytes;
    running_.erase(unit);
  }
  std::optional<Outcome> poll() override {
    if (finished_.empty()) return std::nullopt;
    auto first = std::move(finished_.front());
    finished_.pop_front();
    return first;
  }
  std::int64_t peak_bytes() const { return peak_bytes_; }
  std::size_t files() const { return files_.size(); }

 private:
  struct Running {
    std::int64_t blocks_left = 0;
    double bytes_of_block = 0.0;
    double seconds_of_block = 0.0;
    double started = 0.0;
  };
  void read_block(UnitIndex unit) {
    const auto node = static_cast<std::size_t>(rank_ / world_.machine.ranks_per_node);
    const auto at = world_.storage.read(node, running_.at(unit).bytes_of_block, world_.now);
    world_.schedule(at, Happening::block_read, rank_, unit);
  }

  World& world_;
  const Plan& plan_;
  int rank_;
  std::unordered_map<UnitIndex, Running> running_;
  std::deque<Outcome> finished_;
  std::unordered_set<std::uint32_t> files_;
  std::int64_t held_bytes_ = 0;
  std::int64_t peak_bytes_ = 0;
};

// One I/O thread: a segment after the other.
class VirtualSink final : public ResultSink {
 public:
  VirtualSink(World& world, int rank) : world_(world), rank_(rank) {}

  void put(Outcome outcome) override {
    if (waiting_.empty()) {
      oldest_waiting_ = world_.now;
      world_.schedule(world_.now + world_.machine.flush_seconds, Happening::flush_due, rank_);
    }
    waiting_.push_back(outcome.unit);
  }
  void flush() override {
    flush_asked_ = true;
    publish();
  }
  // Also reached by intervals whose units were flushed earlier.
  void flush_due() {
    if (!waiting_.empty() && world_.now >= oldest_waiting_ + world_.machine.flush_seconds) flush();
  }
  void segment_published() {
    published_.push_back({"segment", std::exchange(writing_, {})});
    if (flush_asked_) publish();
  }
  std::optional<Published> poll() override {
    if (published_.empty()) return std::nullopt;
    auto first = std::move(published_.front());
    published_.pop_front();
    return first;
  }

 private:
  void publish() {
    if (!writing_.empty() || waiting_.empty()) return;
    flush_asked_ = false;
    writing_ = std::exchange(waiting_, {});
    ++world_.segments;
    world_.schedule(world_.now + world_.machine.publish_seconds, Happening::published, rank_);
  }

  World& world_;
  int rank_;
  std::vector<UnitIndex> waiting_;
  std::vector<UnitIndex> writing_;
  std::deque<Published> published_;
  double oldest_waiting_ = 0.0;
  bool flush_asked_ = false;
};

struct VirtualRank {
  VirtualRank(World& world, const Plan& plan, int rank)
      : comm(world, rank),
        runner(world, plan, rank),
        sink(world, rank),
        worker(start_worker(plan, {world.machine.threads, world.machine.memory_bytes, {}, {}, 0.0},
                            comm)) {}
  VirtualComm comm;
  VirtualRunner runner;
  VirtualSink sink;
  WorkerState worker;
};

class Simulation {
 public:
  Simulation(const Plan& plan, const Machine& machine)
      : world_(machine), coordinator_(start(plan, machine.ranks, {}, {}, 0.0)) {
    for (int rank = 0; rank < machine.ranks; ++rank) {
      ranks_.push_back(std::make_unique<VirtualRank>(world_, plan, rank));
    }
  }

  Forecast run(Forecast out) {
    while (!is_over(coordinator_)) {
      const auto event = world_.next();
      expect(event.has_value(), "the sweep waits for something that never happens");
      handle(*event);
    }
    const auto& machine = world_.machine;
    out.exit_code = coordinator_.exit_code;
    out.makespan_seconds = world_.now;
    const double cores = static_cast<double>(machine.ranks) * machine.threads;
    out.utilisation = world_.computing_seconds / (cores * world_.now);
    for (const auto& rank : ranks_) {
      out.peak_bytes = std::max(out.peak_bytes, rank->runner.peak_bytes());
      out.file_opens += checked_cast<std::int64_t>(rank->runner.files());
    }
    out.messages = messages_;
    out.segments = world_.segments;
    return out;
  }

 private:
  void handle(const Event& event) {
    auto& rank = *ranks_[static_cast<std::size_t>(event.rank)];
    switch (event.what) {
      case Happening::message:
        deliver(rank, world_.take(event.message));
        break;
      case Happening::block_read:
        return rank.runner.block_read(event.unit);
      case Happening::block_computed:
        rank.runner.block_computed(event.unit);
        break;
      case Happening::flush_due:
        rank.sink.flush_due();
        break;
      case Happening::published:
        rank.sink.segment_published();
        break;
    }
    step(rank.worker, rank.comm, rank.runner, rank.sink, world_.now);
  }

  void deliver(VirtualRank& rank, const Posted& posted) {
    const auto message = decode(posted.bytes);
    if (is_for_worker(message)) return on_message(rank.worker, rank.comm, message);
    ++messages_;
    on_message(coordinator_, rank.comm, posted.from, message);
  }

  World world_;
  CoordinatorState coordinator_;
  std::vector<std::unique_ptr<VirtualRank>> ranks_;
  std::int64_t messages_ = 0;
};

void require_sound(const Machine& m) {
  expect(m.ranks > 0 && m.ranks_per_node > 0 && m.threads > 0, "a machine without cores");
  expect(m.node_bytes_per_second > 0.0 && m.total_bytes_per_second > 0.0 &&
             m.estimate_bytes_per_second > 0.0 && m.read_block_bytes > 0,
         "a machine that cannot read");
  expect(m.latency_seconds >= 0.0 && m.seconds_per_message >= 0.0 && m.flush_seconds >= 0.0 &&
             m.publish_seconds >= 0.0,
         "a machine that acts before it is asked");
}

}  // namespace

Forecast bounds(const Plan& plan, const Machine& machine) {
  require_sound(machine);
  const double total = machine.total_bytes_per_second;
  const double node = std::min(machine.node_bytes_per_second, total);
  const int nodes = (machine.ranks + machine.ranks_per_node - 1) / machine.ranks_per_node;
  Forecast out;
  double seconds = 0.0;
  double bytes = 0.0;
  for (UnitIndex unit = 0; unit < plan.size(); ++unit) {
    const auto& cost = plan.unit(unit).cost;
    const double alone =
        compute_seconds(cost, machine) + static_cast<double>(cost.bytes_read) / node;
    seconds += alone;
    bytes += static_cast<double>(cost.bytes_read);
    if (out.longest_unit && alone <= out.longest_seconds) continue;
    out.longest_unit = unit;
    out.longest_seconds = alone;
  }
  out.work_seconds = seconds / machine.ranks / machine.threads;
  out.storage_seconds = bytes / std::min(total, node * nodes);
  out.lower_bound_seconds = std::max({out.work_seconds, out.storage_seconds, out.longest_seconds});
  return out;
}

Forecast simulate(const Plan& plan, const Machine& machine) {
  auto limits = bounds(plan, machine);
  return Simulation(plan, machine).run(limits);
}

}  // namespace moesweep::sweep
