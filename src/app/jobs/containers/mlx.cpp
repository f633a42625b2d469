// A checkpoint that mlx-lm loads.

#include <moesweep/plans/handoff/mlx.hpp>

#include "container.hpp"
#include "quantize_output.hpp"

namespace moesweep::jobs {
namespace {

written::Layout layout(const ContainerInput& input) {
  return written::mlx_layout(input.source, input.plan, input.architecture, input.shard_bytes,
                             input.allow_unmapped);
}

std::string config(const ContainerInput& input, const std::string& source_config) {
  return merged_config(
      source_config, input.architecture.model_type,
      handoff::mlx_config_keys(input.plan, input.architecture, input.allow_unmapped));
}

}  // namespace

Container mlx_container() {
  return {.name = "mlx",
          .help = "packed codes, scales and biases under mlx-lm's names",
          .has_planned_size = true,
          .layout = layout,
          .config = config};
}

}  // namespace moesweep::jobs
