#pragma once
// Which formats a runtime has, and what they take.

#include <span>
#include <string>
#include <vector>

#include <moesweep/model/formats/encoding.hpp>
#include <moesweep/model/names/runtime.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::planning {

/// What `allocate` offers a runtime, fewest bits first: formats of the catalog that are a default
/// of the runtime's family. Or the `quantizers` that are named. In all of their bits and groups.
/// Error(bad_usage) for an unknown one.
std::vector<formats::Encoding> formats_of(names::Runtime runtime,
                                          const std::vector<std::string>& quantizers);

/// llama.cpp's converter writes vectors, norms, routers, short convolutions and all that is no
/// weight as F32 (convert_hf_to_gguf.py, prepare_tensors).
bool is_widened_in_gguf(const names::RuntimeTensor& target, std::span<const std::int64_t> shape);

/// formats::stored_bytes of the tensor.
std::int64_t stored_bytes(const allocation::Tensor& tensor, const formats::Encoding& encoding);

}  // namespace moesweep::planning
