// `moesweep doctor --calibrate`: what this node does a second, as a cluster profile.

#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include <moesweep/base/file.hpp>
#include <moesweep/parallel/task_pool.hpp>
#include <moesweep/pipeline/calibrate.hpp>

#include "command.hpp"

namespace moesweep::cli {
namespace {

struct DoctorOptions {
  bool calibrate = false;
  std::string read_from;
  std::string out;
  int threads = 0;
};

void doctor(const DoctorOptions& options, const Context& context) {
  const int threads = options.threads > 0 ? options.threads : parallel::available_cpus();
  const auto rates = pipeline::calibrate(options.read_from, threads);
  const auto profile = pipeline::calibrated_profile(rates, threads);
  if (!options.out.empty()) publish_file(std::filesystem::absolute(options.out), profile);
  if (context.json) {
    return print_json({{"threads", threads},
                       {"read_bytes_per_second_node", rates.read_bytes_per_second},
                       {"gram_flops_per_core", rates.gram_flops_per_core},
                       {"round_trips_per_second_core", rates.round_trips_per_second_core},
                       {"moments_per_second_core", rates.moments_per_second_core},
                       {"unit_overhead_seconds", rates.unit_overhead_seconds}});
  }
  if (options.out.empty() && !context.quiet) fmt::print("{}", profile);
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto* command = add_command(app, context, "doctor", "Measure what this node does a second");
  auto options = std::make_shared<DoctorOptions>();
  command->add_flag("--calibrate", options->calibrate, "Write the rates as a cluster profile")
      ->required();
  command->add_option("--read", options->read_from, "File or folder to measure reading with")
      ->required();
  command->add_option("--out,-o", options->out, "Profile to write; default: standard output");
  command->add_option("--threads,-t", options->threads, "Threads at once; default: all CPUs")
      ->check(CLI::PositiveNumber);
  command->callback([options, &context] { doctor(*options, context); });
}

}  // namespace moesweep::cli
