#include "shards.hpp"

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::written {

Layout into_shards(std::vector<Bundle> bundles, std::int64_t shard_bytes,
                   const std::string& format) {
  expect(shard_bytes > 0, "shards of no bytes");
  Layout layout;
  std::int64_t filled = 0;
  for (auto& bundle : bundles) {
    std::int64_t bytes = 0;
    for (const auto& tensor : bundle) bytes += tensor.bytes();
    if (layout.shards.empty() || bytes > shard_bytes - filled) {
      layout.shards.push_back({{}, format, {}, 0});
      filled = 0;
    }
    filled += bytes;
    for (auto& tensor : bundle) layout.shards.back().tensors.push_back(std::move(tensor));
  }
  const auto count = layout.shards.size();
  for (std::size_t i = 0; i < count; ++i) {
    auto& shard = layout.shards[i];
    shard.file = count == 1 ? "model.safetensors"
                            : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, count);
    shard.bytes = checkpoint::safetensors_bytes(header_shapes(shard), format);
  }
  return layout;
}

}  // namespace moesweep::written
