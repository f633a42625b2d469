// quantization_config of a compressed-tensors checkpoint.

#include <moesweep/model/checkpoint/config_json.hpp>

#include "compressed_tensors_config.hpp"
#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  fuzz::parses_or_refuses([&] {
    const found::CompressedTensorsConfig config(
        checkpoint::parse_config(fuzz::text_of(data, size)));
    for (const auto* module : {"model.layers.0.mlp.down_proj", "lm_head", ""}) {
      const auto scheme = config.scheme_of(module);
      fuzz::require(!scheme || config.is_there());
      config.ignores(module);
      config.targets_by_name(module);
    }
    config.exact_names();
  });
  return 0;
}
