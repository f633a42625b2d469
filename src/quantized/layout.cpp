#include <moesweep/base/cast.hpp>
#include <moesweep/quantized/layout.hpp>

namespace moesweep::quantized {

std::int64_t StoredTensor::bytes() const {
  auto bytes = checked_cast<std::uint64_t>(dtype_bytes(dtype));
  for (const auto side : shape) {
    const auto product = checked_product(bytes, checked_cast<std::uint64_t>(side));
    expect(product.has_value(), "stored tensor is too large");
    bytes = *product;
  }
  return checked_cast<std::int64_t>(bytes);
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

}  // namespace moesweep::quantized
