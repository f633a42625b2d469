#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/base/error.hpp>
#include <moesweep/model/checkpoint/shards.hpp>

namespace moesweep::checkpoint {

std::vector<std::size_t> shard_ends(std::span<const std::int64_t> bytes, std::int64_t file_bytes) {
  expect(file_bytes > 0, "shards of no bytes");
  std::vector<std::size_t> ends;
  std::int64_t filled = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (filled > 0 && bytes[i] > file_bytes - filled) {
      ends.push_back(i);
      filled = 0;
    }
    filled += bytes[i];
  }
  ends.push_back(bytes.size());
  return ends;
}

std::string shard_name(std::size_t shard, std::size_t shards) {
  return fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards);
}

std::string index_json(const std::map<std::string, std::string>& files, std::int64_t total_bytes,
                       int indent) {
  const nlohmann::ordered_json index = {{"metadata", {{"total_size", total_bytes}}},
                                        {"weight_map", files}};
  return index.dump(indent) + "\n";
}

}  // namespace moesweep::checkpoint
