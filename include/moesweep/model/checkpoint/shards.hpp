#pragma once
// Tensors to the files of a checkpoint, and the index that names the file of each: as
// save_pretrained of transformers writes them and every loader expects them.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace moesweep::checkpoint {

/// Cuts a row of things (tensors, or several that stay together) of these bytes into files of at
/// most `file_bytes`, in their order: the end of each file. One that is larger has a file of its
/// own, apart from empty ones in front of it; no things are one empty file.
std::vector<std::size_t> shard_ends(std::span<const std::int64_t> bytes, std::int64_t file_bytes);

/// "model-00001-of-00004.safetensors" of the first of four, `shard` counted from 0.
std::string shard_name(std::size_t shard, std::size_t shards);

inline constexpr auto lone_shard_name = "model.safetensors";
inline constexpr auto index_file_name = "model.safetensors.index.json";

/// The text of the index: `files` are those of the tensors by name, `total_bytes` those of all
/// tensors without headers, `indent` the spaces a level.
std::string index_json(const std::map<std::string, std::string>& files, std::int64_t total_bytes,
                       int indent);

}  // namespace moesweep::checkpoint
