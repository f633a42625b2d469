#include <bit>
#include <cmath>
#include <cstring>

#include <moesweep/core/base/cast.hpp>
#include <moesweep/core/base/error.hpp>
#include <moesweep/core/base/float16.hpp>
#include <moesweep/model/kernels/encode.hpp>

#include "round_trip_steps.hpp"

namespace moesweep::kernels {
namespace {

std::uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(round_to_bf16(value)) >> 16);
}

std::uint16_t f16_of(float value) {
  if (std::isnan(value)) return std::signbit(value) ? 0xfe00 : 0x7e00;
  return exact_half(round_to_f16(value)).value();
}

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
