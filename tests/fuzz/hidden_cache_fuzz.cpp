// A cache of hidden states that someone made: HDF5 reads it in a process of its own.

#include <moesweep/engine/store/hidden_cache.hpp>

#include "promise.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moesweep;
  const auto path = fuzz::memory_folder() / "4bit.h5";
  fuzz::write_file(path, fuzz::text_of(data, size));
  fuzz::parses_or_refuses([&] {
    const store::HiddenCache cache(path);
    for (const auto& layer : cache.info().layers) {
      for (const auto& pooling : cache.poolings(layer)) cache.check_pooled(layer, pooling);
      if (cache.has_span_means(layer)) cache.check_span_means(layer);
      if (cache.has_token_states(layer)) cache.check_token_states(layer);
    }
  });
  return 0;
}
