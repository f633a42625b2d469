// The job file's table, part by part, and the keys that every kind has.

#include <moesweep/app/jobs/job_file.hpp>

#include "option_tables.hpp"

namespace moesweep::jobs {
namespace {

using config::Option;
using config::ValueType;

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

void add(std::vector<Option>& options, std::vector<Option> more) {
  for (auto& option : more) options.push_back(std::move(option));
}

std::vector<Option> general_options() {
  return {
      {.key = "schema",
       .type = ValueType::integer,
       .help = "Version of the job file format, 1.",
       .minimum = 1,
       .maximum = 1},
      {.key = "name",
       .type = ValueType::text,
       .default_value = std::string("sweep"),
       .help = "Name of the sweep in reports and of the batch job.",
       .in_fingerprint = false,
       .characters = "A-Za-z0-9._-"},
      {.key = "kind",
       .type = ValueType::text,
       .help =
           "What is measured: the weights' sensitivity to quantization; on cached hidden states "
           "heads, suppression, probes, or a pipeline of them; or, from measured models, whether "
           "quality hides a loss of safety (quality_safety). A job of kind quantize writes the "
           "checkpoint that a plan describes.",
       .choices = {"sensitivity", "heads", "suppression", "probes", "quality_safety", "pipeline",
                   "quantize"}},
  };
}

std::vector<Option> resource_options() {
  return {
      {.key = "resources.memory",
       .type = ValueType::size,
       .default_value = std::int64_t{0},
       .help = "Memory that units in flight may use on one rank, in bytes; 0: 80 % of the limit "
               "that holds for the rank.",
       .minimum = 0.0,
       .in_fingerprint = false},
      {.key = "resources.unit_bytes",
       .type = ValueType::size,
       .default_value = 256 * mebibyte,
       .help = "Expert stacks are cut into units of at most this many bytes.",
       .minimum = 1},
      {.key = "resources.threads",
       .type = ValueType::integer,
       .default_value = std::int64_t{0},
       .help = "Threads of one rank; 0 takes all that the affinity mask allows.",
       .minimum = 0,
       .maximum = 65536,
       .in_fingerprint = false},
      {.key = "resources.reads_per_file",
       .type = ValueType::integer,
       .default_value = std::int64_t{4},
       .help = "Most reads of one file at once, per rank; weights are read ahead while others are "
               "computed.",
       .minimum = 1,
       .maximum = 1024,
       .in_fingerprint = false},
      {.key = "resources.isa",
       .type = ValueType::text,
       .default_value = std::string("native"),
       .help = "Instruction set of the kernels; native takes the best, a name pins one on clusters "
               "of mixed nodes.",
       .characters = "A-Za-z0-9_"},
      {.key = "output.flush_seconds",
       .type = ValueType::number,
       .default_value = 20.0,
       .help = "A rank writes finished units to disk at least this often, in seconds.",
       .minimum = 0.01,
       .in_fingerprint = false},
  };
}

std::vector<Option> all_options() {
  std::vector<Option> options;
  add(options, general_options());
  add(options, checkpoint_options());
  add(options, sensitivity_options());
  add(options, hidden_options());
  add(options, quality_options());
  add(options, quantize_options());
  add(options, resource_options());
  return options;
}

}  // namespace

std::span<const config::Option> job_options() {
  static const std::vector<Option> options = all_options();
  return options;
}

}  // namespace moesweep::jobs
