#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/twin/twin.hpp>

#include "calibrate.hpp"
#include "slice.hpp"

namespace moesweep::twin {
namespace {

constexpr std::uint64_t weight_bytes = 2;

class TwinTensor {
 public:
  TwinTensor(const InventoryTensor& tensor, std::vector<std::int64_t> shape, std::uint64_t seed)
      : matrix_(matrix_shape(tensor.name, shape)),
        key_(key_of(seed, tensor.name)),
        wanted_(tensor.statistics) {}

  const Recipe& recipe() const {
    std::call_once(calibrated_, [this] { recipe_ = calibrate(matrix_, key_, wanted_).recipe; });
    return recipe_;
  }

 private:
  MatrixShape matrix_;
  PhiloxKey key_;
  std::optional<Statistics> wanted_;
  mutable std::once_flag calibrated_;
  mutable Recipe recipe_;
};

void make_elements(const Recipe& recipe, std::int64_t first, std::span<std::uint16_t> out) {
  const auto weights = recipe.matrix.weights();
  for (std::size_t done = 0; done < out.size();) {
    const auto at = first + static_cast<std::int64_t>(done);
    const auto count =
        std::min(static_cast<std::size_t>(weights - at % weights), out.size() - done);
    slice_elements(recipe, at / weights, at % weights, out.subspan(done, count));
    done += count;
  }
}

class TwinSource final : public checkpoint::ByteSource {
 public:
  TwinSource(const Inventory& inventory, const TwinOptions& options) {
    for (const auto& tensor : inventory.tensors) {
      tensors_.try_emplace(tensor.name, tensor,
                           scaled_shape(tensor.name, tensor.shape, options.scale), options.seed);
    }
  }

  void read(const std::string& name, std::uint64_t offset,
            std::span<std::byte> out) const override {
    const auto found = tensors_.find(name);
    expect(found != tensors_.end(), "tensor of another checkpoint");
    const auto first = offset / weight_bytes;
    const auto end = (offset + out.size() + weight_bytes - 1) / weight_bytes;
    std::vector<std::uint16_t> elements(end - first);
    make_elements(found->second.recipe(), checked_cast<std::int64_t>(first), elements);
    const auto bytes = std::as_bytes(std::span(elements));
    std::memcpy(out.data(), bytes.data() + (offset - first * weight_bytes), out.size());
  }

 private:
  std::map<std::string, TwinTensor, std::less<>> tensors_;
};

Hash128 identity(const Inventory& inventory, const TwinOptions& options) {
  Hasher128 hasher;
  hasher.add_text("moesweep twin 1");
  hasher.add(std::as_bytes(std::span(inventory.hash.bytes)));
  hasher.add_text(fmt::format("{} {}", options.scale, options.seed));
  return hasher.finish();
}

}  // namespace

checkpoint::Checkpoint open_twin(const Inventory& inventory, const TwinOptions& options) {
  checkpoint::Checkpoint made;
  made.directory = "twin";
  made.source = std::make_shared<TwinSource>(inventory, options);
  std::uint64_t begin = 0;
  for (const auto& tensor : inventory.tensors) {
    auto shape = scaled_shape(tensor.name, tensor.shape, options.scale);
    const auto matrix = matrix_shape(tensor.name, shape);
    const auto bytes = checked_cast<std::uint64_t>(matrix.slices * matrix.weights()) * weight_bytes;
    made.tensors.push_back({.name = tensor.name,
                            .dtype = Dtype::bf16,
                            .shape = std::move(shape),
                            .shard = 0,
                            .byte_begin = begin,
                            .byte_end = begin + bytes});
    begin += bytes;
  }
  made.shards.push_back({.path = "twin",
                         .name = "twin",
                         .file_bytes = begin,
                         .header_hash = identity(inventory, options)});
  return made;
}

Target target_of(const InventoryTensor& tensor, const TwinOptions& options) {
  expect(tensor.statistics.has_value(), "a target without statistics");
  const auto shape = scaled_shape(tensor.name, tensor.shape, options.scale);
  auto made = calibrate(matrix_shape(tensor.name, shape), key_of(options.seed, tensor.name),
                        tensor.statistics);
  return {tensor.name, *tensor.statistics, made.reached, std::move(made.reason)};
}

}  // namespace moesweep::twin
