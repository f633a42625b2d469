// Round trips, one copy per target. No include guard of the usual kind: the file is compiled once
// for each target.
#if defined(MOESWEEP_KERNELS_ROUND_TRIP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_ROUND_TRIP_INL_H
#undef MOESWEEP_KERNELS_ROUND_TRIP_INL_H
#else
#define MOESWEEP_KERNELS_ROUND_TRIP_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "round_trip_kernel.hpp"

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using FloatVec = hn::Vec<Floats>;
using Doubles = hn::ScalableTag<double>;
using DoubleVec = hn::Vec<Doubles>;

inline void tile_group_ranges(const Tile& tile, float* lo, float* hi) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t group = 0, begin = 0; begin < tile.length; ++group, begin += tile.group_size) {
    const std::size_t count = HWY_MIN(tile.group_size, tile.length - begin);
    const float* values = tile.values + begin;
    float lowest = values[0];
    float highest = values[0];
    std::size_t i = 0;
    if (count >= lanes) {
      FloatVec low = hn::LoadU(d, values);
      FloatVec high = low;
      for (i = lanes; i + lanes <= count; i += lanes) {
        const FloatVec weight = hn::LoadU(d, values + i);
        low = hn::Min(low, weight);
        high = hn::Max(high, weight);
      }
      lowest = hn::GetLane(hn::MinOfLanes(d, low));
      highest = hn::GetLane(hn::MaxOfLanes(d, high));
    }
    for (; i < count; ++i) {
      lowest = HWY_MIN(lowest, values[i]);
      highest = HWY_MAX(highest, values[i]);
    }
    if (count < tile.group_size) {
      lowest = HWY_MIN(lowest, 0.0F);
      highest = HWY_MAX(highest, 0.0F);
    }
    lo[group] = lowest + 0.0F;
    hi[group] = highest + 0.0F;
  }
}

HWY_INLINE FloatVec to_stored_bf16(FloatVec value) {
  const Floats df;
  const hn::RebindToUnsigned<Floats> du;
  const auto bits = hn::BitCast(du, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFU)));
  return hn::BitCast(df, hn::And(rounded, hn::Set(du, 0xFFFF0000U)));
}

HWY_INLINE FloatVec to_stored_f16(FloatVec value) {
  const Floats df;
  const hn::RebindToUnsigned<Floats> du;
  const FloatVec magnitude = hn::Abs(value);
  const auto bits = hn::BitCast(du, magnitude);
  const auto odd = hn::And(hn::ShiftRight<13>(bits), hn::Set(du, 1U));
  const FloatVec normal = hn::BitCast(
      df, hn::And(hn::Add(bits, hn::Add(odd, hn::Set(du, 0xFFFU))), hn::Set(du, 0xFFFFE000U)));
  const FloatVec half = hn::Set(df, 0.5F);
  const FloatVec tiny = hn::Sub(hn::Add(magnitude, half), half);
  FloatVec rounded = hn::IfThenElse(hn::Lt(magnitude, hn::Set(df, 0x1p-14F)), tiny, normal);
  const FloatVec infinity = hn::BitCast(df, hn::Set(du, 0x7F800000U));
  rounded = hn::IfThenElse(hn::Ge(rounded, hn::Set(df, 0x1p16F)), infinity, rounded);
  return hn::CopySignToAbs(rounded, value);
}

HWY_INLINE FloatVec to_stored(StoredAs stored, FloatVec value) {
  switch (stored) {
    case StoredAs::bf16:
      return to_stored_bf16(value);
    case StoredAs::f16:
      return to_stored_f16(value);
    case StoredAs::f32:
      break;
  }
  return value;
}

inline void rtn_groups(float levels, std::size_t groups, const float* lo, const float* hi,
                       const GroupArrays& out) {
  const Floats d;
  const FloatVec n = hn::Set(d, levels);
  const FloatVec smallest = hn::Set(d, rtn_smallest_step);
  for (std::size_t i = 0; i < groups; i += hn::Lanes(d)) {
    const FloatVec low = hn::LoadU(d, lo + i);
    const FloatVec range = hn::Sub(hn::LoadU(d, hi + i), low);
    const FloatVec step = hn::Max(hn::Div(range, n), smallest);
    hn::StoreU(step, d, out.step + i);
    hn::StoreU(step, d, out.stored_step + i);
    hn::StoreU(low, d, out.offset + i);
    hn::StoreU(low, d, out.stored_offset + i);
  }
}

