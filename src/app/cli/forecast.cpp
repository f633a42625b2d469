#include "forecast.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/text.hpp>
#include <moesweep/engine/capacity/machine.hpp>
#include <moesweep/engine/sweep/recommend.hpp>

#include "text_table.hpp"

namespace moesweep::cli {
namespace {

int ranks_of(const ForecastOptions& options) {
  if (options.ranks > 0) return options.ranks;
  if (options.cluster == nullptr) return 1;
  return checked_cast<int>(options.cluster->integer("nodes") *
                           options.cluster->integer("tasks_per_node"));
}

sweep::Machine machine_of(const jobs::Job& job, const ForecastOptions& options, int ranks) {
  return capacity::machine_from(options.cluster, job.settings, ranks, options.threads);
}

sweep::Recommendation recommendation(const jobs::Job& job, const ForecastOptions& options) {
  const int ranks = ranks_of(options);
  return sweep::recommend(
      job.plan, ranks, machine_of(job, options, ranks).threads, [&](int fewer_ranks, int threads) {
        return capacity::machine_from(options.cluster, job.settings, fewer_ranks, threads);
      });
}

std::string longest_key(const jobs::Job& job, const sweep::Forecast& forecast) {
  return forecast.longest_unit ? job.plan.unit(*forecast.longest_unit).key : "";
}

std::string limited_by(const sweep::Forecast& forecast) {
  const double bound = forecast.lower_bound_seconds;
  if (bound == forecast.longest_seconds) return "longest unit";
  return bound == forecast.storage_seconds ? "storage" : "cores";
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100.0 * share);
}

Json to_json(const jobs::Job& job, const sweep::Machine& machine, const sweep::Forecast& forecast) {
  return {{"ranks", machine.ranks},
          {"threads", machine.threads},
          {"makespan_seconds", forecast.makespan_seconds},
          {"lower_bound_seconds", forecast.lower_bound_seconds},
          {"work_seconds", forecast.work_seconds},
          {"storage_seconds", forecast.storage_seconds},
          {"longest_unit_seconds", forecast.longest_seconds},
          {"longest_unit", longest_key(job, forecast)},
          {"limited_by", limited_by(forecast)},
          {"efficiency", forecast.efficiency()},
          {"utilisation", forecast.utilisation},
          {"peak_bytes_of_a_rank", forecast.peak_bytes},
          {"file_opens", forecast.file_opens},
          {"messages", forecast.messages},
          {"segments", forecast.segments}};
}

}  // namespace

Json forecast_json(const jobs::Job& job, const ForecastOptions& options) {
  const auto machine = machine_of(job, options, ranks_of(options));
  auto document = to_json(job, machine, sweep::simulate(job.plan, machine));
  const auto best = recommendation(job, options);
  document["recommended"] = {{"ranks", best.ranks},
                             {"threads", best.threads},
                             {"makespan_seconds", best.forecast.makespan_seconds}};
  return document;
}

void print_forecast(const jobs::Job& job, const ForecastOptions& options) {
  const auto machine = machine_of(job, options, ranks_of(options));
  const auto forecast = sweep::simulate(job.plan, machine);
  fmt::print("simulated      {} on {} ranks x {} threads\n",
             format_duration(forecast.makespan_seconds), machine.ranks, machine.threads);
  fmt::print("lower bound    {} ({}): {} of the makespan\n",
             format_duration(forecast.lower_bound_seconds), limited_by(forecast),
             percent(forecast.efficiency()));
  fmt::print("utilisation    {}\n", percent(forecast.utilisation));
  fmt::print("rank's memory  {} at its peak\n", format_size(forecast.peak_bytes));
  fmt::print("file opens     {}\n", format_count(forecast.file_opens));
  const auto best = recommendation(job, options);
  fmt::print("recommended    -N {} -t {}: {}\n", best.ranks, best.threads,
             format_duration(best.forecast.makespan_seconds));
}

Json scaling_json(const jobs::Job& job, const ForecastOptions& options,
                  const std::vector<int>& ranks) {
  auto rows = Json::array();
  for (const int count : ranks) {
    const auto machine = machine_of(job, options, count);
    rows.push_back(to_json(job, machine, sweep::simulate(job.plan, machine)));
  }
  return rows;
}

void print_scaling(const jobs::Job& job, const ForecastOptions& options,
                   const std::vector<int>& ranks) {
  TextTable table({"ranks", "threads", "makespan", "lower bound", "efficiency", "utilisation",
                   "rank's memory", "file opens", "limited by"});
  for (const int count : ranks) {
    const auto machine = machine_of(job, options, count);
    const auto forecast = sweep::simulate(job.plan, machine);
    table.add({std::to_string(count), std::to_string(machine.threads),
               format_duration(forecast.makespan_seconds),
               format_duration(forecast.lower_bound_seconds), percent(forecast.efficiency()),
               percent(forecast.utilisation), format_size(forecast.peak_bytes),
               format_count(forecast.file_opens), limited_by(forecast)});
  }
  table.print();
}

}  // namespace moesweep::cli
