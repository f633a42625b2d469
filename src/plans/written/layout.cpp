#include <moesweep/core/base/cast.hpp>
#include <moesweep/plans/written/layout.hpp>

namespace moesweep::written {

std::int64_t StoredTensor::bytes() const {
  auto bits = checked_cast<std::uint64_t>(dtype_bits(dtype));
  for (const auto side : shape) {
    const auto product = checked_product(bits, checked_cast<std::uint64_t>(side));
    expect(product.has_value(), "stored tensor is too large");
    bits = *product;
  }
  expect(bits % 8 == 0, "stored tensor does not fill whole bytes");
  return checked_cast<std::int64_t>(bits / 8);
}

std::vector<checkpoint::TensorShape> header_shapes(const StoredShard& shard) {
  std::vector<checkpoint::TensorShape> shapes;
  for (const auto& tensor : shard.tensors) {
    shapes.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  return shapes;
}

std::int64_t Layout::bytes() const {
  std::int64_t total = 0;
  for (const auto& shard : shards) total += shard.bytes;
  return total;
}

}  // namespace moesweep::written
