#include "option_tables.hpp"

namespace moesweep::jobs {
namespace {

using config::TextList;
using config::ValueType;

}  // namespace

std::vector<config::Option> checkpoint_options() {
  const TextList kinds = {"sensitivity"};
  const TextList both = {"sensitivity", "quantize"};
  return {
      {.key = "checkpoint.path",
       .type = ValueType::path,
       .help =
           "Folder or file of a safetensors checkpoint, relative to the job file; either this or "
           "checkpoint.twin.inventory is given.",
       .kinds = both,
       .in_fingerprint = false,
       .may_be_absent = true},
      {.key = "checkpoint.twin.inventory",
       .type = ValueType::path,
       .help =
           "Inventory (CSV) of a checkpoint whose synthetic twin is swept without being written.",
       .kinds = both,
       .in_fingerprint = false,
       .may_be_absent = true},
      {.key = "checkpoint.twin.scale",
       .type = ValueType::integer,
       .help =
           "What the sides of the inventory's matrices are divided by, never to below 32; 1 when "
           "not given.",
       .minimum = 1,
       .maximum = 1048576,
       .kinds = both,
       .may_be_absent = true},
      {.key = "checkpoint.twin.seed",
       .type = ValueType::integer,
       .help = "Seed of the twin's weights; 0 when not given.",
       .minimum = 0,
       .kinds = both,
       .may_be_absent = true},
      {.key = "checkpoint.include",
       .type = ValueType::text_list,
       .default_value = TextList{"*"},
       .help = "Globs on tensor names: what is swept.",
       .kinds = kinds,
       .may_be_empty = false},
      {.key = "checkpoint.exclude",
       .type = ValueType::text_list,
       .default_value = TextList{},
       .help = "Globs on tensor names: what is left out of it.",
       .kinds = kinds},
      {.key = "checkpoint.nonfinite",
       .type = ValueType::text,
       .default_value = std::string("fail"),
       .help = "A NaN or infinity among the weights fails its unit, or skips its matrix by name.",
       .choices = {"fail", "skip"},
       .kinds = kinds},
      {.key = "checkpoint.expert_patterns",
       .type = ValueType::text_list,
       .default_value = TextList{"experts"},
       .help = "Name components that mark a rank-3 tensor as a stack of experts.",
       .kinds = both},
      {.key = "checkpoint.allow_incomplete",
       .type = ValueType::boolean,
       .default_value = false,
       .help =
           "Take a checkpoint that lacks shards, or layers, experts or the output head that its "
           "config.json promises; what is missing is listed.",
       .kinds = both,
       .in_fingerprint = false},
  };
}

}  // namespace moesweep::jobs
