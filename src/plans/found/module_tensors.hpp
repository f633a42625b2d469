#pragma once
// The tensors of a safetensors checkpoint by the module they belong to.

#include <map>
#include <span>
#include <string>
#include <string_view>

#include <moesweep/model/checkpoint/checkpoint.hpp>
#include <moesweep/plans/found/found.hpp>

namespace moesweep::found {

/// "a.b.weight" is part "weight" of module "a.b"; a name without a dot is a module of part "".
using Parts = std::map<std::string, const checkpoint::Tensor*, std::less<>>;
std::map<std::string, Parts> parts_by_module(const checkpoint::Checkpoint& checkpoint);

/// Null when the module has no such part.
const checkpoint::Tensor* find_part(const Parts& parts, std::string_view part);

/// A tensor that is stored as it is.
FoundModule unquantized(const std::string& module, const std::string& part,
                        const checkpoint::Tensor& tensor);

/// "bf16".
std::string element_name(Dtype dtype);
std::string tensor_name(std::string_view module, std::string_view part);

std::int64_t product(std::span<const std::int64_t> shape);
/// Bytes of all shard files.
std::int64_t file_bytes(const checkpoint::Checkpoint& checkpoint);
void sort_by_name(Found& found);

[[noreturn]] void refuse_tensor(const checkpoint::Checkpoint& checkpoint,
                                const checkpoint::Tensor& tensor, const std::string& problem);

}  // namespace moesweep::found
