#include <moesweep/config/option.hpp>

namespace moesweep::config {
namespace {

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
  };
}

/// A guess that errs on the slow side until it is measured.
Option rate(std::string name, double value, double minimum, std::string help) {
  return {.key = "rates." + std::move(name),
          .type = ValueType::number,
          .default_value = value,
          .help = std::move(help),
          .minimum = minimum};
}

std::vector<Option> all_options() {
  auto options = shape_options();
  options.push_back(rate("read_bytes_per_second_node", 2e8, 1.0,
                         "Bytes a second that one node reads from the checkpoint's file system."));
  options.push_back(rate("read_bytes_per_second_total", 1e9, 1.0,
                         "Bytes a second that all nodes together read from it."));
  options.push_back(rate("gram_flops_per_core", 4e9, 1.0,
                         "Float32 operations a second of a Gram matrix, a core."));
  options.push_back(rate("round_trips_per_second_core", 5e7, 1.0,
                         "Weights times quantizers round-tripped a second, a core."));
  options.push_back(
      rate("moments_per_second_core", 2e8, 1.0, "Weights a second through the moments, a core."));
  options.push_back(rate("unit_overhead_seconds", 0.01, 0.0,
                         "Seconds that a unit costs beside reading and arithmetic."));
  options.push_back(rate("message_latency_seconds", 1e-3, 0.0,
                         "Seconds from sending a message between ranks to handling it."));
  options.push_back(rate("publish_seconds", 0.1, 0.0,
                         "Seconds to encode, fsync and rename one segment of results."));
  return options;
}

}  // namespace

std::span<const Option> cluster_options() {
  static const std::vector<Option> options = all_options();
  return options;
}

}  // namespace moesweep::config
