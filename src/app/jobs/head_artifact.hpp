#pragma once
// Trained heads as a safetensors file, named by the hash of its bytes.

#include <vector>

#include <moesweep/analysis/heads/train_block.hpp>
#include <moesweep/analysis/training/features.hpp>
#include <moesweep/app/jobs/job.hpp>

namespace moesweep::jobs {

/// Tensors `standardize.mean` and `standardize.sd`, and for each seed `seed<number>/<name>` with
/// PyTorch's names and layouts, all F32.
Artifact encode_heads(const heads::Axis& axis, const std::vector<heads::KeptHead>& kept,
                      const training::Standardization& by);

}  // namespace moesweep::jobs
