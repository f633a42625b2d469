#pragma once
// Linear classifiers with a penalty on the weights (not on the bias). Neither draws random numbers:
// the same features give the same fit.

#include <cstdint>
#include <span>

#include <moesweep/analysis/training/linear_model.hpp>

namespace moesweep::training {

struct LinearFit {
  LinearModel model;
  bool converged = false;
  std::int64_t iterations = 0;
  double objective = 0.0;      ///< what was minimised, at the fit
  double gradient_norm = 0.0;  ///< its largest absolute derivative there; 0 for ridge
};

struct LogisticOptions {
  double l2 = 0.01;
  double gradient_tolerance = 1e-6;
  std::int64_t max_iterations = 1000;
};

/// Minimises mean negative log-likelihood + l2/2 |weights|^2 by L-BFGS from 0; softmax for more
/// than two classes. `features` are standardized by the caller, labels are in 0..classes-1, one a
/// row, at least one row. Without a penalty, separable classes have no minimum: such a fit ends
/// unconverged.
LinearFit fit_logistic(const FeatureMatrix& features, std::span<const std::int8_t> labels,
                       std::int64_t classes, const LogisticOptions& options);

/// Minimises (mean squared error to targets of +1 (own class) and -1, summed over outputs)/2 +
/// l2/2 |weights|^2 in closed form: Cholesky of the smaller of the two Gram matrices. l2 > 0.
/// Throws Error(bad_input) when rounding left the Gram matrix indefinite.
LinearFit fit_ridge(const FeatureMatrix& features, std::span<const std::int8_t> labels,
                    std::int64_t classes, double l2);

}  // namespace moesweep::training
