#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include <moesweep/app/run/unlock.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>
#include <moesweep/engine/store/segment.hpp>

#include "events.hpp"

namespace moesweep::run {
namespace {

namespace fs = std::filesystem;

std::string name_in_run(const fs::path& file) {
  return (file.parent_path().filename() / file.filename()).string();
}

/// What events.jsonl remembers of one epoch.
struct Remembered {
  std::optional<store::EpochStart> start;
  std::optional<store::EpochEnd> end;
};

std::optional<store::EpochEnd> end_of(const nlohmann::json& event) {
  try {
    return store::EpochEnd{static_cast<ExitCode>(event.at("exit_code").get<int>()),
                           event.at("units_published").get<std::int64_t>(),
                           event.at("time").get<double>(), false};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::map<std::int32_t, Remembered> remembered_in(const Events& events) {
  std::map<std::int32_t, Remembered> epochs;
  for (const auto& event : events.whole) {
    const auto number = event.find("epoch");
    if (number == event.end() || !number->is_number_integer()) continue;
    auto& epoch = epochs[number->get<std::int32_t>()];
    if (event["event"] == "started" && event.contains("record")) {
      epoch.start = store::decode_start(event["record"].dump());
    } else if (event["event"] == "ended") {
      epoch.end = end_of(event);
    }
  }
  return epochs;
}

/// All that is left: the links, and what else remembers them.
struct Chain {
  store::RunDirectory run;
  std::vector<store::EpochLink> links;
  Events events;
  std::map<std::int32_t, Remembered> remembered;

  /// Of the link itself or of the events; nothing when both have lost it.
  std::optional<store::EpochStart> start_of(const store::EpochLink& link) const {
    if (link.start) return link.start;
    const auto found = remembered.find(link.epoch.value);
    return found == remembered.end() ? std::nullopt : found->second.start;
  }
  /// A damaged end was recorded all the same.
  bool has_ended(const store::EpochLink& link) const {
    return link.end.has_value() || !link.end_problem.empty();
  }
};

Chain read_chain(const fs::path& run_directory) {
  Chain chain{{run_directory}, {}, {}, {}};
  store::require_run_directory(chain.run);
  chain.links = store::look_at_epochs(chain.run.lock());
  chain.events = read_events(chain.run.events());
  chain.remembered = remembered_in(chain.events);
  return chain;
}

OwnerState state_of(const Chain& chain, const std::optional<store::EpochStart>& start) {
  if (chain.has_ended(chain.links.back())) return OwnerState::ended;
  if (!start) return OwnerState::unseen;
  switch (store::liveness_of(start->owner)) {
    case store::Liveness::alive:
      return OwnerState::alive;
    case store::Liveness::dead:
      return OwnerState::dead;
    case store::Liveness::unknown:
      break;
  }
  return OwnerState::unseen;
}

/// A start of which nothing is left, by another of the same sweep: what they share is equal, or the
/// start would have been refused. Who it was is not known.
std::optional<store::EpochStart> like_another(const Chain& chain, const store::EpochLink& lost) {
  std::optional<store::EpochStart> nearest;
  for (const auto& link : chain.links) {
    if (nearest && link.epoch > lost.epoch) break;
    if (auto start = chain.start_of(link)) nearest = std::move(start);
  }
  if (nearest) nearest->owner = {};
  return nearest;
}

void mend_start(const Chain& chain, const store::EpochLink& link, MendedLock& mended) {
  if (link.start) return;
  const auto file = store::start_file(chain.run.lock(), link.epoch);
  auto start = chain.start_of(link);
  const bool is_remembered = start.has_value();
  if (!start) start = like_another(chain, link);
  if (!start) {
    throw Error(
        ExitCode::run_directory, file.string(),
        link.start_problem + ", and neither events.jsonl nor another start tells what was in it",
        "start the sweep in a new --run-dir");
  }
  store::mend_start(chain.run.lock(), link.epoch, *start);
  mended.mended.push_back(fmt::format("{}: written again from {}", name_in_run(file),
                                      is_remembered ? "events.jsonl" : "another start"));
}

/// Of the segments that this epoch has published: those of others are not read.
std::int64_t units_published_in(const store::RunDirectory& run, Epoch epoch) {
  std::int64_t done = 0;
  for (const auto& file : names_in_folder(run.segments())) {
    const auto name = store::parse_segment_name(file);
    if (!name || name->epoch != epoch) continue;
    const auto bytes = store::read_verified(run.segments() / file);
    if (!bytes) continue;
    const auto units = store::decode_segment_units(*bytes, file);
    done +=
        std::ranges::count(units, "done", [](const auto& record) { return record.unit.status; });
  }
  return done;
}

store::EpochEnd end_by_unlock(const store::RunDirectory& run, Epoch epoch) {
  return {ExitCode::stopped_early, units_published_in(run, epoch), unix_time(), true};
}

void mend_end(const Chain& chain, const store::EpochLink& link, MendedLock& mended) {
  if (link.end_problem.empty()) return;
  const auto found = chain.remembered.find(link.epoch.value);
  const bool is_remembered = found != chain.remembered.end() && found->second.end;
  store::mend_end(chain.run.lock(), link.epoch,
                  is_remembered ? *found->second.end : end_by_unlock(chain.run, link.epoch));
  mended.mended.push_back(fmt::format("{}: written again{}",
                                      name_in_run(store::end_file(chain.run.lock(), link.epoch)),
                                      is_remembered ? " from events.jsonl" : ", as stopped early"));
}

void require_abandoned(const Chain& chain, bool take_over) {
  const auto& last = chain.links.back();
  if (chain.has_ended(last)) return;
  const auto start = chain.start_of(last);
  const auto owner = start ? start->owner : store::Owner();
  store::AcquireOptions options;
  options.take_over = take_over;
  if (!store::is_abandoned(chain.run.lock(), owner, store::this_process(), options)) {
    store::refuse_owned(chain.run.lock(), owner);
  }
}

}  // namespace

std::string owner_state_name(OwnerState state) {
  constexpr std::array names = {"ended", "alive", "dead", "not seen from here"};
  return names[static_cast<std::size_t>(state)];
}

LockView look_at_lock(const fs::path& run_directory) {
  const auto chain = read_chain(run_directory);
  LockView view;
  view.torn_events = chain.events.torn;
  if (chain.links.empty()) return view;
  for (const auto& link : chain.links) {
    const auto note = [&](const fs::path& file, const std::string& problem) {
      if (!problem.empty()) view.lost.push_back({link.epoch.value, name_in_run(file), problem});
    };
    note(store::start_file(chain.run.lock(), link.epoch), link.start_problem);
    note(store::end_file(chain.run.lock(), link.epoch), link.end_problem);
  }
  const auto& last = chain.links.back();
  if (auto problem = store::beat_problem(chain.run.lock()); !problem.empty()) {
    view.lost.push_back({last.epoch.value, "lock/beat", std::move(problem)});
  }
  view.epochs = last.epoch.value;
  const auto start = chain.start_of(last);
  view.owner_state = state_of(chain, start);
  if (last.end) view.exit_code = last.end->exit_code;
  if (const auto outlook = store::last_outlook(chain.run.lock(), last.epoch)) {
    view.last_beat = outlook->unix_time;
  }
  if (!start) return view;
  view.owner = start->owner;
  view.ranks = start->ranks;
  view.started = start->unix_time;
  return view;
}

MendedLock mend_lock(const fs::path& run_directory, bool take_over) {
  const auto chain = read_chain(run_directory);
  MendedLock mended;
  if (chain.links.empty()) return mended;
  require_abandoned(chain, take_over);
  if (const auto problem = store::beat_problem(chain.run.lock()); !problem.empty()) {
    store::mend_beat(chain.run.lock());
    mended.mended.push_back(fmt::format("lock/beat: {}, set aside as beat.damaged", problem));
  }
  for (const auto& link : chain.links) {
    mend_start(chain, link, mended);
    mend_end(chain, link, mended);
  }
  const auto& last = chain.links.back();
  if (!chain.has_ended(last)) {
    const auto end = end_by_unlock(chain.run, last.epoch);
    store::mend_end(chain.run.lock(), last.epoch, end);
    mended.end_recorded = true;
    mended.units_published = end.units_published;
  }
  if (!mended.mended.empty() || mended.end_recorded) {
    append_event(chain.run.events(), "unlocked",
                 {{"epoch", last.epoch.value},
                  {"by", store::describe(store::this_process())},
                  {"mended", mended.mended},
                  {"end_recorded", mended.end_recorded}});
  }
  return mended;
}

}  // namespace moesweep::run
