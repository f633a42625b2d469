// `moesweep doctor --calibrate`: what this node does a second, as a cluster profile.

#include "calibrate.hpp"

#include <filesystem>

#include <fmt/format.h>

#include <moesweep/app/estimate/calibrate.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/core/parallel/task_pool.hpp>
#include <moesweep/engine/capacity/cluster.hpp>

namespace moesweep::cli {
namespace {

namespace fs = std::filesystem;

bool is_profile(const fs::path& file) {
  try {
    capacity::load_cluster(file);
    return true;
  } catch (const Error& error) {
    if (error.exit_code() == ExitCode::io_error) throw;
    return false;
  }
}

/// A profile is measured again and again; a file of another kind has that name by mistake.
void require_place_of_profile(const fs::path& out) {
  require_folder_of(out);
  const auto status = link_status_of(out);
  if (!fs::exists(status) || (fs::is_regular_file(status) && is_profile(out))) return;
  throw Error(ExitCode::bad_usage, out.string(), "exists already and is not a cluster profile",
              "name another file with --out");
}

}  // namespace

void calibrate(const CalibrateOptions& options, const Context& context) {
  if (!options.out.empty()) require_place_of_profile(options.out);
  const int threads = options.threads > 0 ? options.threads : parallel::available_cpus();
  const auto rates = estimate::calibrate(options.read_from, threads);
  const auto profile = estimate::calibrated_profile(rates, threads);
  if (!options.out.empty()) {
    const auto out = std::filesystem::absolute(options.out);
    remove_abandoned(out.parent_path());
    publish_file(out, profile);
  }
  if (context.json) {
    return print_json({{"threads", threads},
                       {"read_bytes_per_second_node", rates.read_bytes_per_second_node},
                       {"gram_flops_per_core", rates.gram_flops_per_core},
                       {"round_trips_per_second_core", rates.round_trips_per_second_core},
                       {"moments_per_second_core", rates.moments_per_second_core},
                       {"unit_overhead_seconds", rates.unit_overhead_seconds}});
  }
  if (options.out.empty() && !context.quiet) fmt::print("{}", profile);
}

}  // namespace moesweep::cli
