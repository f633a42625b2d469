// `moesweep plan JOB`: what a sweep will do and cost, from headers alone; with a cluster or several
// ranks, simulated.

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/engine/capacity/cluster.hpp>
#include <moesweep/engine/capacity/machine.hpp>
#include <moesweep/engine/capacity/rates.hpp>

#include "command.hpp"
#include "forecast.hpp"
#include "text_table.hpp"

namespace moesweep::cli {
namespace {

struct PlanOptions {
  std::string job;
  std::string cluster;
  std::vector<std::string> overrides;
  int ranks = 0;    ///< 0: those of the cluster, else 1
  int threads = 0;  ///< 0: those of a task of the cluster, else what `run` would use here
  std::vector<int> sweep;
  bool units = false;

  bool simulates() const { return !cluster.empty() || ranks > 1 || !sweep.empty(); }
};

struct Totals {
  std::int64_t units = 0, bytes_read = 0, flops = 0, peak_bytes = 0;
  double seconds = 0.0, longest_seconds = 0.0;
  const sweep::UnitSpec* longest = nullptr;
  const sweep::UnitSpec* largest = nullptr;
};

Totals totals_of(const sweep::Plan& plan) {
  Totals out;
  for (const auto& stage : plan.stages()) {
    for (const auto& unit : stage.units) {
      ++out.units;
      out.bytes_read += unit.cost.bytes_read;
      out.flops += unit.cost.flops;
      out.seconds += unit.cost.seconds_estimate;
      if (out.longest == nullptr || unit.cost.seconds_estimate > out.longest_seconds) {
        out.longest_seconds = unit.cost.seconds_estimate;
        out.longest = &unit;
      }
      if (out.largest == nullptr || unit.cost.peak_bytes > out.peak_bytes) {
        out.peak_bytes = unit.cost.peak_bytes;
        out.largest = &unit;
      }
    }
  }
  return out;
}

/// On one rank without a profile: units spread evenly over its threads, but never shorter than the
/// longest unit.
double makespan_seconds(const Totals& totals, const sweep::Machine& machine) {
  return std::max(totals.longest_seconds, totals.seconds / machine.threads);
}

Json to_json(const jobs::Job& job, const Totals& totals, const PlanOptions& options,
             const sweep::Machine& machine, const std::string& memory_source) {
  Json document = {{"name", job.settings.text("name")},
                   {"fingerprint", job.fingerprint.hex()},
                   {"units", totals.units},
                   {"bytes_read", totals.bytes_read},
                   {"flops", totals.flops},
                   {"peak_bytes_of_a_unit", totals.peak_bytes},
                   {"core_seconds_estimate", totals.seconds},
                   {"memory_bytes_of_a_rank", machine.memory_bytes},
                   {"memory_of_a_rank_from", memory_source},
                   {"rates", options.cluster.empty() ? "default" : options.cluster},
                   {"longest_unit", totals.longest == nullptr ? "" : totals.longest->key}};
  if (!options.simulates()) {
    document["makespan_seconds_estimate"] = makespan_seconds(totals, machine);
    document["ranks"] = 1;
    document["threads"] = machine.threads;
  }
  if (!options.units) return document;
  for (const auto& stage : job.plan.stages()) {
    for (const auto& unit : stage.units) {
      document["unit_list"].push_back({{"stage", stage.name},
                                       {"key", unit.key},
                                       {"id", fmt::format("{:016x}", unit.id.value)},
                                       {"bytes_read", unit.cost.bytes_read},
                                       {"flops", unit.cost.flops},
                                       {"peak_bytes", unit.cost.peak_bytes},
                                       {"seconds_estimate", unit.cost.seconds_estimate}});
    }
  }
  return document;
}

/// What `run` would use, and how fast that is taken to be.
std::string assumptions(const PlanOptions& options, const sweep::Machine& machine,
                        const std::string& memory_source) {
  if (!options.cluster.empty()) {
    return fmt::format("ranks, memory and rates of {}", printable(options.cluster));
  }
  return fmt::format(
      "{} of memory a rank, as `run` here: {}; cautious default rates (doctor --calibrate "
      "measures)",
      format_size(machine.memory_bytes), printable(memory_source));
}

void print_units(const sweep::Plan& plan) {
  TextTable table({"bytes", "Gflop", "peak", "seconds", "unit"});
  for (const auto& stage : plan.stages()) {
    for (const auto& unit : stage.units) {
      table.add({format_size(unit.cost.bytes_read),
                 fmt::format("{:.3f}", static_cast<double>(unit.cost.flops) * 1e-9),
                 format_size(unit.cost.peak_bytes),
                 fmt::format("{:.3f}", unit.cost.seconds_estimate), unit.key});
    }
  }
  table.print();
}

void print_totals(const jobs::Job& job, const Totals& totals, const PlanOptions& options,
                  const sweep::Machine& machine, const std::string& memory_source) {
  fmt::print("job            {} ({})\n", printable(job.settings.text("name")),
             job.fingerprint.hex());
  fmt::print("units          {}\n", format_count(totals.units));
  fmt::print("bytes read     {}\n", format_size(totals.bytes_read));
  fmt::print("arithmetic     {:.4g} Gflop\n", static_cast<double>(totals.flops) * 1e-9);
  if (totals.largest == nullptr) return;
  fmt::print("peak memory    {} ({})\n", format_size(totals.peak_bytes),
             printable(totals.largest->key));
  fmt::print("longest unit   {} ({})\n", format_duration(totals.longest_seconds),
             printable(totals.longest->key));
  fmt::print("core time      {}\n", format_duration(totals.seconds));
  if (!options.simulates()) {
    fmt::print("estimate       {} on 1 rank x {} threads\n",
               format_duration(makespan_seconds(totals, machine)), machine.threads);
  }
  fmt::print("assumed        {}\n", assumptions(options, machine, memory_source));
}

void plan(const PlanOptions& options, const Context& context) {
  capacity::Rates rates;
  std::optional<config::Settings> cluster;
  if (!options.cluster.empty()) {
    cluster = capacity::load_cluster(options.cluster);
    rates = capacity::rates_from(*cluster);
  }
  const auto job = jobs::prepare_job(jobs::load_job(options.job, options.overrides), rates);
  const ForecastOptions forecast{cluster ? &*cluster : nullptr, options.ranks, options.threads};
  for (const auto& warning : job.kind->warnings()) spdlog::warn("{}", printable(warning));
  const auto machine = capacity::machine_from(forecast.cluster, job.settings, 1, options.threads);
  const auto decides = capacity::memory_source(forecast.cluster, job.settings);
  jobs::require_memory(job.plan, machine.memory_bytes, decides);
  const auto memory_source = decides.empty() ? std::string("resources.memory") : decides;
  const auto totals = totals_of(job.plan);
  if (context.json) {
    auto document = to_json(job, totals, options, machine, memory_source);
    if (!options.sweep.empty())
      document["scaling"] = scaling_json(job, forecast, options.sweep);
    else if (options.simulates())
      document["forecast"] = forecast_json(job, forecast);
    return print_json(document);
  }
  if (context.quiet) return;
  if (options.units) print_units(job.plan);
  print_totals(job, totals, options, machine, memory_source);
  if (!options.sweep.empty())
    print_scaling(job, forecast, options.sweep);
  else if (options.simulates())
    print_forecast(job, forecast);
}

}  // namespace

void add_plan(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "plan", "Units, bytes, arithmetic, memory and time of a job");
  auto options = std::make_shared<PlanOptions>();
  command->add_option("JOB", options->job, "Job file")->required();
  command->add_option("--cluster", options->cluster, "Cluster profile with the rates of a node");
  command->add_option("--ranks,-N", options->ranks, "MPI ranks; default: all of the cluster")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--threads,-t", options->threads,
                   "Threads a rank; default: those of the profile, else what `run` uses here")
      ->check(CLI::PositiveNumber);
  command->add_option("--sweep", options->sweep, "Numbers of ranks, for a table: 1,2,4,...")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--set", options->overrides, "Override a key: key=value")
      ->allow_extra_args(false);
  command->add_flag("--units", options->units, "List every unit");
  command->callback([options, &context] { plan(*options, context); });
}

}  // namespace moesweep::cli
