#include "core.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <moesweep/core/base/cast.hpp>

#include "relaxed_change.hpp"

namespace moesweep::allocation {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Some modules are decided, the others are as in the relaxed optimum. Bytes and error are
/// differences to it.
struct State {
  std::int64_t bytes = 0;
  double error = 0.0;
  std::uint32_t parent = 0;  ///< index in the stage before
  std::uint32_t choice = 0;  ///< of the module decided last
};

/// The best allocation so far: a state with the undecided modules as in the relaxed optimum.
struct Best {
  double error = infinity;
  std::size_t stage = 0;  ///< 0: the incumbent
  State state;
};

/// Undecided modules with more than one choice, those first with a step next to the slope where
/// the relaxation stopped.
std::vector<std::size_t> order_of_decisions(std::span<const std::vector<std::size_t>> efficient,
                                            const Relaxed& relaxed) {
  const double slope = relaxed.left.front().slope;
  std::vector<double> distance(efficient.size(), infinity);
  for (const auto steps : {relaxed.taken, relaxed.left}) {
    for (const auto& step : steps) {
      auto& nearest = distance[step.module];
      nearest = std::min(nearest, std::abs(step.slope - slope));
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < efficient.size(); ++i) {
    if (efficient[i].size() > 1) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return distance[a] < distance[b]; });
  return order;
}

/// Sorts by bytes and keeps what is better than everything smaller.
void drop_dominated(std::vector<State>& states) {
  std::sort(states.begin(), states.end(), [](const State& a, const State& b) {
    return std::tie(a.bytes, a.error, a.parent, a.choice) <
           std::tie(b.bytes, b.error, b.parent, b.choice);
  });
  double least = infinity;
  std::erase_if(states, [&](const State& state) {
    if (state.error >= least) return true;
    least = state.error;
    return false;
  });
}

class Search {
 public:
  Search(std::span<const Module> modules, std::span<const std::vector<std::size_t>> efficient,
         const Relaxed& relaxed, const SearchLimit& limit)
      : modules_(modules),
        efficient_(efficient),
        relaxed_(relaxed),
        limit_(limit),
        order_(order_of_decisions(efficient, relaxed)),
        decided_(modules.size(), false),
        stages_{{State{}}} {}

  Repaired run(const std::vector<std::size_t>& incumbent) {
    best_.error = 0.0;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      const auto& choices = modules_[i].choices;
      best_.error += choices[incumbent[i]].error - choices[relaxed_.chosen[i]].error;
    }
    bool within_limit = true;
    for (const auto module : order_) {
      if (stages_.back().empty()) break;
      within_limit = decide(module);
      if (!within_limit) break;
    }
    return {best_.stage == 0 ? incumbent : chosen_by_best(), within_limit};
  }

 private:
  /// False when that would go beyond the limit.
  bool decide(std::size_t module) {
    const auto& before = stages_.back();
    made_ += checked_cast<std::int64_t>(before.size() * efficient_[module].size());
    if (made_ > limit_.states_made) return false;
    decided_[module] = true;
    const auto rest = change_of_rest(module);
    std::vector<State> after;
    for (const auto choice : efficient_[module]) extend(before, module, choice, rest, after);
    drop_dominated(after);
    note_best(after);
    // What was let in before a better one was found.
    std::erase_if(after, [&](const State& state) { return !is_promising(state, rest); });
    kept_ += checked_cast<std::int64_t>(after.size());
    if (kept_ > limit_.states_kept) return false;
    stages_.push_back(std::move(after));
    return true;
  }

  RelaxedChange change_of_rest(std::size_t module) const {
    const auto& states = stages_.back();
    const auto& choices = modules_[module].choices;
    const auto spread =
        choices[efficient_[module].back()].bytes - choices[efficient_[module].front()].bytes;
    const auto reach = relaxed_.slack + spread +
                       std::max(std::abs(states.front().bytes), std::abs(states.back().bytes));
    return {relaxed_.taken, relaxed_.left, decided_, reach};
  }

  bool is_promising(const State& state, const RelaxedChange& rest) const {
    return state.error + rest.least_added_error(relaxed_.slack - state.bytes) < best_.error;
  }

  void extend(const std::vector<State>& before, std::size_t module, std::size_t choice,
              const RelaxedChange& rest, std::vector<State>& after) const {
    const auto& choices = modules_[module].choices;
    const auto& now = choices[relaxed_.chosen[module]];
    const auto bytes = choices[choice].bytes - now.bytes;
    const auto error = choices[choice].error - now.error;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const State state{before[i].bytes + bytes, before[i].error + error,
                        checked_cast<std::uint32_t>(i), checked_cast<std::uint32_t>(choice)};
      if (is_promising(state, rest)) after.push_back(state);
    }
  }

  /// States that fit are allocations: the undecided modules stay as in the relaxed optimum. The
  /// last that fits has the least error.
  void note_best(const std::vector<State>& states) {
    const auto beyond = std::upper_bound(
        states.begin(), states.end(), relaxed_.slack,
        [](std::int64_t slack, const State& state) { return slack < state.bytes; });
    if (beyond == states.begin()) return;
    const auto& state = *std::prev(beyond);
    if (state.error >= best_.error) return;
    best_ = {state.error, stages_.size(), state};
  }

  std::vector<std::size_t> chosen_by_best() const {
    auto chosen = relaxed_.chosen;
    auto state = best_.state;
    for (auto stage = best_.stage; stage > 0; --stage) {
      chosen[order_[stage - 1]] = state.choice;
      state = stages_[stage - 1][state.parent];
    }
    return chosen;
  }

  std::span<const Module> modules_;
  std::span<const std::vector<std::size_t>> efficient_;
  const Relaxed& relaxed_;
  const SearchLimit& limit_;
  std::vector<std::size_t> order_;
  std::vector<bool> decided_;
  std::vector<std::vector<State>> stages_;  ///< after 0, 1, ... decisions
  Best best_;
  std::int64_t made_ = 0;
  std::int64_t kept_ = 0;
};

}  // namespace

Repaired repair(std::span<const Module> modules,
                std::span<const std::vector<std::size_t>> efficient, const Relaxed& relaxed,
                const std::vector<std::size_t>& incumbent, const SearchLimit& limit) {
  return Search(modules, efficient, relaxed, limit).run(incumbent);
}

}  // namespace moesweep::allocation
