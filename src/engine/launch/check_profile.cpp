#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <moesweep/core/base/error.hpp>
#include <moesweep/engine/launch/batch_script.hpp>
#include <moesweep/engine/launch/time_limit.hpp>

namespace moesweep::launch {
namespace {

[[noreturn]] void refuse(const config::Settings& cluster, std::string_view key,
                         std::string_view problem, std::string remedy) {
  throw Error(ExitCode::bad_job, cluster.place_of(key), fmt::format("{} {}", key, problem),
              std::move(remedy));
}

bool is_letter(char symbol) {
  return (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z');
}

bool is_digit(char symbol) {
  return symbol >= '0' && symbol <= '9';
}

bool is_variable_name(std::string_view name) {
  if (name.empty() || is_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [](char symbol) {
    return is_letter(symbol) || is_digit(symbol) || symbol == '_';
  });
}

void check_time(const config::Settings& cluster) {
  const auto limit = parse_time_limit(cluster.text("slurm.time"));
  if (!limit) {
    refuse(cluster, "slurm.time",
           fmt::format("is not a time limit: \"{}\"", cluster.text("slurm.time")),
           "write minutes, hours:minutes:seconds or days-hours");
  }
  for (const auto* key : {"slurm.signal_seconds", "slurm.margin_seconds"}) {
    if (cluster.integer(key) < *limit) continue;
    refuse(cluster, key, fmt::format("leaves nothing of a time limit of {} seconds", *limit),
           "make it smaller, or slurm.time longer");
  }
}

void check_shape(const config::Settings& cluster) {
  const auto nodes = cluster.integer("nodes");
  if (cluster.has("slurm.min_nodes") && cluster.integer("slurm.min_nodes") > nodes) {
    refuse(cluster, "slurm.min_nodes", fmt::format("is more than nodes = {}", nodes),
           "make it smaller");
  }
  if (cluster.text("launcher") == "none" && nodes * cluster.integer("tasks_per_node") > 1) {
    refuse(cluster, "launcher", "is \"none\", but several ranks are asked for",
           "write launcher = \"srun\" or \"mpirun\"");
  }
}

void check_environment(const config::Settings& cluster) {
  for (const auto& variable : cluster.texts("environment")) {
    const auto equals = variable.find('=');
    if (equals != std::string::npos && is_variable_name(variable.substr(0, equals))) continue;
    refuse(cluster, "environment", fmt::format("holds \"{}\", which is no NAME=value", variable),
           "names have letters, digits and _");
  }
  for (const auto& module : cluster.texts("modules")) {
    if (is_letter(module.front()) || is_digit(module.front())) continue;
    refuse(cluster, "modules", fmt::format("holds \"{}\", which is no module", module),
           "names begin with a letter or digit");
  }
}

// What the script decides. With another value it would not find back to its sweep, or not end.
constexpr std::array set_by_script = {
    "array",      "begin",           "chdir",     "cpus-per-task",
    "dependency", "error",           "hold",      "input",
    "job-name",   "kill-on-invalid", "mem",       "no-kill",
    "nodes",      "no-requeue",      "ntasks",    "ntasks-per-node",
    "open-mode",  "output",          "parsable",  "requeue",
    "signal",     "test-only",       "time",      "wait",
    "wrap",       "account",         "partition", "qos",
    "help",       "version"};

void check_extra(const config::Settings& cluster) {
  for (const auto& option : cluster.texts("slurm.extra")) {
    const auto name = option.substr(0, option.find('='));
    const bool well_formed = name.size() > 2 && name.starts_with("--") && is_letter(name[2]) &&
                             std::all_of(name.begin() + 2, name.end(), [](char symbol) {
                               return is_letter(symbol) || is_digit(symbol) || symbol == '-';
                             });
    if (!well_formed) {
      refuse(cluster, "slurm.extra", fmt::format("holds \"{}\", which is no option", option),
             "write --name or --name=value");
    }
    if (std::find(set_by_script.begin(), set_by_script.end(), name.substr(2)) !=
        set_by_script.end()) {
      refuse(cluster, "slurm.extra", fmt::format("holds {}, which the script sets itself", name),
             "remove it, and use the keys of the profile");
    }
  }
}

}  // namespace

void check_profile(const config::Settings& cluster) {
  check_time(cluster);
  check_shape(cluster);
  check_environment(cluster);
  check_extra(cluster);
}

}  // namespace moesweep::launch
