// `moesweep unlock RUN`: says who holds a run directory, and mends the records of who did.

#include <chrono>
#include <memory>

#include <fmt/format.h>

#include <moesweep/app/run/unlock.hpp>
#include <moesweep/core/base/text.hpp>

#include "command.hpp"

namespace moesweep::cli {
namespace {

struct UnlockOptions {
  std::string run_directory;
  bool take_over = false;
};

double seconds_since(double unix_time) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::max(0.0, std::chrono::duration<double>(now).count() - unix_time);
}

Json to_json(const run::LockView& view) {
  auto lost = Json::array();
  for (const auto& record : view.lost) {
    lost.push_back({{"epoch", record.epoch}, {"file", record.file}, {"problem", record.problem}});
  }
  Json document = {{"epochs", view.epochs},
                   {"owner", run::owner_state_name(view.owner_state)},
                   {"host", view.owner.host},
                   {"pid", view.owner.pid},
                   {"slurm_job", view.owner.slurm_job},
                   {"ranks", view.ranks},
                   {"started", view.started},
                   {"last_beat", nullptr},
                   {"exit_code", nullptr},
                   {"torn_events", view.torn_events},
                   {"lost", std::move(lost)}};
  if (view.last_beat) document["last_beat"] = *view.last_beat;
  if (view.exit_code) document["exit_code"] = static_cast<int>(*view.exit_code);
  return document;
}

std::string owner_text(const run::LockView& view) {
  if (view.owner.host.empty()) return "not known any more";
  return fmt::format("{}, {} {}, started {} ago", store::describe(view.owner), view.ranks,
                     view.ranks == 1 ? "rank" : "ranks",
                     format_duration(seconds_since(view.started)));
}

std::string state_text(const run::LockView& view) {
  auto text = run::owner_state_name(view.owner_state);
  if (view.exit_code) text += fmt::format(" with code {}", static_cast<int>(*view.exit_code));
  if (view.owner_state == run::OwnerState::ended) return text;
  if (view.owner_state == run::OwnerState::dead) text += ", its end was not recorded";
  if (view.last_beat) {
    text += fmt::format(", last beat {} ago", format_duration(seconds_since(*view.last_beat)));
  }
  return text;
}

void print(const run::LockView& view) {
  if (view.epochs == 0) {
    fmt::print("starts     none\n");
    return;
  }
  fmt::print("starts     {}\n", format_count(view.epochs));
  fmt::print("owner      {}\n", printable(owner_text(view)));
  fmt::print("state      {}\n", state_text(view));
  for (const auto& record : view.lost)
    fmt::print("lost       {} {}\n", record.file, record.problem);
  if (view.torn_events > 0) {
    fmt::print("events     {} lines of events.jsonl are torn and were skipped\n",
               format_count(view.torn_events));
  }
}

void print(const run::MendedLock& mended) {
  for (const auto& line : mended.mended) fmt::print("mended     {}\n", line);
  if (mended.end_recorded) {
    fmt::print("ended      recorded as stopped early, {} units published\n",
               format_count(mended.units_published));
  }
  if (mended.mended.empty() && !mended.end_recorded) fmt::print("nothing to mend\n");
}

void unlock(const UnlockOptions& options, const Context& context) {
  const auto view = run::look_at_lock(options.run_directory);
  const bool is_text = !context.json && !context.quiet;
  if (is_text) {
    print(view);
    std::fflush(stdout);  // before a refusal on standard error, and a wait for a beat
  }
  const auto mended = run::mend_lock(options.run_directory, options.take_over);
  if (context.json) {
    auto document = to_json(view);
    document["mended"] = mended.mended;
    document["end_recorded"] = mended.end_recorded;
    document["units_published"] = mended.units_published;
    return print_json(document);
  }
  if (is_text) print(mended);
}

}  // namespace

void add_unlock(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "unlock",
                  "Say who holds a run directory; mend damaged records of starts and ends");
  auto options = std::make_shared<UnlockOptions>();
  command->add_option("RUN", options->run_directory, "Run directory")->required();
  command->add_flag("--take-over", options->take_over,
                    "The process that holds the run directory is dead");
  command->callback([options, &context] { unlock(*options, context); });
}

}  // namespace moesweep::cli
