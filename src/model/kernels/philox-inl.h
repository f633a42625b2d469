// Philox 4x32-10 on vectors of counters, one copy per target.
#if defined(MOESWEEP_KERNELS_PHILOX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_PHILOX_INL_H
#undef MOESWEEP_KERNELS_PHILOX_INL_H
#else
#define MOESWEEP_KERNELS_PHILOX_INL_H
#endif

#include <cstdint>

#include <hwy/highway.h>

#include <moesweep/core/base/philox.hpp>

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

struct CounterWords {
  CounterVector x0, x1, x2, x3;
};

// philox4x32_10() of every lane.
template <class D>
HWY_INLINE CounterWords philox(D d, CounterWords x, const PhiloxKey& key) {
  std::uint32_t key0 = key[0];
  std::uint32_t key1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const auto product0 = multiply_wide(d, x.x0, 0xD2511F53U);
    const auto product1 = multiply_wide(d, x.x2, 0xCD9E8D57U);
    x.x0 = hn::Xor(hn::Xor(product1.high, x.x1), hn::Set(d, key0));
    x.x1 = product1.low;
    x.x2 = hn::Xor(hn::Xor(product0.high, x.x3), hn::Set(d, key1));
    x.x3 = product0.low;
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return x;
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
