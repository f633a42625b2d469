#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/file.hpp>
#include <moesweep/core/base/paths.hpp>
#include <moesweep/model/checkpoint/shards.hpp>
#include <moesweep/model/checkpoint/unfinished.hpp>
#include <moesweep/model/checkpoint/write.hpp>
#include <moesweep/model/twin/twin.hpp>

namespace moesweep::twin {
namespace {

namespace fs = std::filesystem;

// Raised when the same options give other bytes: what one version has begun another must not
// finish.
constexpr int recipe_version = 1;

/// All that the bytes of the folder depend on.
std::string recipe_of(const Inventory& inventory, const TwinOptions& options,
                      std::int64_t shard_bytes) {
  return fmt::format("twin {} of inventory {} --scale {} --seed {} --shard-size {}", recipe_version,
                     inventory.hash.hex(), options.scale, options.seed, shard_bytes);
}

/// Files get their names when they are whole: one of the right size is left by an earlier start.
bool is_written(const fs::path& file, const std::vector<checkpoint::TensorSource>& tensors) {
  std::vector<checkpoint::TensorShape> shapes;
  for (const auto& tensor : tensors) shapes.push_back({tensor.name, tensor.dtype, tensor.shape});
  const auto bytes = size_of_file_at(file);
  return bytes && std::cmp_equal(*bytes, checkpoint::safetensors_bytes(shapes));
}

std::vector<std::size_t> shard_ends(const checkpoint::Checkpoint& twin, std::int64_t shard_bytes) {
  std::vector<std::int64_t> bytes;
  for (const auto& tensor : twin.tensors) bytes.push_back(tensor.bytes());
  return checkpoint::shard_ends(bytes, shard_bytes);
}

std::string config_text(const TwinOptions& options, const Inventory& inventory) {
  const nlohmann::ordered_json document = {{"model_type", "moesweep_twin"},
                                           {"torch_dtype", "bfloat16"},
                                           {"moesweep_twin",
                                            {{"scale", options.scale},
                                             {"seed", options.seed},
                                             {"inventory_xxh3", inventory.hash.hex()}}}};
  return document.dump(2) + "\n";
}

}  // namespace

std::vector<Target> write_twin(const Inventory& inventory, const TwinOptions& options,
                               const fs::path& directory, std::int64_t shard_bytes,
                               const std::function<void(std::int64_t bytes)>& progress) {
  const bool was_begun =
      checkpoint::begin_folder(directory, recipe_of(inventory, options, shard_bytes));
  const auto twin = open_twin(inventory, options);
  const checkpoint::TensorReader reader(twin);
  std::map<std::string, std::string> files;
  std::int64_t written = 0;
  const auto ends = shard_ends(twin, shard_bytes);
  std::size_t begin = 0;
  for (std::size_t shard = 0; shard < ends.size(); ++shard) {
    const auto file = checkpoint::shard_name(shard, ends.size());
    std::vector<checkpoint::TensorSource> sources;
    for (; begin < ends[shard]; ++begin) {
      const auto& tensor = twin.tensors[begin];
      files[tensor.name] = file;
      sources.push_back({tensor.name, tensor.dtype, tensor.shape,
                         [&](std::uint64_t offset, std::span<std::byte> out) {
                           reader.read(tensor, offset, out);
                           written += std::ssize(out);
                           if (progress) progress(written);
                         }});
    }
    if (!was_begun || !is_written(directory / file, sources)) {
      checkpoint::write_safetensors(directory / file, sources);
    }
  }
  publish_file(directory / "config.json", config_text(options, inventory));
  publish_file(directory / checkpoint::index_file_name,
               checkpoint::index_json(files, twin.bytes(), 1));
  checkpoint::finish_folder(directory);

  std::vector<Target> targets;
  for (const auto& tensor : inventory.tensors) {
    if (tensor.statistics) targets.push_back(target_of(tensor, options));
  }
  return targets;
}

}  // namespace moesweep::twin
