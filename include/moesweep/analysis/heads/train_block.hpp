#pragma once
// A block of seeds: trains a head for each and tells how it does on every split.

#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/analysis/training/evaluation.hpp>
#include <moesweep/analysis/training/trainer.hpp>
#include <moesweep/core/records/heads.hpp>

namespace moesweep::heads {

/// Names in rows.
struct Axis {
  std::string variant;
  std::string head;
  std::string layer;
  std::string pooling;
};

struct SeedBlock {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

struct Block {
  Axis axis;
  training::Examples examples;
  training::TrainOptions options;
  std::vector<std::string> label_names;  ///< by class
  training::Forbidden forbidden;
  /// For heads of spans: the slot of each example among [samples * spans]; empty for samples.
  std::vector<std::int64_t> slots;
  std::int64_t slot_count = 0;
};

/// A trained seed, to be kept.
struct KeptHead {
  std::int64_t seed = 0;
  training::HeadTensors<float> tensors;
};

struct BlockResult {
  records::Tables tables;  ///< heads/seeds, heads/confusion, heads/predictions
  std::vector<KeptHead> heads;
};

/// On the calling thread, one seed after the other.
BlockResult train_block(const Block& block, const SeedBlock& seeds);

/// Rows of decisions that were made elsewhere: seed 0 of `axis`.
records::Tables rows_of_decisions(const Axis& axis, const training::Evaluation& evaluation,
                                  const std::vector<std::string>& label_names);

}  // namespace moesweep::heads
