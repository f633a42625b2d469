#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/model/checkpoint/shards.hpp>

namespace moesweep::checkpoint {

inline constexpr std::string_view index_name = index_file_name;

/// One line of an index's weight_map.
struct IndexEntry {
  std::string tensor;
  std::string shard;
};

/// Room for a million tensors at 256 bytes a line.
inline constexpr std::uint64_t max_index_bytes = 256'000'000;

/// The weight_map of a `model.safetensors.index.json`, sorted by tensor name. Error(bad_input) for
/// malformed or deep JSON, a weight_map that is missing, empty, given twice or not text to text,
/// and a tensor that is listed twice. Other keys are not looked at.
std::vector<IndexEntry> parse_index(std::span<const std::byte> text, const std::string& file);

}  // namespace moesweep::checkpoint