inline void affine_groups(float levels, StoredAs stored, std::size_t groups, const float* lo,
                          const float* hi, const GroupArrays& out) {
  const Floats d;
  const FloatVec n = hn::Set(d, levels);
  const FloatVec smallest = hn::Set(d, affine_smallest_step);
  const FloatVec zero = hn::Zero(d);
  for (std::size_t i = 0; i < groups; i += hn::Lanes(d)) {
    const FloatVec low = hn::LoadU(d, lo + i);
    const FloatVec high = hn::LoadU(d, hi + i);
    const FloatVec positive = hn::Max(hn::Div(hn::Sub(high, low), n), smallest);
    const auto low_is_edge = hn::Gt(hn::Abs(low), hn::Abs(high));
    const FloatVec edge = hn::IfThenElse(low_is_edge, low, high);
    const FloatVec signed_step = hn::IfThenElse(low_is_edge, positive, hn::Neg(positive));
    const FloatVec edge_code = hn::Round(hn::Div(edge, signed_step));
    const auto at_zero = hn::Eq(edge_code, zero);
    const FloatVec step = hn::IfThenElse(at_zero, signed_step, hn::Div(edge, edge_code));
    const FloatVec offset = hn::IfThenElse(at_zero, zero, edge);
    hn::StoreU(step, d, out.step + i);
    hn::StoreU(offset, d, out.offset + i);
    hn::StoreU(to_stored(stored, step), d, out.stored_step + i);
    hn::StoreU(to_stored(stored, offset), d, out.stored_offset + i);
  }
}

inline void parameters_of_groups(QuantizerFamily family, float levels, StoredAs stored,
                                 std::size_t groups, const float* lo, const float* hi,
                                 const GroupArrays& out) {
  if (family == QuantizerFamily::rtn) {
    rtn_groups(levels, groups, lo, hi, out);
  } else {
    affine_groups(levels, stored, groups, lo, hi, out);
  }
}

HWY_INLINE GroupParameters parameters_at(const GroupArrays& groups, std::size_t group) {
  return {groups.step[group], groups.offset[group], groups.stored_step[group],
          groups.stored_offset[group]};
}

// Never a multiply-add here: each step rounds.
HWY_INLINE FloatVec steps_of(FloatVec weight, FloatVec offset, FloatVec step) {
  return hn::Round(hn::Div(hn::Sub(weight, offset), step));
}

HWY_INLINE FloatVec clamped(FloatVec steps, FloatVec levels) {
  return hn::Min(hn::Max(steps, hn::Zero(Floats())), levels);
}

HWY_INLINE double sum_of_lanes(DoubleVec lanes) {
  return hn::GetLane(hn::SumOfLanes(Doubles(), lanes));
}

// Squares of binary32 numbers are exact in float64, so multiply-add rounds like add alone.
struct WideSquares {
  DoubleVec lower;
  DoubleVec upper;

  // Written out: a generated constructor would not be compiled for the target.
  HWY_INLINE WideSquares() : lower(hn::Zero(Doubles())), upper(lower) {}

  HWY_INLINE void add(FloatVec error) {
    const Doubles dd;
#if HWY_TARGET == HWY_SCALAR
    const DoubleVec low = hn::PromoteTo(dd, error);
    lower = hn::MulAdd(low, low, lower);
#else
    const hn::Half<Floats> dh;
    const DoubleVec low = hn::PromoteTo(dd, hn::LowerHalf(dh, error));
    const DoubleVec high = hn::PromoteTo(dd, hn::UpperHalf(dh, error));
    lower = hn::MulAdd(low, low, lower);
    upper = hn::MulAdd(high, high, upper);
#endif
  }
  HWY_INLINE double total() const {
    return sum_of_lanes(hn::Add(lower, upper));
  }
};

// Half the work: squares of up to 16 errors a lane are summed in binary32, those sums in float64.
struct NarrowSquares {
  static constexpr int most_terms = 16;
  FloatVec sum;
  DoubleVec wide;
  int terms = 0;

  HWY_INLINE NarrowSquares() : sum(hn::Zero(Floats())), wide(hn::Zero(Doubles())) {}

