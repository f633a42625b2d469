// `moesweep doctor --calibrate`: what this node does a second, as a cluster profile.

#include "calibrate.hpp"

#include <filesystem>

#include <fmt/format.h>

#include <moesweep/base/file.hpp>
#include <moesweep/base/temporary_files.hpp>
#include <moesweep/parallel/task_pool.hpp>
#include <moesweep/pipeline/calibrate.hpp>

namespace moesweep::cli {

void calibrate(const CalibrateOptions& options, const Context& context) {
  const int threads = options.threads > 0 ? options.threads : parallel::available_cpus();
  const auto rates = pipeline::calibrate(options.read_from, threads);
  const auto profile = pipeline::calibrated_profile(rates, threads);
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
