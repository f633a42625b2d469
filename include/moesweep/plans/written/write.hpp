#pragma once
// Writes one file of a quantized checkpoint, and measures what it writes.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/plans/written/layout.hpp>

namespace moesweep::written {

/// What a source tensor, or a part of it, became.
struct WrittenPart {
  std::size_t tensor = 0;  ///< index into the source checkpoint's tensors
  std::string name;        ///< stored; of the codes where scales and biases go with them
  std::int64_t weights = 0;
  std::int64_t bytes = 0;  ///< with scales and biases
  bool is_quantized = false;
  formats::Encoding encoding{};
  /// Of the codes, scales and biases that were written; 0 for a copy. The sweep's table has the
  /// same sum.
  double sse = 0.0;
  /// Dequantized values are rounded to the tensor's dtype: of what is in the file then.
  double sse_stored = 0.0;
  double sum_squares = std::numeric_limits<double>::quiet_NaN();  ///< not measured for copies
};

struct WrittenShard {
  std::int64_t bytes = 0;
  std::int64_t bytes_read = 0;
  Hash128 hash;  ///< XXH3-128 of the file
  std::vector<WrittenPart> parts;
};

/// Weights that are in memory at once, beside those read ahead; whole rows, one at least.
inline constexpr std::int64_t block_weights = std::int64_t{1} << 20;

/// Writes `shard` to `path`: a temporary file beside it, fsynced and renamed after `accept` has
/// seen what it holds. Equal input gives equal bytes. Throws Error(bad_input), naming tensor and
/// element, for a NaN or infinity among the weights to be quantized, Error(io_error), and what
/// `accept` throws; `path` is as it was before then.
WrittenShard write_shard(const checkpoint::Checkpoint& source,
                         const checkpoint::TensorReader& reader, const StoredShard& shard,
                         const std::filesystem::path& path,
                         const std::function<void(const WrittenShard&)>& accept);

/// Memory of write_shard's buffers.
std::int64_t write_peak_bytes(const checkpoint::Checkpoint& source, const StoredShard& shard);
/// Bytes of the source behind a shard.
std::int64_t source_bytes(const checkpoint::Checkpoint& source, const StoredShard& shard);
/// What writing a shard costs, in round trips of rtn a weight: the format's own, and one for the
/// error and the stored values.
std::int64_t round_trips(const StoredShard& shard);

}  // namespace moesweep::written
