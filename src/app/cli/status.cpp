// `moesweep status RUN...`: from files alone, while running or after.

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include <moesweep/app/run/status.hpp>
#include <moesweep/core/base/text.hpp>

#include "command.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct StatusOptions {
  std::vector<std::string> run_directories;
  bool exit_code = false;
  bool watch = false;
};

double unix_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t left_of(const run::Status& status) {
  return status.units_total - status.units_done - status.units_failed;
}

Json starts_json(const run::Status& status) {
  auto starts = Json::array();
  for (const auto& start : status.starts) {
    starts.push_back({{"epoch", start.epoch},
                      {"ranks", start.ranks},
                      {"host", start.host},
                      {"slurm_job", start.slurm_job},
                      {"time", start.unix_time},
                      {"exit_code", nullptr}});
    if (start.exit_code) starts.back()["exit_code"] = static_cast<int>(*start.exit_code);
  }
  return starts;
}

Json to_json(const run::Status& status) {
  Json document = {{"state", run::run_state_name(status.state)},
                   {"exit_code", static_cast<int>(status.exit_code)},
                   {"units_total", status.units_total},
                   {"units_done", status.units_done},
                   {"units_failed", status.units_failed},
                   {"by_kind", Json::object()},
                   {"failures", Json::array()},
                   {"epochs", status.epochs},
                   {"abnormal_ends", status.abnormal_ends},
                   {"starts", starts_json(status)},
                   {"nodes_lost", status.nodes_lost},
                   {"owner", status.owner},
                   {"segments", status.segments},
                   {"segment_bytes", status.segment_bytes},
                   {"rotten_segments", status.rotten_segments},
                   {"lost_outputs", status.lost_outputs},
                   {"last_flush", Json::object()}};
  for (const auto& [kind, counts] : status.by_kind) {
    document["by_kind"][kind] = {{"done", counts.done}, {"failed", counts.failed}};
  }
  for (const auto& [key, error] : status.failures) {
    document["failures"].push_back({{"key", key}, {"error", error}});
  }
  for (const auto& [rank, time] : status.last_flush) {
    document["last_flush"][std::to_string(rank)] = time;
  }
  if (status.units_per_second) document["units_per_second"] = *status.units_per_second;
  if (status.eta_seconds) document["eta_seconds"] = *status.eta_seconds;
  if (status.eta_low_seconds) document["eta_low_seconds"] = *status.eta_low_seconds;
  if (status.eta_high_seconds) document["eta_high_seconds"] = *status.eta_high_seconds;
  return document;
}

bool is_aggregating(const run::Status& status) {
  return status.state == run::RunState::running && left_of(status) == 0;
}

std::string eta_text(const run::Status& status) {
  if (!status.eta_seconds) return "";
  auto text = format_duration(*status.eta_seconds);
  if (status.eta_low_seconds) {
    text += fmt::format(" ({} to {})", format_duration(*status.eta_low_seconds),
                        format_duration(*status.eta_high_seconds));
  }
  return text;
}

// "4, 3, 4": the ranks of each start, the last ones when there were many.
std::string ranks_text(const run::Status& status) {
  constexpr std::size_t most = 8;
  const auto& starts = status.starts;
  std::string text = starts.size() > most ? "..., " : "";
  for (auto i = starts.size() - std::min(most, starts.size()); i < starts.size(); ++i) {
    text += fmt::format("{}{}", starts[i].ranks, i + 1 < starts.size() ? ", " : "");
  }
  return text;
}

// The rank that has been silent longest tells when one hangs.
std::string flush_text(const run::Status& status) {
  constexpr std::size_t most = 8;
  std::vector<std::pair<double, std::int32_t>> by_age;
  for (const auto& [rank, time] : status.last_flush) by_age.emplace_back(unix_now() - time, rank);
  std::sort(by_age.rbegin(), by_age.rend());
  std::string text;
  for (std::size_t i = 0; i < std::min(most, by_age.size()); ++i) {
    text += fmt::format("{}rank {} {} ago", i == 0 ? "" : ", ", by_age[i].second,
                        format_duration(std::max(0.0, by_age[i].first)));
  }
  if (by_age.size() > most)
    text += fmt::format(", {} more lately",
                        format_count(static_cast<std::int64_t>(by_age.size() - most)));
  return text;
}

void print_starts(const run::Status& status) {
  if (status.starts.empty()) return;
  fmt::print("starts     {} ({} ended abnormally), ranks {}\n", status.epochs, status.abnormal_ends,
             ranks_text(status));
  for (const auto& node : status.nodes_lost) fmt::print("node lost  {}\n", printable(node));
}

