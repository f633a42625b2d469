// The original checkpoint with the values that quantization leaves.

#include "container.hpp"

namespace moesweep::jobs {
namespace {

written::Layout layout(const ContainerInput& input) {
  return written::dequantized_layout(input.source, input.plan, input.shard_bytes,
                                     input.expert_patterns);
}

}  // namespace

Container dequantized_container() {
  return {.name = "dequantized",
          .help = "the quantized values in the original dtype under the original names",
          .layout = layout};
}

}  // namespace moesweep::jobs
