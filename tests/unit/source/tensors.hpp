#pragma once
// Checkpoints of names, dtypes and shapes alone.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <moesweep/model/checkpoint/checkpoint.hpp>

namespace moesweep::source::test {

struct Entry {
  std::string name;
  Dtype dtype;
  std::vector<std::int64_t> shape;
};

inline checkpoint::Checkpoint checkpoint_of(const std::vector<Entry>& entries) {
  checkpoint::Checkpoint checkpoint{.directory = "model"};
  for (const auto& entry : entries) {
    checkpoint::Tensor tensor{.name = entry.name, .dtype = entry.dtype, .shape = entry.shape};
    tensor.byte_end = static_cast<std::uint64_t>(tensor.params() * dtype_bits(entry.dtype) / 8);
    checkpoint.tensors.push_back(tensor);
  }
  std::ranges::sort(checkpoint.tensors, {}, &checkpoint::Tensor::name);
  return checkpoint;
}

}  // namespace moesweep::source::test