void print_kinds(const run::Status& status) {
  if (status.by_kind.size() < 2) return;
  std::size_t widest = 0;
  for (const auto& [kind, counts] : status.by_kind) widest = std::max(widest, kind.size());
  for (const auto& [kind, counts] : status.by_kind) {
    fmt::print("  {:<{}}  {} done, {} failed\n", printable(kind), widest, format_count(counts.done),
               format_count(counts.failed));
  }
}

void print(const run::Status& status) {
  fmt::print("state      {} ({})\n", run::run_state_name(status.state), printable(status.owner));
  print_starts(status);
  fmt::print("units      {} done, {} failed, {} left of {}\n", format_count(status.units_done),
             format_count(status.units_failed), format_count(left_of(status)),
             format_count(status.units_total));
  print_kinds(status);
  fmt::print("segments   {} ({}), {} rotten\n", format_count(status.segments),
             format_size(status.segment_bytes), status.rotten_segments);
  if (status.units_per_second) fmt::print("rate       {:.2f} units/s\n", *status.units_per_second);
  if (is_aggregating(status))
    fmt::print("ETA        all units are done, results.h5 is being written\n");
  else if (status.eta_seconds)
    fmt::print("ETA        {}\n", eta_text(status));
  if (status.state == run::RunState::running && !status.last_flush.empty())
    fmt::print("last flush {}\n", flush_text(status));
  for (const auto& lost : status.lost_outputs) fmt::print("lost       {}\n", printable(lost));
  for (const auto& [key, error] : status.failures) {
    fmt::print("failed     {}: {}\n", printable(key), printable(error));
  }
}

void print_lines(const std::vector<std::string>& names, const std::vector<run::Status>& statuses) {
  TextTable table({"done", "failed", "of", "starts", "state", "ETA", "run"});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& status = statuses[i];
    table.add({format_count(status.units_done), format_count(status.units_failed),
               format_count(status.units_total), format_count(status.epochs),
               run::run_state_name(status.state), eta_text(status), printable(names[i])});
  }
  table.print();
}

std::vector<run::Status> read_all(const StatusOptions& options) {
  std::vector<run::Status> statuses;
  for (const auto& run : options.run_directories) statuses.push_back(run::read_status(run));
  return statuses;
}

void show(const StatusOptions& options, const std::vector<run::Status>& statuses,
          const Context& context) {
  if (context.quiet) return;
  if (context.json) {
    if (statuses.size() == 1) return print_json(to_json(statuses.front()));
    auto document = Json::object();
    for (std::size_t i = 0; i < statuses.size(); ++i)
      document[options.run_directories[i]] = to_json(statuses[i]);
    return print_json(document);
  }
  if (statuses.size() == 1)
    print(statuses.front());
  else
    print_lines(options.run_directories, statuses);
}

bool goes_on(const run::Status& status) {
  switch (status.state) {
    case run::RunState::complete:
    case run::RunState::some_failed:
    case run::RunState::broken:
    case run::RunState::damaged:
      return false;
    default:
      return status.exit_code != ExitCode::no_progress;
  }
}

// Looking costs reading all segments: never more than a tenth of the time.
std::vector<run::Status> watch(const StatusOptions& options, const Context& context) {
  constexpr std::chrono::seconds look_every(2);
  const bool on_terminal = ::isatty(STDOUT_FILENO) != 0;
  while (true) {
    const auto begin = Clock::now();
    auto statuses = read_all(options);
    const auto cost = Clock::now() - begin;
    if (on_terminal) fmt::print("\x1b[H\x1b[2J");
    show(options, statuses, context);
    std::fflush(stdout);
    if (std::none_of(statuses.begin(), statuses.end(), goes_on)) return statuses;
    std::this_thread::sleep_for(std::max<Clock::duration>(look_every, 9 * cost));
  }
}

void status(const StatusOptions& options, Context& context) {
  if (options.exit_code && options.run_directories.size() > 1) {
    throw Error(ExitCode::bad_usage, "--exit-code", "is about one run directory",
                fmt::format("ask about each of the {}", options.run_directories.size()));
  }
  std::vector<run::Status> statuses;
  if (options.watch) {
    statuses = watch(options, context);
  } else {
    statuses = read_all(options);
    show(options, statuses, context);
  }
  if (options.exit_code) context.exit_code = statuses.front().exit_code;
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "status", "State of sweeps, from their files");
  auto options = std::make_shared<StatusOptions>();
  command->add_option("RUN", options->run_directories, "Run directory; several print a line each")
      ->required();
  command->add_flag("--watch,-w", options->watch, "Look again until the sweep has ended");
  command->add_flag("--exit-code", options->exit_code,
                    "Exit with the code of the last end; 75 when it was not recorded");
  command->callback([options, &context] { status(*options, context); });
}

}  // namespace moesweep::cli
