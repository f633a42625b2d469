#pragma once
// Checkpoints and plans for tests.

#include <filesystem>
#include <string>
#include <vector>

#include <moesweep/core/records/plan.hpp>
#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/model/checkpoint/write.hpp>

namespace moesweep::written::test {

/// Weights that look random, without NaN and infinities: element i of the tensor called `name`.
float weight_at(const std::string& name, std::uint64_t i);

/// Tensors in memory only: for layouts.
checkpoint::Checkpoint inventory(const std::vector<checkpoint::TensorShape>& tensors);

/// The same in a file of this directory, with weight_at in the tensors' dtypes.
checkpoint::Checkpoint written(const std::filesystem::path& directory,
                               const std::vector<checkpoint::TensorShape>& tensors);

/// Keeps all tensors as they are.
records::Plan keeping(const checkpoint::Checkpoint& source);

/// Changes the rows of tensors whose name contains `part`.
void quantize(records::Plan& plan, const std::string& part, int bits, int group_size,
              const std::string& quantizer = "affine");

}  // namespace moesweep::written::test
