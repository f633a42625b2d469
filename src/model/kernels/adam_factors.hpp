#pragma once
// What one Adam step multiplies by, computed once a step in double.

#include <cmath>

#include <moesweep/model/kernels/training_steps.hpp>

namespace moesweep::kernels {

template <typename Real>
struct AdamFactors {
  explicit AdamFactors(const AdamStep& step)
      : beta1(static_cast<Real>(step.beta1)),
        one_less_beta1(static_cast<Real>(1.0 - step.beta1)),
        beta2(static_cast<Real>(step.beta2)),
        one_less_beta2(static_cast<Real>(1.0 - step.beta2)),
        epsilon(static_cast<Real>(step.epsilon)) {
    const auto t = static_cast<double>(step.t);
    step_size = static_cast<Real>(step.learning_rate / (1.0 - std::pow(step.beta1, t)));
    second_factor = static_cast<Real>(1.0 / std::sqrt(1.0 - std::pow(step.beta2, t)));
  }
  Real beta1, one_less_beta1, beta2, one_less_beta2, epsilon;
  Real step_size;
  Real second_factor;  ///< of sqrt(v)
};

}  // namespace moesweep::kernels
