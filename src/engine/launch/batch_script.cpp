#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/shell_word.hpp>
#include <moesweep/engine/launch/batch_script.hpp>
#include <moesweep/engine/launch/directive_value.hpp>

#include "sbatch_template.hpp"

namespace moesweep::launch {
namespace {

constexpr std::int64_t bytes_per_mebibyte = std::int64_t{1} << 20;

using Lines = std::vector<std::string>;
using Places = std::map<std::string, std::string, std::less<>>;

std::string joined(const Lines& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

void refuse_control_characters(const std::filesystem::path& path) {
  const auto& text = path.native();
  const bool plain = std::none_of(text.begin(), text.end(), [](char symbol) {
    const auto byte = static_cast<unsigned char>(symbol);
    return byte < 0x20 || byte == 0x7f;
  });
  if (plain) return;
  throw Error(ExitCode::bad_usage, path.string(), "has a control character in its name",
              "rename it");
}

// sbatch replaces %j by the number of the job; with a backslash anywhere it replaces nothing.
std::string log_pattern(const std::filesystem::path& run_directory) {
  if (run_directory.native().find('\\') != std::string::npos) {
    throw Error(ExitCode::bad_usage, run_directory.string(),
                "has a backslash in its name, which sbatch reads as its own", "name another");
  }
  std::string pattern;
  const auto folder = (run_directory / "submit").string();
  for (const char symbol : folder) {
    pattern += symbol;
    if (symbol == '%') pattern += '%';
  }
  return pattern + "/slurm-%j.out";
}

// With a range of nodes and --ntasks-per-node Slurm (22.05) always gives the fewest. So a range is
// asked for as one task a node that has the CPUs of all, and environment() tells the ranks' shape.
bool has_node_range(const config::Settings& cluster) {
  return cluster.has("slurm.min_nodes");
}

void add_shape(Lines& options, const config::Settings& cluster) {
  const auto nodes = cluster.integer("nodes");
  const auto tasks = cluster.integer("tasks_per_node");
  const auto cpus = cluster.integer("cpus_per_task");
  if (has_node_range(cluster)) {
    options.push_back(fmt::format("--nodes={}-{}", cluster.integer("slurm.min_nodes"), nodes));
    options.push_back(fmt::format("--cpus-per-task={}", tasks * cpus));
  } else {
    options.push_back(fmt::format("--nodes={}", nodes));
    options.push_back(fmt::format("--ntasks-per-node={}", tasks));
    options.push_back(fmt::format("--cpus-per-task={}", cpus));
  }
}

Lines sbatch_options(const BatchJob& job, const config::Settings& cluster) {
  const auto tasks = cluster.integer("tasks_per_node");
  Lines options;
  options.push_back(fmt::format("--job-name={}", job.name));
  add_shape(options, cluster);
  if (cluster.boolean("slurm.request_memory")) {
    const auto mebibytes = cluster.integer("memory_per_task") / bytes_per_mebibyte * tasks;
    options.push_back(fmt::format("--mem={}M", mebibytes));
  }
  options.push_back(fmt::format("--time={}", cluster.text("slurm.time")));
  for (const auto* name : {"partition", "account", "qos"}) {
    const auto key = fmt::format("slurm.{}", name);
    if (cluster.has(key)) options.push_back(fmt::format("--{}={}", name, cluster.text(key)));
  }
  options.emplace_back(cluster.boolean("slurm.requeue") ? "--requeue" : "--no-requeue");
  options.emplace_back("--open-mode=append");
  options.push_back(fmt::format("--signal=B:USR2@{}", cluster.integer("slurm.signal_seconds")));
  options.push_back("--output=" + log_pattern(job.run_directory));
  for (const auto& extra : cluster.texts("slurm.extra")) options.push_back(extra);
  return options;
}

std::string directives(const BatchJob& job, const config::Settings& cluster) {
  Lines lines;
  for (const auto& option : sbatch_options(job, cluster))
    lines.push_back("#SBATCH " + directive_value(option));
  return joined(lines);
}

// Lustre gives new files the layout of their folder. Segments are written by one rank each.
std::string stripe_command(const config::Settings& cluster) {
  std::string options;
  if (cluster.has("stripe.count"))
    options += fmt::format(" --stripe-count {}", cluster.integer("stripe.count"));
  if (cluster.has("stripe.bytes"))
    options += fmt::format(" --stripe-size {}", cluster.integer("stripe.bytes"));
  if (options.empty()) return {};
  return fmt::format(
      "if command -v lfs >/dev/null; then lfs setstripe{} \"$run/segments\" \"$run/artifacts\"; fi",
      options);
}

std::string environment(const config::Settings& cluster) {
  Lines lines;
  if (!cluster.texts("modules").empty()) {
    lines.push_back(
        fmt::format("module load {} || exit 78", fmt::join(cluster.texts("modules"), " ")));
  }
  const bool by_mpirun = cluster.text("launcher") == "mpirun";
  // mpirun starts one daemon a node by srun, and all ranks of the node inherit its cores.
  const auto cpus =
      cluster.integer("cpus_per_task") * (by_mpirun ? cluster.integer("tasks_per_node") : 1);
  if (has_node_range(cluster)) {
    const auto tasks = cluster.integer("tasks_per_node");
    lines.push_back(fmt::format("export SLURM_NTASKS=$((SLURM_JOB_NUM_NODES * {}))", tasks));
    lines.push_back(fmt::format("export SLURM_NTASKS_PER_NODE={}", tasks));
    lines.push_back(
        fmt::format("export SLURM_TASKS_PER_NODE=\"{}(x$SLURM_JOB_NUM_NODES)\"", tasks));
    lines.push_back(fmt::format("export SLURM_CPUS_PER_TASK={}", cluster.integer("cpus_per_task")));
  }
  lines.push_back(fmt::format("export SRUN_CPUS_PER_TASK={}", cpus));
  if (by_mpirun) lines.emplace_back("export SLURM_CPU_BIND=none");
  lines.emplace_back("export SLURM_EXPORT_ENV=ALL");
  lines.emplace_back("export HDF5_USE_FILE_LOCKING=FALSE");
  for (const auto& variable : cluster.texts("environment")) {
    const auto equals = variable.find('=');
    lines.push_back(fmt::format("export {}={}", variable.substr(0, equals),
                                shell_word(variable.substr(equals + 1))));
  }
  if (auto stripes = stripe_command(cluster); !stripes.empty()) lines.push_back(std::move(stripes));
  return joined(lines);
}

std::string launch_command(const config::Settings& cluster) {
  const auto& launcher = cluster.text("launcher");
  if (launcher == "none") return {};
  std::string command =
      launcher == "srun"
          ? fmt::format(
                "srun --mpi={} --kill-on-bad-exit=1 --ntasks=\"$ranks\" "
                "--ntasks-per-node=\"$tasks_per_node\"",
                cluster.text("mpi"))
          : "mpirun --bind-to none -n \"$ranks\" --map-by \"ppr:$tasks_per_node:node\" "
            "--mca odls_base_sigkill_timeout 5";
  for (const auto& option : cluster.texts("launcher_options")) command += ' ' + shell_word(option);
  return command + ' ';
}

// {{place}} by its text; what is filled in is not looked at again.
std::string filled(std::string_view text, const Places& places) {
  std::string out;
  while (true) {
    const auto begin = text.find("{{");
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const auto end = text.find("}}", begin);
    const auto found = places.find(text.substr(begin + 2, end - begin - 2));
    expect(found != places.end(), "the template of the batch script has an unknown place");
    out += found->second;
    text.remove_prefix(end + 2);
  }
}

}  // namespace

std::string render_batch_script(const BatchJob& job, const config::Settings& cluster) {
  const auto program = cluster.has("program") ? cluster.path("program") : job.program;
  for (const auto* path : {&program, &job.job_file, &job.run_directory}) {
    refuse_control_characters(*path);
    expect(path->is_absolute(), "a path of the batch script is not absolute");
  }
  Places places;
  places["login"] = cluster.texts("modules").empty() ? "" : " -l";
  places["name"] = job.name;
  places["cluster"] = cluster.text("name");
  places["directives"] = directives(job, cluster);
  places["program"] = shell_word(program.native());
  places["job"] = shell_word(job.job_file.native());
  places["run"] = shell_word(job.run_directory.native());
  places["tasks_per_node"] = fmt::format("{}", cluster.integer("tasks_per_node"));
  places["may_requeue"] = cluster.boolean("slurm.requeue") ? "yes" : "no";
  places["margin_seconds"] = fmt::format("{}", cluster.integer("slurm.margin_seconds"));
  places["environment"] = environment(cluster);
  places["launch"] = launch_command(cluster);
  return filled(sbatch_template, places);
}

}  // namespace moesweep::launch
