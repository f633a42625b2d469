#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/app/jobs/containers.hpp>
#include <moesweep/model/names/runtime.hpp>

#include "container.hpp"
#include "option_tables.hpp"

namespace moesweep::jobs {
namespace {

using config::TextList;
using config::ValueType;

std::string what_is_written() {
  std::vector<std::string> forms;
  for (const auto& container : containers()) {
    forms.push_back(fmt::format("{} ({})", container.help, container.name));
  }
  return fmt::format("What is written: {}.", fmt::join(forms, ", or "));
}

std::vector<std::string> known_families() {
  const auto known = names::known_architectures();
  return {known.begin(), known.end()};
}

}  // namespace

std::vector<config::Option> quantize_options() {
  const TextList kinds = {"quantize"};
  return {
      {.key = "quantize.plan",
       .type = ValueType::path,
       .help = "Plan (JSON) that says how each tensor is stored, as `moesweep allocate` writes it.",
       .kinds = kinds,
       .in_fingerprint = false},
      {.key = "quantize.to",
       .type = ValueType::text,
       .help = what_is_written(),
       .choices = container_names(),
       .kinds = kinds},
      {.key = "quantize.out",
       .type = ValueType::path,
       .help = "Folder that the checkpoint is written to.",
       .kinds = kinds,
       .in_fingerprint = false},
      {.key = "quantize.shard_bytes",
       .type = ValueType::size,
       .default_value = std::int64_t{4} << 30,
       .help = "Most bytes of tensors in one file, unless one module alone has more; one unit of "
               "work writes one file.",
       .minimum = 1,
       .kinds = kinds},
      {.key = "quantize.architecture",
       .type = ValueType::text,
       .help = "Model type whose names mlx-lm's are made from; the plan's when not given, "
               "\"generic\" keeps the names.",
       .choices = known_families(),
       .kinds = kinds,
       .may_be_absent = true},
      {.key = "quantize.allow_unmapped",
       .type = ValueType::boolean,
       .default_value = false,
       .help = "Leave out tensors whose name in mlx-lm is not known.",
       .kinds = kinds},
  };
}

}  // namespace moesweep::jobs
