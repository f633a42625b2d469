#include <moesweep/app/jobs/checkpoint_input.hpp>
#include <moesweep/core/base/cast.hpp>
#include <moesweep/model/twin/twin.hpp>

namespace moesweep::jobs {

source::Model open_swept_model(const config::Settings& settings) {
  return open_swept_model(settings, settings.texts(expert_patterns_key));
}

source::Model open_swept_model(const config::Settings& settings,
                               const std::vector<std::string>& expert_patterns) {
  const source::ModelOptions options{
      .allow_incomplete = settings.boolean("checkpoint.allow_incomplete"),
      .expert_patterns = expert_patterns};
  if (!settings.has("checkpoint.twin.inventory")) {
    return source::open_model(settings.path("checkpoint.path"), options);
  }
  const auto integer = [&settings](std::string_view key, std::int64_t otherwise) {
    return settings.has(key) ? settings.integer(key) : otherwise;
  };
  return source::as_model(
      twin::open_twin(twin::read_inventory(settings.path("checkpoint.twin.inventory")),
                      {.scale = integer("checkpoint.twin.scale", 1),
                       .seed = checked_cast<std::uint64_t>(integer("checkpoint.twin.seed", 0))}));
}

std::vector<config::InputHash> header_hashes(const checkpoint::Checkpoint& checkpoint) {
  std::vector<config::InputHash> hashes;
  for (const auto& shard : checkpoint.shards) {
    Hasher128 hasher;
    hasher.add(std::as_bytes(std::span(shard.header_hash.bytes)));
    hasher.add(std::as_bytes(std::span(&shard.file_bytes, 1)));
    hashes.push_back({shard.name, hasher.finish()});
  }
  return hashes;
}

}  // namespace moesweep::jobs
