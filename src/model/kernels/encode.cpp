#include <bit>
#include <cstring>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/model/kernels/encode.hpp>

#include "stored_bits.hpp"

namespace moesweep::kernels {
namespace {

template <typename Element>
void encode_each(std::span<const float> values, std::span<std::byte> bytes, auto element_of) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Element element = element_of(values[i]);
    std::memcpy(bytes.data() + i * sizeof element, &element, sizeof element);
  }
}

}  // namespace

void encode(Dtype dtype, std::span<const float> values, std::span<std::byte> bytes) {
  static_assert(std::endian::native == std::endian::little);
  expect(bytes.size() == values.size() * checked_cast<std::size_t>(dtype_bytes(dtype)),
         "encoded bytes of another size");
  switch (dtype) {
    case Dtype::bf16:
      return encode_each<std::uint16_t>(values, bytes, bf16_of);
    case Dtype::f16:
      return encode_each<std::uint16_t>(values, bytes, f16_of);
    case Dtype::f32:
      return encode_each<float>(values, bytes, [](float value) { return value; });
    case Dtype::f64:
      return encode_each<double>(values, bytes, [](float value) { return double{value}; });
    default:
      bug("no encoder of this dtype");
  }
}

}  // namespace moesweep::kernels
