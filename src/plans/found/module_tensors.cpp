#include "module_tensors.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>

namespace moesweep::found {

std::map<std::string, Parts> parts_by_module(const checkpoint::Checkpoint& checkpoint) {
  std::map<std::string, Parts> modules;
  for (const auto& tensor : checkpoint.tensors) {
    const auto dot = tensor.name.rfind('.');
    const auto module = tensor.name.substr(0, dot);
    const auto part = dot == std::string::npos ? std::string() : tensor.name.substr(dot + 1);
    modules[module].emplace(part, &tensor);
  }
  return modules;
}

const checkpoint::Tensor* find_part(const Parts& parts, std::string_view part) {
  const auto found = parts.find(part);
  return found == parts.end() ? nullptr : found->second;
}

std::string element_name(Dtype dtype) {
  std::string name(dtype_name(dtype));
  std::ranges::transform(name, name.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return name;
}

std::string tensor_name(std::string_view module, std::string_view part) {
  return part.empty() ? std::string(module) : fmt::format("{}.{}", module, part);
}

FoundModule unquantized(const std::string& module, const std::string& part,
                        const checkpoint::Tensor& tensor) {
  FoundModule found;
  found.name = part == "weight" ? module : tensor.name;
  found.element = element_name(tensor.dtype);
  found.encoding.bits = checked_cast<std::int32_t>(dtype_bits(tensor.dtype));
  found.shape = tensor.shape;
  found.bytes = tensor.bytes();
  return found;
}

std::int64_t product(std::span<const std::int64_t> shape) {
  std::uint64_t product = 1;
  for (const auto size : shape) {
    const auto next = checked_product(product, checked_cast<std::uint64_t>(size));
    if (!next || !std::in_range<std::int64_t>(*next)) {
      throw Error(ExitCode::bad_input, "", fmt::format("a shape has more than 2^63 weights"));
    }
    product = *next;
  }
  return static_cast<std::int64_t>(product);
}

std::int64_t file_bytes(const checkpoint::Checkpoint& checkpoint) {
  std::int64_t bytes = 0;
  for (const auto& shard : checkpoint.shards) bytes += checked_cast<std::int64_t>(shard.file_bytes);
  return bytes;
}

void sort_by_name(Found& found) {
  std::ranges::sort(found.modules, {}, &FoundModule::name);
}

void refuse_tensor(const checkpoint::Checkpoint& checkpoint, const checkpoint::Tensor& tensor,
                   const std::string& problem) {
  throw Error(ExitCode::bad_input, checkpoint.shards[tensor.shard].path.string(),
              fmt::format("tensor \"{}\" {}", tensor.name, problem), "write the checkpoint again");
}

}  // namespace moesweep::found
