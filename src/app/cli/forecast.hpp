#pragma once
// The simulated part of `moesweep plan`.

#include <optional>
#include <string>
#include <vector>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/core/config/settings.hpp>

#include "command.hpp"

namespace moesweep::cli {

struct ForecastOptions {
  const config::Settings* cluster = nullptr;  ///< none: nodes like this machine, default rates
  int ranks = 0;                              ///< 0: those of the cluster
  int threads = 0;  ///< of a rank; 0: those of the cluster, else of `run` here
};

/// One machine, and how many ranks and threads the sweep is worth on it.
Json forecast_json(const jobs::Job& job, const ForecastOptions& options);
void print_forecast(const jobs::Job& job, const ForecastOptions& options);

/// One row a number of ranks.
Json scaling_json(const jobs::Job& job, const ForecastOptions& options,
                  const std::vector<int>& ranks);
void print_scaling(const jobs::Job& job, const ForecastOptions& options,
                   const std::vector<int>& ranks);

}  // namespace moesweep::cli
