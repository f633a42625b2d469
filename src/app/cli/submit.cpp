// `moesweep submit JOB --cluster FILE --run-dir RUN`: renders the batch script into the run
// directory and gives it to Slurm.

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <moesweep/app/jobs/job.hpp>
#include <moesweep/app/jobs/job_file.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/core/base/shell_word.hpp>
#include <moesweep/core/base/temporary_files.hpp>
#include <moesweep/core/config/settings.hpp>
#include <moesweep/engine/capacity/cluster.hpp>
#include <moesweep/engine/capacity/machine.hpp>
#include <moesweep/engine/capacity/rates.hpp>
#include <moesweep/engine/launch/batch_script.hpp>
#include <moesweep/engine/launch/process.hpp>
#include <moesweep/engine/store/lock.hpp>
#include <moesweep/engine/store/run_directory.hpp>

#include "command.hpp"

namespace moesweep::cli {
namespace {

namespace fs = std::filesystem;

struct SubmitOptions {
  std::string job;
  std::string cluster;
  std::string run_directory;
  std::vector<std::string> overrides;
  bool dry_run = false;
};

struct Submission {
  fs::path run;
  std::string job_toml;  ///< as resolved: later edits of the job file do not stop a requeued sweep
  std::string script;

  fs::path folder() const { return run / "submit"; }
  fs::path script_file() const { return folder() / "sweep.sbatch"; }
  fs::path job_file() const { return folder() / "job.toml"; }
};

// Replacing the files of another sweep would end it at its next start.
void refuse_other_sweep(const store::RunDirectory& run, const jobs::Job& job) {
  if (!store::is_there(run.lock())) return;
  const auto epochs = store::read_epochs(run.lock());
  if (epochs.empty() || epochs.front().start.fingerprint == job.fingerprint.hex()) return;
  std::string differences = "its inputs differ";
  if (store::is_there(run.job())) {
    const auto found = jobs::differences(job.settings, jobs::load_job(run.job()));
    if (!found.empty()) differences = fmt::format("{}", fmt::join(found, "; "));
  }
  throw Error(ExitCode::run_directory, run.root.string(), "holds another sweep: " + differences,
              "use a new --run-dir, or the job it was started with");
}

void warn_of_run_outside_scratch(const config::Settings& cluster, const fs::path& run) {
  if (!cluster.has("scratch")) return;
  const auto scratch = cluster.path("scratch").lexically_normal();
  const auto below = run.lexically_relative(scratch);
  if (!below.empty() && *below.begin() != "..") return;
  spdlog::warn("{} is not below scratch = {}: do all nodes see it?", run.string(),
               scratch.string());
}

// Everything that can be refused is refused here, not hours later in the queue.
Submission prepare(const SubmitOptions& options) {
  const auto cluster = capacity::load_cluster(options.cluster);
  launch::check_profile(cluster);
  const auto job = jobs::prepare_job(jobs::load_job(options.job, options.overrides),
                                     capacity::rates_from(cluster));
  for (const auto& warning : job.kind->warnings()) spdlog::warn("{}", printable(warning));
  jobs::require_memory(job.plan, capacity::machine_from(&cluster, job.settings, 1, 0).memory_bytes,
                       capacity::memory_source(&cluster, job.settings));
  Submission submission;
  submission.run = fs::absolute(options.run_directory).lexically_normal();
  if (!submission.run.has_filename()) submission.run = submission.run.parent_path();
  refuse_other_sweep({submission.run}, job);
  warn_of_run_outside_scratch(cluster, submission.run);
  submission.job_toml = jobs::to_toml(job.settings);
  submission.script =
      launch::render_batch_script({job.settings.text("name"), fs::read_symlink("/proc/self/exe"),
                                   submission.job_file(), submission.run},
                                  cluster);
  return submission;
}

void publish(const Submission& submission) {
  store::create_run_directory({submission.run});
  make_folders(submission.folder(), ExitCode::run_directory);
  remove_abandoned(submission.folder());
  publish_file(submission.job_file(), submission.job_toml);
  publish_file(submission.script_file(), submission.script);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// "123" or "123;cluster".
std::string give_to_slurm(const Submission& submission) {
  const std::array<std::string, 3> command = {"sbatch", "--parsable",
                                              submission.script_file().string()};
  const auto result = launch::run_process(command);
  if (result.exit_code == 127) {
    throw Error(ExitCode::bad_usage, "sbatch", "is not there",
                fmt::format("submit {} on a login node of a Slurm cluster", command.back()));
  }
  if (result.exit_code != 0) {
    throw Error(ExitCode::bad_usage, "sbatch",
                fmt::format("refused the job: {}", first_line(result.output)),
                fmt::format("mend the profile, or {}", command.back()));
  }
  return first_line(result.output.substr(0, result.output.find(';')));
}

void report(const Submission& submission, const std::string& job_id, const Context& context) {
  const auto log = submission.folder() / fmt::format("slurm-{}.out", job_id);
  const auto run = shell_word(submission.run.native());
  if (context.json) {
    return print_json({{"job_id", job_id},
                       {"script", submission.script_file().string()},
                       {"log", log.string()},
                       {"run_directory", submission.run.string()}});
  }
  if (context.quiet) return;
  fmt::print("job        {}\n", job_id);
  fmt::print("progress   moesweep status {} --watch\n", run);
  fmt::print("log        tail -F {}\n", shell_word(log.native()));
  fmt::print("queue      squeue -j {}\n", job_id);
  fmt::print("stop       scancel {}\n", job_id);
}

void submit(const SubmitOptions& options, const Context& context) {
  const auto submission = prepare(options);
  if (options.dry_run) {
    if (context.json) return print_json({{"script", submission.script}});
    return fmt::print("{}", submission.script);
  }
  publish(submission);
  report(submission, give_to_slurm(submission), context);
}

}  // namespace

void add_submit(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, context, "submit", "Give a sweep to Slurm, until it is complete");
  auto options = std::make_shared<SubmitOptions>();
  command->add_option("JOB", options->job, "Job file")->required();
  command->add_option("--cluster", options->cluster, "Cluster profile")->required();
  command
      ->add_option("--run-dir", options->run_directory,
                   "Folder of the sweep, which all nodes must see")
      ->required()
      ->check([](const std::string& path) { return path.empty() ? "is empty" : ""; });
  command->add_option("--set", options->overrides, "Override a key: key=value")
      ->allow_extra_args(false);
  command->add_flag("--dry-run", options->dry_run, "Print the batch script and do nothing");
  command->callback([options, &context] { submit(*options, context); });
}

}  // namespace moesweep::cli
