#pragma once
// The twin of a checkpoint: synthetic weights under the names, in the structure and with the
// published statistics of a real one that is not at hand (docs/twin.md).

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/twin/inventory.hpp>

namespace moesweep::twin {

/// What of the inventory is made. Sides are divided by `scale`, but never below 32 (smaller ones
/// stay), and the number of experts is kept. Weights are pure functions of seed, tensor name,
/// shape, statistics, slice and element: the same whoever reads them, in whatever pieces.
struct TwinOptions {
  std::int64_t scale = 1;  ///< >= 1
  std::uint64_t seed = 0;
};

/// A checkpoint whose bytes are made when they are read. It has one shard, named `twin`, whose
/// header hash covers the inventory's bytes, scale and seed. Quick: a tensor is calibrated when it
/// is first read.
checkpoint::Checkpoint open_twin(const Inventory& inventory, const TwinOptions& options);

/// A tensor with statistics: what was wanted, and what its recipe gives (measured where slices are
/// at most 2^17 weights, predicted for larger ones).
struct Target {
  std::string name;
  Statistics wanted;
  Statistics reached;
  std::string reason;  ///< why one of the two is off by more than 5 %; empty when none is
};

/// Writes the twin into `directory`, which is created and must be empty, absent, or what the same
/// call has left when it was stopped: shards that are whole stay then. Writes shards
/// `model-00001-of-0000n.safetensors` of at most `shard_bytes` (one tensor at least),
/// `model.safetensors.index.json` last, and `config.json` saying what it is. `progress` is called
/// with the bytes written so far. Returns one Target for each tensor with statistics, by name.
/// Throws Error(bad_usage) for a directory in use, Error(io_error).
std::vector<Target> write_twin(const Inventory& inventory, const TwinOptions& options,
                               const std::filesystem::path& directory, std::int64_t shard_bytes,
                               const std::function<void(std::int64_t bytes)>& progress = {});

/// The targets alone, each tensor calibrated by itself; nothing is written.
Target target_of(const InventoryTensor& tensor, const TwinOptions& options);

}  // namespace moesweep::twin
