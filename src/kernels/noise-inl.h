// Philox 4x32-10 on vectors of counters, one copy per target.
#if defined(MOESWEEP_KERNELS_NOISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_NOISE_INL_H
#undef MOESWEEP_KERNELS_NOISE_INL_H
#else
#define MOESWEEP_KERNELS_NOISE_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include <moesweep/kernels/noise.hpp>

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// 16 counters make a block, so wider vectors would straddle two.
using CounterTag = hn::CappedTag<std::uint32_t, 16>;
using CounterVector = hn::Vec<CounterTag>;

struct WideProduct {
  CounterVector high, low;
};

// 32x32 -> 64 bit products of all lanes.
template <class D>
HWY_INLINE WideProduct multiply_wide(D d, CounterVector a, std::uint32_t factor) {
#if HWY_TARGET == HWY_SCALAR
  const std::uint64_t product = std::uint64_t{factor} * hn::GetLane(a);
  return {hn::Set(d, static_cast<std::uint32_t>(product >> 32)),
          hn::Set(d, static_cast<std::uint32_t>(product))};
#else
  const hn::RepartitionToWide<D> d_wide;
  const auto factors = hn::Set(d, factor);
  const auto even = hn::MulEven(a, factors);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(d_wide, a))), factors);
  return {hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even))),
          hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even))};
#endif
}

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
      auto x0 = hn::Iota(d, first);
      auto x1 = hn::Set(d, from.row);
      auto x2 = hn::Set(d, from.slice);
      auto x3 = hn::Set(d, from.stream);
      std::uint32_t key0 = from.key[0];
      std::uint32_t key1 = from.key[1];
      for (int round = 0; round < 10; ++round) {
        const auto product0 = multiply_wide(d, x0, 0xD2511F53U);
        const auto product1 = multiply_wide(d, x2, 0xCD9E8D57U);
        x0 = hn::Xor(hn::Xor(product1.high, x1), hn::Set(d, key0));
        x1 = product1.low;
        x2 = hn::Xor(hn::Xor(product0.high, x3), hn::Set(d, key1));
        x3 = product0.low;
        key0 += 0x9E3779B9U;
        key1 += 0xBB67AE85U;
      }
      float* HWY_RESTRICT to = out + 64 * block + lane;
      store_sum_of_uniforms(d, x0, to);
      store_sum_of_uniforms(d, x1, to + 16);
      store_sum_of_uniforms(d, x2, to + 32);
      store_sum_of_uniforms(d, x3, to + 48);
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