  HWY_INLINE void add(FloatVec error) {
    sum = hn::MulAdd(error, error, sum);
    if (++terms == most_terms) widen();
  }
  HWY_INLINE void widen() {
    const Doubles dd;
#if HWY_TARGET == HWY_SCALAR
    wide = hn::Add(wide, hn::PromoteTo(dd, sum));
#else
    const hn::Half<Floats> dh;
    wide = hn::Add(wide, hn::Add(hn::PromoteTo(dd, hn::LowerHalf(dh, sum)),
                                 hn::PromoteTo(dd, hn::UpperHalf(dh, sum))));
#endif
    sum = hn::Zero(Floats());
    terms = 0;
  }
  HWY_INLINE double total() {
    widen();
    return sum_of_lanes(wide);
  }
};

// rtn's codes need no clamp: w is in [lo, hi], and rint((hi - lo) / step) is at most n.
template <class Squares, bool clamps>
HWY_INLINE double sum_errors(const Tile& tile, const GroupArrays& groups, float levels) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const FloatVec n = hn::Set(d, levels);
  Squares squares;
  double rest = 0.0;
  for (std::size_t group = 0, begin = 0; begin < tile.length; ++group, begin += tile.group_size) {
    const std::size_t end = HWY_MIN(begin + tile.group_size, tile.length);
    const GroupParameters scalar = parameters_at(groups, group);
    const FloatVec step = hn::Set(d, scalar.step);
    const FloatVec offset = hn::Set(d, scalar.offset);
    const FloatVec stored_step = hn::Set(d, scalar.stored_step);
    const FloatVec stored_offset = hn::Set(d, scalar.stored_offset);
    std::size_t i = begin;
    for (; i + lanes <= end; i += lanes) {
      const FloatVec weight = hn::LoadU(d, tile.values + i);
      FloatVec code = steps_of(weight, offset, step);
      if constexpr (clamps) code = clamped(code, n);
      const FloatVec product = hn::Mul(code, stored_step);
      squares.add(hn::Sub(weight, hn::Add(product, stored_offset)));
    }
    for (; i < end; ++i) {
      const float weight = tile.values[i];
      const float error = weight - dequantize(code_of(weight, scalar, levels), scalar);
      rest += static_cast<double>(error) * static_cast<double>(error);
    }
  }
  return squares.total() + rest;
}

template <bool clamps>
HWY_INLINE double sum_errors(const Tile& tile, const GroupArrays& groups, float levels) {
  // A mean square above this is far from binary32's smallest numbers; and nothing overflowed when
  // the sum is finite.
  constexpr double least_mean = 0x1p-100;
  const double error = sum_errors<NarrowSquares, clamps>(tile, groups, levels);
  const bool holds = error >= least_mean * static_cast<double>(tile.length) &&
                     error <= static_cast<double>(hwy::HighestValue<float>());
  return holds ? error : sum_errors<WideSquares, clamps>(tile, groups, levels);
}

inline double error_of_tile(const Tile& tile, QuantizerFamily family, const GroupArrays& groups,
                            float levels) {
  return family == QuantizerFamily::rtn ? sum_errors<false>(tile, groups, levels)
                                        : sum_errors<true>(tile, groups, levels);
}

inline void codes_of_tile(const Tile& tile, const GroupArrays& groups, float levels,
                          std::uint8_t* codes) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float lane_codes[hn::MaxLanes(d)];
  for (std::size_t group = 0, begin = 0; begin < tile.length; ++group, begin += tile.group_size) {
    const std::size_t end = HWY_MIN(begin + tile.group_size, tile.length);
    const GroupParameters scalar = parameters_at(groups, group);
    std::size_t i = begin;
    for (; i + lanes <= end; i += lanes) {
      const FloatVec steps = steps_of(hn::LoadU(d, tile.values + i), hn::Set(d, scalar.offset),
                                      hn::Set(d, scalar.step));
      hn::Store(clamped(steps, hn::Set(d, levels)), d, lane_codes);
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        codes[i + lane] = static_cast<std::uint8_t>(lane_codes[lane]);
      }
    }
    for (; i < end; ++i) {
      codes[i] = static_cast<std::uint8_t>(code_of(tile.values[i], scalar, levels));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
