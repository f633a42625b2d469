#include "small_checkpoint.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/model/kernels/encode.hpp>

namespace moesweep::written::test {

float weight_at(const std::string& name, std::uint64_t i) {
  const auto bits = hash64(fmt::format("{}/{}", name, i)) >> 40;
  return (static_cast<float>(bits) / 0x1p24F - 0.45F) * 0.05F;
}

checkpoint::Checkpoint inventory(const std::vector<checkpoint::TensorShape>& tensors) {
  checkpoint::Checkpoint made;
  made.shards.push_back({});
  for (const auto& tensor : tensors) {
    checkpoint::Tensor added{.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape};
    added.byte_end = static_cast<std::uint64_t>(added.params() * dtype_bytes(tensor.dtype));
    made.tensors.push_back(added);
  }
  std::ranges::sort(made.tensors, {}, &checkpoint::Tensor::name);
  return made;
}

checkpoint::Checkpoint written(const std::filesystem::path& directory,
                               const std::vector<checkpoint::TensorShape>& tensors) {
  std::vector<checkpoint::TensorSource> sources;
  for (const auto& tensor : tensors) {
    const auto fill = [tensor](std::uint64_t offset, std::span<std::byte> out) {
      const auto element = static_cast<std::uint64_t>(dtype_bytes(tensor.dtype));
      std::vector<float> values(out.size() / element);
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = weight_at(tensor.name, offset / element + i);
      }
      kernels::encode(tensor.dtype, values, out);
    };
    sources.push_back({tensor.name, tensor.dtype, tensor.shape, fill});
  }
  checkpoint::write_safetensors(directory / "model.safetensors", sources);
  return checkpoint::open_checkpoint(directory);
}

records::Plan keeping(const checkpoint::Checkpoint& source) {
  records::Plan plan;
  for (const auto& tensor : source.tensors) {
    records::PlanRow row;
    row.tensor = tensor.name;
    row.shape = fmt::format("{}", fmt::join(tensor.shape, "x"));
    row.dtype = dtype_name(tensor.dtype);
    row.action = "keep";
    plan.rows.push_back(row);
  }
  return plan;
}

void quantize(records::Plan& plan, const std::string& part, int bits, int group_size,
              const std::string& quantizer) {
  for (auto& row : plan.rows) {
    if (row.tensor.find(part) == std::string::npos) continue;
    row.action = "quantize";
    row.quantizer = quantizer;
    row.bits = bits;
    row.group_size = group_size;
  }
}

}  // namespace moesweep::written::test
