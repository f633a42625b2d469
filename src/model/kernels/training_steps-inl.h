// Element-wise steps of training on float vectors, one copy per target.
#if defined(MOESWEEP_KERNELS_TRAINING_STEPS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MOESWEEP_KERNELS_TRAINING_STEPS_INL_H
#undef MOESWEEP_KERNELS_TRAINING_STEPS_INL_H
#else
#define MOESWEEP_KERNELS_TRAINING_STEPS_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <moesweep/model/kernels/training_steps.hpp>

#include "adam_factors.hpp"
#include "philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace moesweep::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// `at(tag, i)` for every whole vector, then for every element that is left.
template <class F>
HWY_INLINE void for_each_vector(std::size_t count, const F& at) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> d_one;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) at(d, i);
  for (; i < count; ++i) at(d_one, i);
}

// With z = |x|/sqrt(2) the tail 1 - erf(z) is t (a1 + t (a2 + ...)) exp(-z^2), t = 1/(1 + p z), and
// the same exponential is in the density: both cost one exp and one division.
inline void gelu_of(const float* HWY_RESTRICT x, const float* HWY_RESTRICT mask,
                    float* HWY_RESTRICT activation, float* HWY_RESTRICT slope, std::size_t count) {
  for_each_vector(count, [&](auto d, std::size_t i) HWY_ATTR {
    const auto one = hn::Set(d, 1.0F);
    const auto value = hn::LoadU(d, x + i);
    const auto z = hn::Mul(hn::Abs(value), hn::Set(d, 0.70710678F));
    const auto exponential = hn::Exp(d, hn::Neg(hn::Mul(z, z)));
    const auto t = hn::Div(one, hn::MulAdd(z, hn::Set(d, 0.3275911F), one));
    auto tail = hn::Set(d, 1.061405429F);
    for (const float a : {-1.453152027F, 1.421413741F, -0.284496736F, 0.254829592F}) {
      tail = hn::MulAdd(tail, t, hn::Set(d, a));
    }
    tail = hn::Mul(hn::Mul(hn::Mul(tail, t), exponential), hn::Set(d, 0.5F));
    const auto below = hn::Lt(value, hn::Zero(d));
    const auto cumulative = hn::IfThenElse(below, tail, hn::Sub(one, tail));
    const auto density = hn::Mul(exponential, hn::Set(d, 0.39894228F));
    const auto factor = mask == nullptr ? one : hn::LoadU(d, mask + i);
    hn::StoreU(hn::Mul(hn::Mul(value, cumulative), factor), d, activation + i);
    hn::StoreU(hn::Mul(hn::MulAdd(value, density, cumulative), factor), d, slope + i);
  });
}

inline void dropout_blocks(const DropoutAddress& from, std::uint32_t drop_below, float kept,
                           float* HWY_RESTRICT out, std::size_t blocks) {
  const CounterTag d;
  const hn::RebindToFloat<CounterTag> d_float;
  const std::size_t lanes = hn::Lanes(d);
  const auto store = [&](CounterVector word, float* to) HWY_ATTR {
    const auto drop = hn::RebindMask(d_float, hn::Lt(word, hn::Set(d, drop_below)));
    hn::StoreU(hn::IfThenZeroElse(drop, hn::Set(d_float, kept)), d_float, to);
  };
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t lane = 0; lane < 16; lane += lanes) {
      const auto first = static_cast<std::uint32_t>(16 * block + lane);
      const auto word = philox(
          d, {hn::Iota(d, first), hn::Set(d, from.step), hn::Zero(d), hn::Set(d, from.stream)},
          from.key);
      float* to = out + 64 * block + lane;
      store(word.x0, to);
      store(word.x1, to + 16);
      store(word.x2, to + 32);
      store(word.x3, to + 48);
    }
  }
}

inline void adam_of(const AdamFactors<float>& by, const float* HWY_RESTRICT gradient,
                    float* HWY_RESTRICT weights, float* HWY_RESTRICT first,
                    float* HWY_RESTRICT second, std::size_t count) {
  for_each_vector(count, [&](auto d, std::size_t i) HWY_ATTR {
    const auto g = hn::LoadU(d, gradient + i);
    const auto m = hn::MulAdd(hn::LoadU(d, first + i), hn::Set(d, by.beta1),
                              hn::Mul(g, hn::Set(d, by.one_less_beta1)));
    const auto v = hn::MulAdd(hn::LoadU(d, second + i), hn::Set(d, by.beta2),
                              hn::Mul(hn::Mul(g, hn::Set(d, by.one_less_beta2)), g));
    const auto denominator =
        hn::MulAdd(hn::Sqrt(v), hn::Set(d, by.second_factor), hn::Set(d, by.epsilon));
    const auto change = hn::Div(hn::Mul(m, hn::Set(d, by.step_size)), denominator);
    hn::StoreU(m, d, first + i);
    hn::StoreU(v, d, second + i);
    hn::StoreU(hn::Sub(hn::LoadU(d, weights + i), change), d, weights + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace moesweep::kernels
HWY_AFTER_NAMESPACE();

#endif
