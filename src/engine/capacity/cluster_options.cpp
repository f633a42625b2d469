#include <moesweep/engine/capacity/cluster.hpp>
#include <moesweep/engine/capacity/rates.hpp>

namespace moesweep::capacity {
namespace {

using config::Option;
using config::TextList;
using config::ValueType;

std::vector<Option> shape_options() {
  return {
      {.key = "schema",
       .type = ValueType::integer,
       .help = "Version of the cluster profile format, 1.",
       .minimum = 1,
       .maximum = 1},
      {.key = "name",
       .type = ValueType::text,
       .help = "Name of the cluster in plans.",
       .characters = "A-Za-z0-9._-"},
      {.key = "nodes",
       .type = ValueType::integer,
       .help = "Nodes of an allocation.",
       .minimum = 1,
       .maximum = 1e6},
      {.key = "tasks_per_node",
       .type = ValueType::integer,
       .help = "Ranks on a node: one, or one a NUMA domain.",
       .minimum = 1,
       .maximum = 65536},
      {.key = "cpus_per_task",
       .type = ValueType::integer,
       .help = "Cores of one rank.",
       .minimum = 1,
       .maximum = 65536},
      {.key = "memory_per_task",
       .type = ValueType::size,
       .help = "Memory of one rank, in bytes.",
       .minimum = 1 << 20},
      {.key = "launcher",
       .type = ValueType::text,
       .help = "What starts the ranks; none runs one rank without MPI.",
       .choices = {"srun", "mpirun", "none"}},
      {.key = "launcher_options",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "More options of srun or mpirun, one a text."},
      {.key = "mpi",
       .type = ValueType::text,
       .default_value = std::string("pmix"),
       .help = "How srun starts MPI ranks, as given to --mpi.",
       .characters = "A-Za-z0-9._-"},
  };
}

// Where a site keeps things, and what a batch job needs before the program starts.
std::vector<Option> environment_options() {
  return {
      {.key = "program",
       .type = ValueType::path,
       .help = "This program as compute nodes see it; where it is absent, the one that submits.",
       .may_be_absent = true},
      {.key = "scratch",
       .type = ValueType::path,
       .help = "Folder that all nodes share; submit warns of a run directory elsewhere.",
       .may_be_absent = true},
      {.key = "modules",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "Environment modules to load, in this order.",
       .characters = "A-Za-z0-9._/+:@=-"},
      {.key = "environment",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "Variables to export, each as NAME=value; the value is taken as it stands."},
      {.key = "stripe.count",
       .type = ValueType::integer,
       .help = "Lustre: over how many targets a file of the run directory is spread, -1 for all.",
       .minimum = -1,
       .maximum = 2000,
       .may_be_absent = true},
      {.key = "stripe.bytes",
       .type = ValueType::size,
       .help = "Lustre: bytes on one target before the next, a multiple of 64 KiB.",
       .minimum = 65536,
       .may_be_absent = true},
  };
}

/// A name that Slurm knows; without it Slurm's own default holds.
Option slurm_name(std::string name, std::string help) {
  return {.key = "slurm." + std::move(name),
          .type = ValueType::text,
          .help = std::move(help),
          .characters = "A-Za-z0-9._:,@+-",
          .may_be_absent = true};
}

std::vector<Option> slurm_options() {
  return {
      slurm_name("partition", "Partition, or several with commas."),
      slurm_name("account", "Account that is charged."),
      slurm_name("qos", "Quality of service."),
      {.key = "slurm.time",
       .type = ValueType::text,
       .default_value = std::string("04:00:00"),
       .help = "Time limit of one allocation, as sbatch takes it: 90, 04:00:00 or 1-12.",
       .characters = "0-9:-"},
      {.key = "slurm.min_nodes",
       .type = ValueType::integer,
       .help = "Fewest nodes to start with where not all of `nodes` are free.",
       .minimum = 1,
       .maximum = 1e6,
       .may_be_absent = true},
      {.key = "slurm.request_memory",
       .type = ValueType::boolean,
       .default_value = true,
       .help = "Ask for memory_per_task; false on sites that refuse --mem."},
      {.key = "slurm.requeue",
       .type = ValueType::boolean,
       .default_value = true,
       .help = "Requeue one job until the sweep is complete; false chains a new job to each."},
      {.key = "slurm.signal_seconds",
       .type = ValueType::integer,
       .default_value = std::int64_t{120},
       .help = "Seconds before the time limit at which no more units start.",
       .minimum = 1,
       .maximum = 65535},
      {.key = "slurm.margin_seconds",
       .type = ValueType::integer,
       .default_value = std::int64_t{60},
       .help = "Seconds before the time limit at which the last unit should have ended.",
       .minimum = 1,
       .maximum = 65535},
      {.key = "slurm.extra",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "More options of sbatch, each as --name or --name=value."},
  };
}

/// Its default is a guess that errs on the slow side.
Option rate(std::string name, double value, double minimum, std::string help) {
  return {.key = "rates." + std::move(name),
          .type = ValueType::number,
          .default_value = value,
          .help = std::move(help),
          .minimum = minimum};
}

std::vector<Option> all_options() {
  auto options = shape_options();
  for (auto&& more : {environment_options(), slurm_options()}) {
    options.insert(options.end(), more.begin(), more.end());
  }
  const Rates rates;
  options.push_back(rate("read_bytes_per_second_node", rates.read_bytes_per_second_node, 1.0,
                         "Bytes a second that one node reads from the checkpoint's file system."));
  options.push_back(rate("read_bytes_per_second_total", rates.read_bytes_per_second_total, 1.0,
                         "Bytes a second that all nodes together read from it."));
  options.push_back(
      rate("gram_flops_per_core", rates.gram_flops_per_core, 1.0,
           "Float32 operations a second of a Gram matrix and its eigenvalues, one core."));
  options.push_back(rate("round_trips_per_second_core", rates.round_trips_per_second_core, 1.0,
                         "Weights times quantizers round-tripped a second, one core."));
  options.push_back(rate("moments_per_second_core", rates.moments_per_second_core, 1.0,
                         "Weights a second through the moments, one core."));
  options.push_back(rate("unit_overhead_seconds", rates.unit_overhead_seconds, 0.0,
                         "Seconds that a unit costs beside reading and arithmetic."));
  options.push_back(rate("message_latency_seconds", rates.message_latency_seconds, 0.0,
                         "Seconds from sending a message between ranks to handling it."));
  options.push_back(rate("publish_seconds", rates.publish_seconds, 0.0,
                         "Seconds to encode, fsync and rename one segment of results."));
  return options;
}

}  // namespace

std::span<const Option> cluster_options() {
  static const std::vector<Option> options = all_options();
  return options;
}

config::Settings load_cluster(const std::filesystem::path& file) {
  return config::load_settings(cluster_options(), file);
}

config::Settings parse_cluster(std::string_view toml, const std::filesystem::path& file_name) {
  return config::parse_settings(cluster_options(), toml, file_name);
}

}  // namespace moesweep::capacity
