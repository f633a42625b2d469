#pragma once
// The element-wise steps of training a head: activation, dropout, Adam. Each exists in float, on
// vectors, and in double, as plain loops: the oracle of the first and what gradients are checked
// in.

#include <cstdint>
#include <span>

#include <moesweep/core/base/philox.hpp>

namespace moesweep::kernels {

/// GELU with the exact normal distribution function Phi, x Phi(x), and its derivative
/// Phi(x) + x phi(x), times the mask: activation[i] = mask[i] gelu(x[i]), slope[i] = mask[i]
/// gelu'(x[i]). An empty mask stands for ones. In float Phi is Hastings' approximation (Abramowitz
/// and Stegun 7.1.26, absolute error below 1.5e-7); in double std::erf. Sizes are equal.
void gelu(std::span<const float> x, std::span<const float> mask, std::span<float> activation,
          std::span<float> slope);
void gelu(std::span<const double> x, std::span<const double> mask, std::span<double> activation,
          std::span<double> slope);

/// Elements of one run of a dropout stream come in blocks of this many, 16 Philox counters each.
inline constexpr std::int64_t dropout_block = 64;

/// Counter words are (16 * block + lane, step, 0, stream).
struct DropoutAddress {
  PhiloxKey key{};
  std::uint32_t step = 0;
  std::uint32_t stream = 0;
};

/// 0 with probability `rate` in [0, 1), else 1/(1 - rate) rounded to float. Number i of a block is
/// word i/16 of counter i%16, dropped when the word is below rate * 2^32. The same decisions in
/// float and double, on every target. out.size() is a multiple of dropout_block.
void dropout_mask(const DropoutAddress& from, double rate, std::span<float> out);
void dropout_mask(const DropoutAddress& from, double rate, std::span<double> out);

/// What Adam (Kingma and Ba, ICLR 2015) needs besides the gradient in step `t`, counted from 1.
struct AdamStep {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  std::int64_t t = 1;
};

/// One step, in PyTorch's order of operations: m = beta1 m + (1-beta1) g; v = beta2 v + (1-beta2)
/// g g; w -= (learning_rate/(1-beta1^t)) m/(sqrt(v)/sqrt(1-beta2^t) + epsilon). Sizes are equal.
void adam(const AdamStep& step, std::span<const float> gradient, std::span<float> weights,
          std::span<float> first_moment, std::span<float> second_moment);
void adam(const AdamStep& step, std::span<const double> gradient, std::span<double> weights,
          std::span<double> first_moment, std::span<double> second_moment);

}  // namespace moesweep::kernels
