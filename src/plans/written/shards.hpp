#pragma once
// Stored tensors to files.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/plans/written/layout.hpp>

namespace moesweep::written {

/// Tensors that stay in one file.
using Bundle = std::vector<StoredTensor>;

/// Bundles in the given order, cut by checkpoint::shard_ends.
Layout into_shards(std::vector<Bundle> bundles, std::int64_t shard_bytes,
                   const std::string& format);

}  // namespace moesweep::written
