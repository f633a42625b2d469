#pragma once
// Which formats a runtime has, and what they take.

#include <span>
#include <string>
#include <vector>

#include <moesweep/model/names/runtime.hpp>
#include <moesweep/plans/allocation/plan.hpp>

namespace moesweep::planning {

/// mlx: affine, 2, 3, 4, 5, 6 and 8 bits in groups of 32, 64 and 128. gguf: q2_k to q8_0. vllm:
/// ct_int4 and ct_int8 in groups of 32, 64 and 128. Or the `quantizers` that are named (also rtn
/// and the other block formats), in all of their bits and groups. Error(bad_usage) for an unknown
/// one.
std::vector<allocation::Format> formats_of(names::Runtime runtime,
                                           const std::vector<std::string>& quantizers);

/// llama.cpp's converter writes vectors, norms, routers, short convolutions and all that is no
/// weight as F32 (convert_hf_to_gguf.py, prepare_tensors).
bool is_widened_in_gguf(const names::RuntimeTensor& target, std::span<const std::int64_t> shape);

/// Without file headers; -1 when rows are no whole groups or blocks. affine as MLX packs it; rtn
/// with binary32 scale and offset; block formats by their bits per weight, nvfp4 with one scale a
/// matrix.
std::int64_t stored_bytes(const allocation::Tensor& tensor, const allocation::Format& format);

}  // namespace moesweep::planning
