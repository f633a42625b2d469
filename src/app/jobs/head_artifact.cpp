#include "head_artifact.hpp"

#include <cstring>

#include <fmt/format.h>

#include <moesweep/core/base/hash.hpp>
#include <moesweep/engine/store/output_file.hpp>
#include <moesweep/model/checkpoint/write.hpp>

namespace moesweep::jobs {
namespace {

checkpoint::TensorSource source_of(std::string name, std::vector<std::int64_t> shape,
                                   const std::vector<float>& values) {
  return {std::move(name), Dtype::f32, std::move(shape),
          [&values](std::uint64_t offset, std::span<std::byte> out) {
            std::memcpy(out.data(), reinterpret_cast<const std::byte*>(values.data()) + offset,
                        out.size());
          }};
}

std::string file_stem(const heads::Axis& axis, std::int64_t first, std::size_t count) {
  return fmt::format("{}-{}-{}-{}-s{:04}-{}", axis.variant, axis.head, axis.layer, axis.pooling,
                     first, count);
}

}  // namespace

Artifact encode_heads(const heads::Axis& axis, const std::vector<heads::KeptHead>& kept,
                      const training::Standardization& by) {
  const auto d = static_cast<std::int64_t>(by.mean.size());
  std::vector<checkpoint::TensorSource> sources;
  sources.push_back(source_of("standardize.mean", {d}, by.mean));
  sources.push_back(source_of("standardize.sd", {d}, by.sd));
  for (const auto& head : kept) {
    for (const auto& tensor : head.tensors) {
      sources.push_back(
          source_of(fmt::format("seed{}/{}", head.seed, tensor.name), tensor.shape, tensor.values));
    }
  }
  Artifact artifact;
  artifact.bytes = checkpoint::encode_safetensors(sources);
  artifact.name = store::artifact_name(file_stem(axis, kept.front().seed, kept.size()),
                                       hash128(artifact.bytes), "safetensors");
  return artifact;
}

}  // namespace moesweep::jobs
