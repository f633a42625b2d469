#pragma once
// A form in which a planned checkpoint is written: safetensors, with an index and config.json
// beside them, whatever lies in its tensors. A new one is its layout in plans/written, its
// file in containers/ and its line in containers.cpp.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/plans/written/layout.hpp>

namespace moesweep::jobs {

/// What is to be written; all of it outlives the call.
struct ContainerInput {
  const checkpoint::Checkpoint& source;
  const records::Plan& plan;
  const names::Architecture& architecture;
  const std::vector<std::string>& expert_patterns;
  std::int64_t shard_bytes = 0;
  bool allow_unmapped = false;
};

struct Container {
  std::string name;  ///< of --to
  std::string help;  ///< what is written, without a full stop
  /// The plan's size is that of its files.
  bool has_planned_size = false;
  std::string_view suffix = ".safetensors";  ///< of its files: none else may lie among them
  written::Layout (*layout)(const ContainerInput& input) = nullptr;
  /// Text of config.json from that of the source, which is empty when there is none; null: the
  /// source's. Made before any weight is written, so that it cannot fail at the end.
  std::string (*config)(const ContainerInput& input, const std::string& source_config) = nullptr;
};

std::span<const Container> containers();
/// bug() for another name: the job file's choices are container_names().
const Container& container_named(std::string_view name);

}  // namespace moesweep::jobs
