// Widening of the 16-bit formats and the search for non-finite values, one copy per target.
// No include guard of the usual kind: the file is compiled once for each target.
#if defined(MOESWEEP_KERNELS_DECODE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_DECODE_INL_H
#undef MOESWEEP_KERNELS_DECODE_INL_H
#else
#define MOESWEEP_KERNELS_DECODE_INL_H
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct WidenBf16 {
  template <class V>
  HWY_INLINE auto operator()(V bits) const {
    return hn::BitCast(hn::RebindToFloat<hn::DFromV<V>>(), hn::ShiftLeft<16>(bits));
  }
};

// The exponent and mantissa of a half, moved into place, are the value times 2^-112 (subnormals
// included), so one exact product restores it. Infinities and NaN get their exponent by hand.
// Highway's own promotion does not know those on targets without F16C.
struct WidenF16 {
  template <class V>
  HWY_INLINE auto operator()(V bits) const {
    const hn::DFromV<V> du;
    const hn::RebindToFloat<decltype(du)> df;
    const auto magnitude = hn::ShiftLeft<13>(hn::And(bits, hn::Set(du, 0x7FFFU)));
    const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(du, 0x8000U)));
    const auto finite = hn::BitCast(du, hn::Mul(hn::BitCast(df, magnitude), hn::Set(df, 0x1p112F)));
    const auto all_ones = hn::Set(du, 0x0F800000U);
    const auto special = hn::IfThenElseZero(hn::Eq(hn::And(magnitude, all_ones), all_ones),
                                            hn::Set(du, 0x7F800000U));
    return hn::BitCast(df, hn::Or(hn::Or(finite, special), sign));
  }
};

// Whoever decodes one block after the other wants the next one: its bytes come into the
// second-level cache while this one is worked on. Beyond the end of a buffer it does nothing.
HWY_INLINE void prefetch_line(const std::uint8_t* bytes) {
  constexpr int for_reading = 0;
  constexpr int second_level = 2;
  __builtin_prefetch(bytes, for_reading, second_level);
}

// Loaded as bytes, since elements may start at an odd one.
template <class D16>
HWY_INLINE hn::Vec<D16> load_halves(D16 d, const std::uint8_t* bytes) {
#if HWY_TARGET == HWY_SCALAR
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof(half));
  return hn::Set(d, half);
#else
  return hn::BitCast(d, hn::LoadU(hn::Repartition<std::uint8_t, D16>(), bytes));
#endif
}

template <class Widen>
HWY_INLINE void widen16(const std::byte* bytes, std::size_t count, float* out, Widen widen) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du32;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  const auto* from = reinterpret_cast<const std::uint8_t*>(bytes);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    prefetch_line(from + 2 * (count + i));
    hn::StoreU(widen(hn::PromoteTo(du32, load_halves(du16, from + 2 * i))), df, out + i);
  }
  if (i == count) return;
  HWY_ALIGN std::uint8_t halves[2 * hn::MaxLanes(df)] = {};
  HWY_ALIGN float last[hn::MaxLanes(df)];
  std::memcpy(halves, from + 2 * i, 2 * (count - i));
  hn::Store(widen(hn::PromoteTo(du32, load_halves(du16, halves))), df, last);
  std::memcpy(out + i, last, sizeof(float) * (count - i));
}

inline void widen_bf16(const std::byte* bytes, std::size_t count, float* out) {
  widen16(bytes, count, out, WidenBf16{});
}

inline void widen_f16(const std::byte* bytes, std::size_t count, float* out) {
  widen16(bytes, count, out, WidenF16{});
}

// Index of the first value whose exponent is all ones; `count` when there is none.
inline std::size_t find_nonfinite(const float* values, std::size_t count) {
  const hn::ScalableTag<float> df;
  const hn::RebindToUnsigned<decltype(df)> du;
  const std::size_t lanes = hn::Lanes(df);
  const auto all_ones = hn::Set(du, 0x7F800000U);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto exponent = hn::And(hn::BitCast(du, hn::LoadU(df, values + i)), all_ones);
    const auto found = hn::FindFirstTrue(du, hn::Eq(exponent, all_ones));
    if (found >= 0) return i + static_cast<std::size_t>(found);
  }
  for (; i < count; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, values + i, sizeof(bits));
    if ((bits & 0x7F800000U) == 0x7F800000U) return i;
  }
  return count;
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
