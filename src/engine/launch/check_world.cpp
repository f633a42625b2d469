#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include <moesweep/engine/launch/check.hpp>

namespace moesweep::launch {
namespace {

std::optional<int> number(const Environment& environment, const std::string& name) {
  const auto text = environment(name);
  int value = 0;
  if (!text) return std::nullopt;
  const auto* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// SLURM_NTASKS is not set by every way to ask for nodes.
std::optional<int> slurm_tasks(const Environment& environment) {
  if (const auto tasks = number(environment, "SLURM_NTASKS")) return tasks;
  const auto nodes = number(environment, "SLURM_JOB_NUM_NODES");
  const auto tasks_per_node = number(environment, "SLURM_NTASKS_PER_NODE");
  if (!nodes || !tasks_per_node) return std::nullopt;
  return *nodes * *tasks_per_node;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Check check_world(int world, bool by_mpi, const Environment& environment) {
  Check check;
  check.name = "MPI world";
  const auto tasks = slurm_tasks(environment);
  const auto started = number(environment, "SLURM_STEP_NUM_TASKS").value_or(1);
  check.found = by_mpi ? fmt::format("{} ranks", world) : "one process without MPI";
  if (tasks) check.found += fmt::format(", Slurm has {} tasks", *tasks);
  if (!by_mpi && started > 1) {
    check.verdict = Verdict::fail;
    check.remedy = "use `srun --mpi=pmix` (`srun --mpi=list` shows what there is) or `mpirun`";
  } else if (!by_mpi && tasks && *tasks > 1) {
    check.verdict = Verdict::warn;
    check.remedy = "start the doctor as the sweep will be: `mpirun --bind-to none moesweep doctor`";
  } else if (by_mpi && tasks && *tasks != world) {
    check.verdict = Verdict::fail;
    check.remedy = "use the launcher of the MPI that moesweep was built with";
  }
  return check;
}

Check check_affinity(int cpus, int threads, const Environment& environment) {
  Check check;
  check.name = "affinity";
  check.found = fmt::format("{} CPUs for this process", cpus);
  const auto given = number(environment, "SLURM_CPUS_PER_TASK");
  if (given && *given > cpus) {
    check.verdict = Verdict::warn;
    check.found += fmt::format(", Slurm gave {} to a task", *given);
    check.remedy =
        "mpirun: --bind-to none and export SLURM_CPU_BIND=none; srun: export SRUN_CPUS_PER_TASK";
  } else if (threads > cpus) {
    check.verdict = Verdict::warn;
    check.found += fmt::format(", {} threads are asked for", threads);
    check.remedy = "ask for fewer threads or more CPUs";
  }
  return check;
}

}  // namespace moesweep::launch
