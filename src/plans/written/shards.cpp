#include "shards.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <moesweep/model/checkpoint/shards.hpp>

namespace moesweep::written {

Layout into_shards(std::vector<Bundle> bundles, std::int64_t shard_bytes,
                   const std::string& format) {
  Layout layout;
  if (bundles.empty()) return layout;
  std::vector<std::int64_t> bytes;
  for (const auto& bundle : bundles) {
    bytes.push_back(0);
    for (const auto& tensor : bundle) bytes.back() += tensor.bytes();
  }
  const auto ends = checkpoint::shard_ends(bytes, shard_bytes);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    StoredShard shard{.file = ends.size() == 1 ? checkpoint::lone_shard_name
                                               : checkpoint::shard_name(i, ends.size()),
                      .format = format,
                      .tensors = {},
                      .bytes = 0};
    for (; begin < ends[i]; ++begin)
      std::ranges::move(bundles[begin], std::back_inserter(shard.tensors));
    shard.bytes = checkpoint::safetensors_bytes(header_shapes(shard), format);
    layout.shards.push_back(std::move(shard));
  }
  return layout;
}

}  // namespace moesweep::written
