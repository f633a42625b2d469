// Noise from vectors of Philox counters, one copy per target.
#if defined(MOESWEEP_KERNELS_NOISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_NOISE_INL_H
#undef MOESWEEP_KERNELS_NOISE_INL_H
#else
#define MOESWEEP_KERNELS_NOISE_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include <moesweep/model/kernels/noise.hpp>

#include "philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void store_sum_of_uniforms(D d, CounterVector word, float* HWY_RESTRICT out) {
  const hn::RebindToSigned<D> d_signed;
  const hn::RebindToFloat<D> d_float;
  const auto eleven_bits = hn::Set(d, 0x7FFU);
  const auto a = hn::And(word, eleven_bits);
  const auto b = hn::And(hn::ShiftRight<11>(word), eleven_bits);
  const auto c = hn::ShiftLeft<1>(hn::ShiftRight<22>(word));
  const auto sum = hn::BitCast(d_signed, hn::Add(hn::Add(a, b), c));
  const auto centred = hn::Sub(sum, hn::Set(d_signed, 3070));
  hn::StoreU(hn::Mul(hn::ConvertTo(d_float, centred), hn::Set(d_float, 0x1p-10F)), d_float, out);
}

inline void counter_noise_blocks(const NoiseAddress& from, float* HWY_RESTRICT out,
                                 std::size_t blocks) {
  const CounterTag d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t lane = 0; lane < 16; lane += lanes) {
      const auto first = static_cast<std::uint32_t>(16 * (from.block + block) + lane);
      const auto word = philox(d,
                               {hn::Iota(d, first), hn::Set(d, from.row), hn::Set(d, from.slice),
                                hn::Set(d, from.stream)},
                               from.key);
      float* HWY_RESTRICT to = out + 64 * block + lane;
      store_sum_of_uniforms(d, word.x0, to);
      store_sum_of_uniforms(d, word.x1, to + 16);
      store_sum_of_uniforms(d, word.x2, to + 32);
      store_sum_of_uniforms(d, word.x3, to + 48);
    }
  }
}

// Rounds to nearest even by integer arithmetic on the bits.
template <class D>
HWY_INLINE void store_bf16(D /*float_tag*/, hn::Vec<D> value, std::uint16_t* HWY_RESTRICT out) {
  const hn::RebindToUnsigned<D> d;
  const hn::Rebind<std::uint16_t, D> d_half;
  const auto bits = hn::BitCast(d, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1U));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(d, 0x7FFFU)));
  const hn::RebindToSigned<D> d_signed;
  // DemoteTo saturates signed values: sign-extend the 16 bits first and store them as they are.
  const hn::Rebind<std::int16_t, D> d_half_signed;
  const auto high = hn::ShiftRight<16>(hn::BitCast(d_signed, rounded));
  hn::StoreU(hn::BitCast(d_half, hn::DemoteTo(d_half_signed, high)), d_half, out);
}

inline void spiked_row(const float* HWY_RESTRICT noise, float noise_scale,
                       const float* HWY_RESTRICT direction, float row_factor,
                       std::uint16_t* HWY_RESTRICT out, std::size_t count) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> d_one;
  const std::size_t lanes = hn::Lanes(d);
  const auto at = [&](auto tag, std::size_t i) HWY_ATTR {
    const auto scaled = hn::Mul(hn::LoadU(tag, noise + i), hn::Set(tag, noise_scale));
    const auto spike = hn::Mul(hn::LoadU(tag, direction + i), hn::Set(tag, row_factor));
    store_bf16(tag, hn::Add(scaled, spike), out + i);
  };
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) at(d, i);
  for (; i < count; ++i) at(d_one, i);
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
